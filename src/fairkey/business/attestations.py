"""What issuers say became of one code: activated, unused, revoked. Recorded in order, never overwritten.

Two sources: `signed`, the issuer sent a statement under his key; `pulled`, we asked his licence API. What contradicts
something said before is recorded all the same and marked: which of the two is true is for others to judge.
"""

from enum import StrEnum
from typing import Any, assert_never

from msgspec import Struct

from .basics import Command, Event, Refusal, require, require_text

HEARD_EACH_MAX = 100  # of one code and one kind; what comes after tells nothing new
AT_MAX_MS = 2**45


class Says(StrEnum):
    """What an issuer says of a code. `unclear` is said by licence APIs only."""

    ACTIVATED = "activated"
    UNUSED = "unused"
    REVOKED = "revoked"
    UNCLEAR = "unclear"


class Conflict(StrEnum):
    """How an attestation disagrees with an earlier one of the same code."""

    NONE = ""
    USED_BEFORE_UNUSED = "used_before_unused"  # said to be unused at a moment after an activation
    OTHER_ACCOUNT = "other_account"  # activated for another account than before
    OTHER_MOMENT = "other_moment"  # activated at another moment than before
    REVOKED_AFTER_USE = "revoked_after_use"  # taken back from somebody who had activated it
    USED_AFTER_REVOKED = "used_after_revoked"


class CodeActivated(Event, frozen=True):
    """The issuer says: this code was activated at `happened_at_ms`. `number`: of the code's attestations, from 1.

    `in_scope`: he is registered for the product of the code's listing. `conflicts_with`: numbers of earlier ones.
    """

    kind = "attest.activated"
    sealed = frozenset(
        {"statement", "signature", "code_salt", "account", "account_salt", "account_key", "statement_key", "answer"}
    )
    number: int
    issuer_id: str
    key_no: int
    how: str
    in_scope: bool
    happened_at_ms: int
    said_at_ms: int
    conflict: str
    conflicts_with: tuple[int, ...]
    statement: str
    signature: str
    code_salt: str
    account: str
    account_salt: str
    account_key: str
    statement_key: str
    answer: str


class CodeUnused(Event, frozen=True):
    """The issuer says: at `happened_at_ms` this code had not been activated."""

    kind = "attest.unused"
    sealed = frozenset({"statement", "signature", "code_salt", "statement_key", "answer"})
    number: int
    issuer_id: str
    key_no: int
    how: str
    in_scope: bool
    happened_at_ms: int
    said_at_ms: int
    conflict: str
    conflicts_with: tuple[int, ...]
    statement: str
    signature: str
    code_salt: str
    statement_key: str
    answer: str


class CodeRevoked(Event, frozen=True):
    """The issuer says: this code was taken back or blocked at `happened_at_ms`."""

    kind = "attest.revoked"
    sealed = frozenset({"statement", "signature", "code_salt", "reason", "statement_key", "answer"})
    number: int
    issuer_id: str
    key_no: int
    how: str
    in_scope: bool
    happened_at_ms: int
    said_at_ms: int
    conflict: str
    conflicts_with: tuple[int, ...]
    statement: str
    signature: str
    code_salt: str
    reason: str
    statement_key: str
    answer: str


class IssuerWasUnclear(Event, frozen=True):
    """The issuer's licence API was asked, and what it answered is none of the three.

    `word`: unknown, expired, valid (which does not say unused), other.
    """

    kind = "attest.unclear"
    sealed = frozenset({"statement_key", "answer"})
    number: int
    issuer_id: str
    how: str
    in_scope: bool
    said_at_ms: int
    word: str
    statement_key: str
    answer: str


AttestationEvent = CodeActivated | CodeUnused | CodeRevoked | IssuerWasUnclear


