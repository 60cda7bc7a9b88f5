"""Steps that every proof shares: whom one trusts, the log's signature, the witnesses, what was seen before."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple, TypeVar

from fairkey.proofs.checkpoints import Checkpoint, read_checkpoint
from fairkey.proofs.merkle import EMPTY_ROOT
from fairkey.proofs.notes import Note, NoteIsMalformed, NoteIsNotSigned, VerifierKey, read_note, verified_signatures
from fairkey.proofs.policies import NONE, Policy
from fairkey.proofs.timestamps import TsaRoots

from .reports import Report, State
from .seen import SeenHeads
from .trust import Trust, quorum_in_words, trusted_in_words

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
FAR_MS: Final = 253_402_300_799_000  # the end of the year 9999
T = TypeVar("T")
SeenOf = Callable[[VerifierKey], SeenHeads | None]


class Given(NamedTuple):
    """What the verifier brings: whom he trusts, the time stampers' roots (None: stamps are not checked), his memory."""

    trust: Trust
    roots: TsaRoots | None
    seen_of: SeenOf


class Head(NamedTuple):
    """A checkpoint that was read. `log` is its known key when that key has signed it, else None; `data` its bytes."""

    checkpoint: Checkpoint
    note: Note
    data: bytes
    log: VerifierKey | None
    has_quorum: bool


def told_at(at_ms: int) -> str:
    """A moment as text, in UTC; what no calendar holds, in milliseconds."""
    if not 0 <= at_ms <= FAR_MS:
        return f"{at_ms} ms"
    return f"{EPOCH + timedelta(milliseconds=at_ms):%Y-%m-%d %H:%M:%S} UTC"


def attempt(report: Report, step: str, work: Callable[[], T], *refusals: type[Exception]) -> T | None:
    """What `work` gives; a refusal of it becomes a bad step and None."""
    try:
        return work()
    except refusals as error:
        report.add(step, State.BAD, f"{_capital(str(error))}.")
        return None


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def add_policy(report: Report, trust: Trust, origin: str) -> VerifierKey | None:
    """Whether anything is believed about this log; its key."""
    if trust.policy is None:
        report.add("policy", State.UNKNOWN, trust.why)
        return None
    log = trust.policy.log_of(origin)
    if log is None:
        sentence = f"The policy knows no log {origin}: with these keys nothing can be said about it."
        report.add("policy", State.UNKNOWN, sentence)
        return None
    report.add("policy", State.GOOD, trusted_in_words(trust.policy, origin))
    if trust.policy.quorum == NONE:
        report.not_proven.append("That the log shows everybody the same: the policy asks for no witnesses.")
    return log.key


def judge_head(report: Report, data: bytes, given: Given) -> Head | None:
    """Policy, log's signature and witnesses of a signed checkpoint; None when it cannot be read."""
    read = attempt(report, "log", lambda: _read_head(data), NoteIsMalformed)
    if read is None:
        return None
    note, checkpoint = read
    report.facts |= {"log": checkpoint.origin, "entries": str(checkpoint.size)}
    key = add_policy(report, given.trust, checkpoint.origin)
    if key is None or given.trust.policy is None:
        report.add("log", State.UNKNOWN, "Not checked: no key for this log.")
        report.add("witnesses", State.UNKNOWN, "Not checked: no keys of witnesses for this log.")
        return Head(checkpoint, note, data, None, has_quorum=False)
    if attempt(report, "log", lambda: _signed(note, checkpoint, key), NoteIsNotSigned, NoteIsMalformed) is None:
        return Head(checkpoint, note, data, None, has_quorum=False)
    report.add("log", State.GOOD, f"{checkpoint.origin} has signed a tree of {checkpoint.size} entries.")
    has_quorum = _add_witnesses(report, note, given.trust.policy)
    return Head(checkpoint, note, data, key, has_quorum)


def _read_head(data: bytes) -> tuple[Note, Checkpoint]:
    note = read_note(data)
    return note, read_checkpoint(note.text)


def _signed(note: Note, checkpoint: Checkpoint, key: VerifierKey) -> bool:
    if not verified_signatures(note, (key,)):
        raise NoteIsNotSigned("the log has not signed this tree")
    if checkpoint.size == 0 and checkpoint.root != EMPTY_ROOT:
        raise NoteIsMalformed("the root of nothing is not that of the empty tree")
    return True


def _add_witnesses(report: Report, note: Note, policy: Policy) -> bool:
    labels = {witness.key: witness.name for witness in policy.witnesses}
    seen = attempt(report, "witnesses", lambda: verified_signatures(note, labels), NoteIsNotSigned)
    if seen is None:
        return False
    for one in seen:
        report.facts[f"witnessed by {labels[one.key]}"] = told_at((one.at_s or 0) * 1000)
    names = ", ".join(labels[one.key] for one in seen)
    if not policy.is_met_by({labels[one.key] for one in seen}):
        quorum = quorum_in_words(policy)
        report.add(
            "witnesses",
            State.BAD,
            f"Too few: {names} have cosigned, the policy wants {quorum}."
            if names
            else f"No witness of this policy has cosigned; the policy wants {quorum}.",
        )
        return False
    if policy.quorum == NONE and not names:
        report.add("witnesses", State.LEFT, "None asked for, none there.")
    else:
        report.add("witnesses", State.GOOD, f"Cosigned by {names}: enough for this policy.")
    return True


def add_seen(report: Report, head: Head, given: Given) -> None:
    """Compare a signed head with the one of its size that was seen before, and remember it."""
    seen = given.seen_of(head.log) if head.log is not None else None
    if seen is None:
        return
    before = seen.at(head.checkpoint.size)
    try:
        fork = seen.keep(head.checkpoint, head.data) if head.has_quorum or before is not None else ""
    except OSError as error:
        report.add("seen", State.LEFT, f"This head could not be remembered: {error.strerror}.")
        return
    if fork:
        report.add(
            "seen",
            State.BAD,
            f"The log has signed two different trees of {head.checkpoint.size} entries: a fork. Both are in "
            f"{seen.folder}; show them to others.",
        )
