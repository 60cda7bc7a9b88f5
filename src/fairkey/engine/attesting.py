"""Taking an issuer's word: his signature checked, his ids claimed, his codes found, his facts recorded.

Nothing here tells whether a code is known: what is unknown is passed over in silence, after everything else was checked
the same way. Plaintexts of codes are hashed and forgotten; neither they nor statements are logged.
"""

import asyncio
import hashlib
import unicodedata
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from fairkey.business.askers import Asker
from fairkey.business.attestations import AttestCode, IssuerMayNotAttest, RecordIssuerAnswer
from fairkey.business.basics import DAY_MS, MINUTE_MS, PLATFORM, Broken, NotFound, Refusal
from fairkey.business.batches import IssuersWord
from fairkey.business.code_lines import normalise
from fairkey.business.issuers import Issuer
from fairkey.business.outages import SayOutage
from fairkey.effects.issuer_check import IssuerAnswer, IssuerDoesNotAnswerNow, LicenceApi
from fairkey.proofs.attestations import (
    CodeStatement,
    ListStatement,
    OutageStatement,
    StatementIsMalformed,
    disclosed,
    read_statement,
    signing_key_of,
)

from .answers import Answer
from .house import House

STATEMENTS_MAX = 1_000  # in one request
AGE_MAX_MS = 7 * DAY_MS  # of a statement about a code when it is first sent
LIST_AGE_MAX_MS = 90 * DAY_MS
AHEAD_MAX_MS = 5 * MINUTE_MS  # how far an issuer's clock may go before ours
ATTESTATION_BYTES_MAX = 8_192
CODES_ASKED_MAX = 10  # about one order, in one go


class StatementIsUnreadable(Refusal):
    """A statement is no such thing, or what should open it does not. Details: place (from 1), why."""


class IssuerSignatureIsWrong(Refusal):
    """No key of this issuer signed this, or there is no such issuer. Details: place."""


class StatementIsOutOfTime(Refusal):
    """It was signed too long ago, or for a moment that is still to come. Details: place."""


class StatementIdWasUsed(Refusal):
    """The issuer used this id for another statement (or the list was deposited before). Details: place."""


class IssuerHasNoApi(Refusal):
    """The issuer has told no licence API that could be asked."""


class IssuerDoesNotAnswer(Refusal):
    """His licence API gave no usable answer. Details: why."""


class Sent(NamedTuple):
    """One statement about a code as it came; `account` may be empty."""

    statement: str
    signature: str
    code: str
    account: str


class _Checked(NamedTuple):
    place: int
    told: CodeStatement
    key_no: int
    key: str
    text: str
    signature: str


class _Opened(NamedTuple):
    checked: _Checked
    marks: tuple[bytes, bytes]  # of this very writing, and of all writings
    code_salt: str
    account: str
    account_salt: str


async def take_statements(house: House, sent: Sequence[Sent]) -> list[str]:
    """Record what an issuer says of his codes, all or nothing; the ids of the statements, in order.

    A repeat of the same statements has the same answer, also after its key was retired. Raises the refusals above,
    `IssuerMayNotAttest`, and what `ask` raises: then sending all of it again is safe and needed.
    """
    read = [_read(place, one.statement) for place, one in enumerate(sent, 1)]
    issuer_id = read[0].issuer_id
    issuer = await _issuer(house, issuer_id)
    checked = [
        _checked(house, issuer, place, told, one) for place, (told, one) in enumerate(zip(read, sent, strict=True), 1)
    ]
    opened = [_open(house, one, each) for one, each in zip(checked, sent, strict=True)]
    if not issuer.is_active:
        raise IssuerMayNotAttest(why="standing")
    fresh = await _claimed(house, issuer_id, checked)
    _require_fresh_ones_in_time(house, issuer, [one for one in checked if one.key in fresh])
    await _claim(house, issuer_id, {one.key: _text_hash(house, one.text) for one in checked}, checked)
    await _record(house, issuer_id, opened)
    return [one.told.id for one in checked]


async def read_word(house: House, attestation: str, *, shop_id: str) -> IssuersWord:
    """What an issuer signed about a list: JSON with `statement` and `signature`. Raises the refusals above."""
    if len(attestation.encode(errors="replace")) > ATTESTATION_BYTES_MAX:
        raise StatementIsUnreadable(place=1, why="too_long")
    try:
        given = msgspec.json.decode(attestation.encode(), type=_Attestation)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        raise StatementIsUnreadable(place=1, why="not_an_attestation") from None
    told = _told(1, given.statement)
    if not isinstance(told, ListStatement):
        raise StatementIsUnreadable(place=1, why="not_a_list")
    issuer = await _issuer(house, told.issuer_id)
    key_no = signing_key_of(given.statement, given.signature, _keys_of(issuer))
    if key_no is None:
        raise IssuerSignatureIsWrong(place=1)
    if not house.now_ms() - LIST_AGE_MAX_MS <= told.said_at_ms <= house.now_ms() + AHEAD_MAX_MS:
        raise StatementIsOutOfTime(place=1)
    if await house.numbers.shop_of(told.shop_no) != shop_id:
        raise StatementIsUnreadable(place=1, why="another_shop")
    return IssuersWord(
        issuer_id=told.issuer_id,
        key_no=key_no,
        product=told.product,
        count=told.quantity,
        said_at_ms=told.said_at_ms,
        statement_sha256=hashlib.sha256(given.statement.encode()).hexdigest(),
        statement=given.statement,
        signature=given.signature,
    )