class AttestCode(Command, frozen=True):
    """Issuer: a statement whose signature under his key `key_no` was checked.

    `statement` is the exact signed text, `signature` in base64; `code_salt` and `account_salt` with the texts they
    belong to open the digests in the statement. `account_key` and `statement_key` are keyed hashes: equal for equal
    accounts and ids, telling nothing else.
    """

    code_id: str
    listing_id: str
    issuer_id: str
    key_no: int
    says: str
    happened_at_ms: int
    said_at_ms: int
    statement: str
    signature: str
    statement_key: str
    code_salt: str
    account: str = ""
    account_salt: str = ""
    account_key: str = ""
    reason: str = ""


class RecordIssuerAnswer(Command, frozen=True):
    """Operator: what the issuer's licence API answered about the code just now.

    `word`: unknown, expired, valid, other, where it `says` no more than `unclear`. `answer`: what it answered, without
    the code. `statement_key`: of this one question.
    """

    code_id: str
    listing_id: str
    issuer_id: str
    says: str
    word: str
    happened_at_ms: int
    said_at_ms: int
    statement_key: str
    answer: str


AttestationCommand = AttestCode | RecordIssuerAnswer


class IssuerMayNotAttest(Refusal):
    """Nothing this issuer says is taken now. Details: why (`standing` or `key`)."""


class IssuerBriefing(Struct, frozen=True, kw_only=True):
    """What taking an issuer's word must be told about him."""

    is_active: bool
    takes_key: bool
    in_scope: bool