async def take_outage(house: House, statement: str, signature: str) -> tuple[str, Answer]:
    """Record what an issuer says of an outage: (the id of his statement, the engine's answer).

    A repeat has the same answer. Raises the refusals above, and what `ask` raises: then sending it again is safe.
    """
    told = _told(1, statement)
    if not isinstance(told, OutageStatement):
        raise StatementIsUnreadable(place=1, why="it is not about an outage")
    issuer = await _issuer(house, told.issuer_id)
    key_no = signing_key_of(statement, signature, _keys_of(issuer))
    if key_no is None:
        raise IssuerSignatureIsWrong(place=1)
    key, text_hash = _statement_key(house, told.issuer_id, told.id), _text_hash(house, statement)
    known = await house.statements.known(told.issuer_id, {key: text_hash})
    if known.taken:
        raise StatementIdWasUsed(place=1)
    if key in known.fresh and not (house.now_ms() - AGE_MAX_MS <= told.said_at_ms <= house.now_ms() + AHEAD_MAX_MS):
        raise StatementIsOutOfTime(place=1)
    command = SayOutage(
        shop_id=PLATFORM,
        issuer_id=told.issuer_id,
        key_no=key_no,
        says=told.says,
        happened_at_ms=told.happened_at_ms,
        statement=statement,
        signature=signature,
    )
    answer = await house.ask(Asker.ISSUER, command, command_id=f"outage:{told.issuer_id}:{key}")
    if not answer.refusal and (await house.statements.claim(told.issuer_id, {key: text_hash})).taken:
        raise StatementIdWasUsed(place=1)
    return told.id, answer


async def claim_word(house: House, word: IssuersWord, batch_id: str) -> None:
    """The list is deposited as this batch and as no other. Raises `StatementIdWasUsed`."""
    told = _told(1, word.statement)
    key = _statement_key(house, word.issuer_id, told.id)
    text_hash = _text_hash(house, f"{batch_id}\x00{word.statement}")
    if (await house.statements.claim(word.issuer_id, {key: text_hash})).taken:
        raise StatementIdWasUsed(place=1)


async def ask_issuer(
    house: House, *, shop_id: str, listing_id: str, code_ids: Sequence[str], issuer_id: str
) -> list[Answer]:
    """Ask an issuer's licence API about codes, and record what it answers. Only for codes in a quarrel.

    Raises `NotFound`, `IssuerMayNotAttest`, `IssuerHasNoApi`, `IssuerDoesNotAnswer`; what was answered before that is
    recorded.
    """
    record = await house.questions.issuers.find(issuer_id)
    if record is None:
        raise NotFound(what="issuer")
    if not record.issuer.is_active:
        raise IssuerMayNotAttest(why="standing")
    where = await house.questions.issuers.api_of(issuer_id)
    if where is None:
        raise IssuerHasNoApi
    api = LicenceApi(url=where[0], token=where[1])
    opened = await house.vault.open_codes(shop_id, list(code_ids[:CODES_ASKED_MAX]))
    answers = []
    for code_id, code in opened.items():
        try:
            told = await house.issuer_check.ask(api, code.text)
        except IssuerDoesNotAnswerNow as error:
            raise IssuerDoesNotAnswer(why=str(error)) from error
        answers.append(await _record_answer(house, shop_id, code_id, listing_id, issuer_id, told))
    return answers


async def _record_answer(
    house: House, shop_id: str, code_id: str, listing_id: str, issuer_id: str, told: IssuerAnswer
) -> Answer:
    now_ms = house.now_ms()
    answer = msgspec.json.encode({"response_sha256": told.response_sha256, "shown": told.shown}).decode()
    command = RecordIssuerAnswer(
        shop_id=shop_id,
        code_id=code_id,
        listing_id=listing_id,
        issuer_id=issuer_id,
        says=told.says,
        word=told.word,
        happened_at_ms=now_ms,
        said_at_ms=now_ms,
        statement_key=f"pull:{house.new_id()}",
        answer=answer,
    )
    done = await house.ask(Asker.OPERATOR, command)
    if done.refusal == IssuerMayNotAttest.__name__:
        raise IssuerMayNotAttest(**done.details)
    return done


class _Attestation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    statement: str
    signature: str


def _told(place: int, statement: str) -> CodeStatement | ListStatement | OutageStatement:
    try:
        return read_statement(statement)
    except StatementIsMalformed as error:
        raise StatementIsUnreadable(place=place, why=str(error)) from None


def _read(place: int, statement: str) -> CodeStatement:
    told = _told(place, statement)
    if not isinstance(told, CodeStatement):
        raise StatementIsUnreadable(place=place, why="it is not about a code")
    return told


async def _issuer(house: House, issuer_id: str) -> Issuer:
    record = await house.questions.issuers.find(issuer_id)
    if record is None:
        raise IssuerSignatureIsWrong(place=1)
    return record.issuer


def _keys_of(issuer: Issuer) -> Mapping[int, str]:
    return {one.key_no: one.public_key for one in issuer.keys}


def _checked(house: House, issuer: Issuer, place: int, told: CodeStatement, sent: Sent) -> _Checked:
    key_no = signing_key_of(sent.statement, sent.signature, _keys_of(issuer))
    if key_no is None:
        raise IssuerSignatureIsWrong(place=place)
    key = _statement_key(house, told.issuer_id, told.id)
    return _Checked(place, told, key_no, key, sent.statement, sent.signature)


def _open(house: House, checked: _Checked, sent: Sent) -> _Opened:
    told = checked.told
    account, account_salt = "", ""
    if sent.account and told.account_digest is None:
        raise StatementIsUnreadable(place=checked.place, why="an account is disclosed of which it does not speak")
    try:
        code, code_salt = disclosed(sent.code, told.code_digest, "code")
        if told.account_digest is not None:
            account, account_salt = disclosed(sent.account, told.account_digest, "account")
    except StatementIsMalformed as error:
        raise StatementIsUnreadable(place=checked.place, why=str(error)) from None
    normal = normalise(code)
    marks = (house.keys.exact_fingerprint(normal), house.keys.code_fingerprint(normal))
    return _Opened(checked, marks, code_salt, account, account_salt)


async def _claimed(house: House, issuer_id: str, checked: Sequence[_Checked]) -> frozenset[str]:
    """Keys of the statements that were never taken before. Raises `StatementIdWasUsed`."""
    texts: dict[str, str] = {}
    for one in checked:
        if texts.setdefault(one.key, one.text) != one.text:
            raise StatementIdWasUsed(place=one.place)
    ids = {key: _text_hash(house, text) for key, text in texts.items()}
    known = await house.statements.known(issuer_id, ids)
    _require_none_taken(known.taken, checked)
    return known.fresh


async def _claim(house: House, issuer_id: str, ids: Mapping[str, bytes], checked: Sequence[_Checked]) -> None:
    _require_none_taken((await house.statements.claim(issuer_id, ids)).taken, checked)


def _require_none_taken(taken: frozenset[str], checked: Sequence[_Checked]) -> None:
    for one in checked:
        if one.key in taken:
            raise StatementIdWasUsed(place=one.place)


def _require_fresh_ones_in_time(house: House, issuer: Issuer, fresh: Sequence[_Checked]) -> None:
    now_ms = house.now_ms()
    for one in fresh:
        if not issuer.takes_key(one.key_no, now_ms):
            raise IssuerMayNotAttest(why="key")
        if not now_ms - AGE_MAX_MS <= one.told.said_at_ms <= now_ms + AHEAD_MAX_MS:
            raise StatementIsOutOfTime(place=one.place)


async def _record(house: House, issuer_id: str, opened: Sequence[_Opened]) -> None:
    named = await house.questions.issuers.named([mark for one in opened for mark in one.marks])
    asked = []
    for one in opened:
        code = named.get(one.marks[0]) or named.get(one.marks[1])
        if code is None:
            continue
        told = one.checked.told
        command = AttestCode(
            shop_id=code.shop_id,
            code_id=code.code_id,
            listing_id=code.listing_id,
            issuer_id=issuer_id,
            key_no=one.checked.key_no,
            says=told.says,
            happened_at_ms=told.happened_at_ms,
            said_at_ms=told.said_at_ms,
            statement=one.checked.text,
            signature=one.checked.signature,
            statement_key=one.checked.key,
            code_salt=one.code_salt,
            account=one.account,
            account_salt=one.account_salt,
            account_key=_account_key(house, issuer_id, one.account),
            reason=told.reason,
        )
        asked.append(house.ask(Asker.ISSUER, command, command_id=f"attest:{issuer_id}:{one.checked.key}"))
    for answer in await asyncio.gather(*asked):
        if answer.refusal == IssuerMayNotAttest.__name__ and answer.details.get("why") == "key":
            continue  # a repeat under a key retired meanwhile, of a code that came in since: the house has answered it
        if answer.refusal == IssuerMayNotAttest.__name__:
            raise IssuerMayNotAttest(**answer.details)
        if answer.refusal:
            raise Broken(f"a checked attestation was refused: {answer.refusal}")


def _statement_key(house: House, issuer_id: str, statement_id: str) -> str:
    return house.keys.fingerprint("sessions", f"statement: {issuer_id} {statement_id}".encode()).hex()[:32]


def _text_hash(house: House, text: str) -> bytes:
    return house.keys.fingerprint("sessions", b"statement text: " + text.encode())


def _account_key(house: House, issuer_id: str, account: str) -> str:
    if not account:
        return ""
    plain = unicodedata.normalize("NFKC", account).strip().casefold()
    return house.keys.fingerprint("buyer_pseudonyms", f"account\x00{issuer_id}\x00{plain}".encode()).hex()[:32]