class Heard(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One attestation."""

    number: int
    says: Says
    issuer_id: str
    happened_at_ms: int = 0
    account_key: str = ""
    conflict: str = ""
    statement_key: str = ""
    how: str = ""


class Attested(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Everything issuers said of one code, in order."""

    heard: tuple[Heard, ...] = ()


INITIAL = Attested()


def decide(command: AttestationCommand, attested: Attested, brief: IssuerBriefing | None, at_ms: int) -> list[Event]:
    """What follows from `command` for this code, or a `Refusal`. A statement taken before changes nothing."""
    assert brief is not None
    if not brief.is_active:
        raise IssuerMayNotAttest(why="standing")
    if any(one.statement_key == command.statement_key for one in attested.heard):
        return []
    require(0 < command.happened_at_ms <= AT_MAX_MS, "happened_at_ms", "out_of_range")
    require(0 < command.said_at_ms <= AT_MAX_MS, "said_at_ms", "out_of_range")
    require(command.says in set(Says), "says", "unknown")
    says = Says(command.says)
    require(command.happened_at_ms <= command.said_at_ms, "happened_at_ms", "out_of_range")
    if sum(one.says is says for one in attested.heard) >= HEARD_EACH_MAX:
        return []
    match command:
        case AttestCode():
            if not brief.takes_key:
                raise IssuerMayNotAttest(why="key")
            require(says is not Says.UNCLEAR, "says", "unknown")
            require_text(command.reason, "reason", 500)
            require_text(command.account, "account", 200)
            return [_signed(command, says, attested, brief)]
        case RecordIssuerAnswer():
            return [_pulled(command, says, attested, brief)]
        case _:
            assert_never(command)


def _signed(command: AttestCode, says: Says, attested: Attested, brief: IssuerBriefing) -> Event:
    conflict, with_ = _conflict(attested, says, command.happened_at_ms, command.account_key, exact=True)
    common: dict[str, Any] = {
        "number": len(attested.heard) + 1,
        "issuer_id": command.issuer_id,
        "key_no": command.key_no,
        "how": "signed",
        "in_scope": brief.in_scope,
        "happened_at_ms": command.happened_at_ms,
        "said_at_ms": command.said_at_ms,
        "conflict": conflict.value,
        "conflicts_with": with_,
        "statement": command.statement,
        "signature": command.signature,
        "code_salt": command.code_salt,
        "statement_key": command.statement_key,
        "answer": "",
    }
    if says is Says.ACTIVATED:
        return CodeActivated(
            **common,
            account=command.account,
            account_salt=command.account_salt,
            account_key=command.account_key,
        )
    if says is Says.UNUSED:
        return CodeUnused(**common)
    return CodeRevoked(**common, reason=command.reason)


def _pulled(command: RecordIssuerAnswer, says: Says, attested: Attested, brief: IssuerBriefing) -> Event:
    number = len(attested.heard) + 1
    if says is Says.UNCLEAR:
        return IssuerWasUnclear(
            number=number,
            issuer_id=command.issuer_id,
            how="pulled",
            in_scope=brief.in_scope,
            said_at_ms=command.said_at_ms,
            word=command.word,
            statement_key=command.statement_key,
            answer=command.answer,
        )
    conflict, with_ = _conflict(attested, says, command.happened_at_ms, "", exact=False)
    common: dict[str, Any] = {
        "number": number,
        "issuer_id": command.issuer_id,
        "key_no": 0,
        "how": "pulled",
        "in_scope": brief.in_scope,
        "happened_at_ms": command.happened_at_ms,
        "said_at_ms": command.said_at_ms,
        "conflict": conflict.value,
        "conflicts_with": with_,
        "statement": "",
        "signature": "",
        "code_salt": "",
        "statement_key": command.statement_key,
        "answer": command.answer,
    }
    if says is Says.ACTIVATED:
        return CodeActivated(**common, account="", account_salt="", account_key="")
    if says is Says.UNUSED:
        return CodeUnused(**common)
    return CodeRevoked(**common, reason="")


def _conflict(
    attested: Attested, says: Says, happened_at_ms: int, account_key: str, *, exact: bool
) -> tuple[Conflict, tuple[int, ...]]:
    """How a new attestation disagrees with those before: the first kind of conflict, and with which.

    A licence API says that a code is activated, not when (`exact` false): its moment is compared with no other's.
    """
    activated = [one for one in attested.heard if one.says is Says.ACTIVATED]
    found: list[tuple[Conflict, list[Heard]]] = []
    match says:
        case Says.ACTIVATED:
            unused = [one for one in attested.heard if one.says is Says.UNUSED and one.happened_at_ms > happened_at_ms]
            revoked = [
                one for one in attested.heard if one.says is Says.REVOKED and one.happened_at_ms < happened_at_ms
            ]
            other = [one for one in activated if account_key and one.account_key not in ("", account_key)]
            found = [
                (Conflict.OTHER_ACCOUNT, other),
                (Conflict.USED_BEFORE_UNUSED, unused),
                (Conflict.USED_AFTER_REVOKED, revoked),
                (
                    Conflict.OTHER_MOMENT,
                    [
                        one
                        for one in activated
                        if exact and one.how == "signed" and one.happened_at_ms != happened_at_ms
                    ],
                ),
            ]
        case Says.UNUSED:
            found = [(Conflict.USED_BEFORE_UNUSED, [one for one in activated if one.happened_at_ms < happened_at_ms])]
        case Says.REVOKED:
            found = [(Conflict.REVOKED_AFTER_USE, [one for one in activated if one.happened_at_ms < happened_at_ms])]
        case Says.UNCLEAR:
            pass
        case _:
            assert_never(says)
    for conflict, others in found:
        if others:
            return conflict, tuple(one.number for one in others)
    return Conflict.NONE, ()


_SAYS: dict[type[Event], Says] = {
    CodeActivated: Says.ACTIVATED,
    CodeUnused: Says.UNUSED,
    CodeRevoked: Says.REVOKED,
    IssuerWasUnclear: Says.UNCLEAR,
}


def evolve(attested: Attested, event: AttestationEvent, at_ms: int) -> Attested:
    """What was heard of the code after `event`."""
    happened_at_ms, conflict = event.said_at_ms, ""
    if not isinstance(event, IssuerWasUnclear):
        happened_at_ms, conflict = event.happened_at_ms, event.conflict
    heard = Heard(
        number=event.number,
        says=_SAYS[type(event)],
        issuer_id=event.issuer_id,
        happened_at_ms=happened_at_ms,
        account_key=event.account_key if isinstance(event, CodeActivated) else "",
        conflict=conflict,
        statement_key=event.statement_key,
        how=event.how,
    )
    return Attested(heard=(*attested.heard, heard))
