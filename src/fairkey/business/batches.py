"""Codes deposited together: registered once, with source and Merkle root of their commitments, before any sale."""

from typing import assert_never

from msgspec import Struct
from msgspec.structs import replace

from . import quarantines
from .basics import Command, Event, NotFound, Refusal, require, require_text
from .quarantines import BatchQuarantined, LettingBackBriefing, Quarantine, places_in, ranges_of

SOURCES = ("issuer", "invoice", "typed")


class BatchRegistered(Event, frozen=True):
    """`count` codes are in the vault and on sale from now on. Each is proven by its place under `root`."""

    kind = "batch.registered"
    sealed = frozenset({"note"})
    listing_id: str
    count: int
    root: str
    source: str
    invoice_sha256: str
    custody: str
    note: str


class CodesWithdrawn(Event, frozen=True):
    """The merchant took `count` unsold codes of the batch off sale; they are his to export.

    `places` are their places under the batch's root, as ranges from 0: `0-4,7`. Naming them, the event means the same
    whatever others did at that moment.
    """

    kind = "batch.codes_withdrawn"
    listing_id: str
    count: int
    places: str


class BatchAttested(Event, frozen=True):
    """The issuer signed that he made and sold this list of at most `count` codes to this shop.

    `statement_sha256`: of the exact signed text. `in_scope`: he is registered for the listing's product.
    """

    kind = "batch.attested"
    sealed = frozenset({"statement", "signature"})
    issuer_id: str
    key_no: int
    count: int
    said_at_ms: int
    in_scope: bool
    statement_sha256: str
    statement: str
    signature: str


class IssuersWord(Struct, frozen=True, kw_only=True):
    """What an issuer signed about a list of codes; his signature was checked under key number `key_no`."""

    issuer_id: str
    key_no: int
    product: str
    count: int
    said_at_ms: int
    statement_sha256: str
    statement: str
    signature: str


BatchEvent = BatchRegistered | CodesWithdrawn | BatchAttested | quarantines.QuarantineEvent


class RegisterBatch(Command, frozen=True):
    """All codes of the batch lie checked and sealed in the vault: put them on sale."""

    batch_id: str
    listing_id: str
    count: int
    root: str
    source: str
    invoice_sha256: str = ""
    note: str = ""
    attested: IssuersWord | None = None


class WithdrawCodes(Command, frozen=True):
    """Take all unsold codes of the batch off sale for good, held ones too; `held_only`: only those that wait."""

    batch_id: str
    held_only: bool = False


class NoteExport(Command, frozen=True):
    """The shop is about to be shown its unsold codes in clear; they stay on sale."""

    batch_id: str


class QuarantineBatch(Command, frozen=True):
    """The house, once a ruling whose row asks for it is carried out: nothing of the batch is sold any more."""

    batch_id: str
    order_id: str
    row: str


class LookAtWords(Command, frozen=True):
    """The house: issuers have spoken about these codes of the batch, or its shop sells again."""

    batch_id: str
    code_ids: tuple[str, ...]


class AskBatchReview(Command, frozen=True):
    """A person shall let the codes back that a ruling took off sale, for these grounds."""

    batch_id: str
    grounds: str
    invoice_sha256: str = ""


class AnswerBatchReview(Command, frozen=True):
    """Operator: yes or no to the request that he has read, with the reason."""

    batch_id: str
    request_no: int
    granted: bool
    reason: str


class LapseBatchReview(Command, frozen=True):
    """Clock: nobody answered."""

    batch_id: str


BatchCommand = (
    RegisterBatch | WithdrawCodes | NoteExport | QuarantineBatch | LookAtWords | AskBatchReview | AnswerBatchReview
    | LapseBatchReview
)  # fmt: skip


class BatchIsRegistered(Refusal):
    """A batch is registered once."""


class BatchIsEmpty(Refusal):
    """No line of the import was accepted."""


class AttestationDoesNotFit(Refusal):
    """The issuer signed something else than what is deposited, or may not sign. Details: what."""


class NothingIsUnsold(Refusal):
    """Every code of the batch was sold or withdrawn before."""


class StagedBriefing(Struct, frozen=True, kw_only=True):
    """What lies in the vault for this batch, and the listing it is for."""

    staged: int
    listing_exists: bool
    product: str = ""  # of the listing
    issuer_is_active: bool = False
    issuer_takes_key: bool = False
    issuer_in_scope: bool = False


class UnsoldBriefing(Struct, frozen=True, kw_only=True):
    """Places under the batch's root of its free codes, rising; they are locked for this decision."""

    unsold: tuple[int, ...]


class Batch(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One batch."""

    listing_id: str = ""
    count: int = 0
    root: str = ""
    source: str = ""
    note: str = ""
    registered_at_ms: int = 0
    withdrawn: int = 0
    attested_by: str = ""
    attested_count: int = 0
    quarantined_at_ms: int = 0
    quarantined_for: str = ""  # the order of the ruling
    quarantined_row: str = ""
    quarantine: Quarantine = Quarantine()

    def is_off_sale(self, place: int) -> bool:
        """Whether a sealed code of this place that comes back from an order goes to no shelf."""
        if not (self.withdrawn or self.quarantined_at_ms):
            return False
        return place not in places_in(self.quarantine.back)


INITIAL = Batch()


def decide(
    command: BatchCommand,
    batch: Batch,
    brief: StagedBriefing | UnsoldBriefing | LettingBackBriefing | None,
    at_ms: int,
) -> list[Event]:
    """What follows from `command` for this batch, or a `Refusal`."""
    match command:
        case RegisterBatch():
            assert isinstance(brief, StagedBriefing)
            if batch.registered_at_ms:
                raise BatchIsRegistered
            if not brief.listing_exists:
                raise NotFound(what="listing")
            require(command.source in SOURCES, "source", "unknown")
            require_text(command.note, "note", 500)
            if command.count == 0:
                raise BatchIsEmpty
            require(command.count == brief.staged, "count", "not_what_lies_in_the_vault")
            registered = BatchRegistered(
                listing_id=command.listing_id,
                count=command.count,
                root=command.root,
                source=command.source,
                invoice_sha256=command.invoice_sha256,
                custody="C1",
                note=command.note,
            )
            return [registered, *_attested(command, brief)]
        case WithdrawCodes():
            assert isinstance(brief, UnsoldBriefing)
            return _withdraw(command, batch, brief)
        case NoteExport():
            assert isinstance(brief, UnsoldBriefing)
            _require_registered(batch)
            return quarantines.exported(batch.quarantine, brief.unsold)
        case QuarantineBatch():
            assert isinstance(brief, UnsoldBriefing)
            known = (*batch.quarantine.earlier, batch.quarantined_for)
            if not batch.registered_at_ms or command.order_id in known:
                return []
            doubted = BatchQuarantined(order_id=command.order_id, row=command.row)
            return [doubted, *quarantines.held(batch.listing_id, brief.unsold)]
        case LookAtWords() | AskBatchReview() | AnswerBatchReview():
            assert isinstance(brief, LettingBackBriefing)
            _require_registered(batch)
            return _let_back(command, batch, brief, at_ms)
        case LapseBatchReview():
            return quarantines.review_lapsed(batch.quarantine, at_ms)
        case _:
            assert_never(command)


def _require_registered(batch: Batch) -> None:
    if not batch.registered_at_ms:
        raise NotFound(what="batch")


def _withdraw(command: WithdrawCodes, batch: Batch, brief: UnsoldBriefing) -> list[Event]:
    _require_registered(batch)
    taken: list[Event] = []
    if brief.unsold and not command.held_only:
        places = ranges_of(brief.unsold)
        taken.append(CodesWithdrawn(listing_id=batch.listing_id, count=len(brief.unsold), places=places))
    taken += quarantines.held_withdrawn(batch.quarantine, batch.listing_id)
    if not taken:
        raise NothingIsUnsold
    return taken


def _let_back(
    command: LookAtWords | AskBatchReview | AnswerBatchReview, batch: Batch, brief: LettingBackBriefing, at_ms: int
) -> list[Event]:
    match command:
        case LookAtWords():
            return quarantines.looked_at(batch.quarantine, batch.listing_id, batch.quarantined_at_ms, brief)
        case AskBatchReview():
            return quarantines.review_asked(batch.quarantine, command.grounds, command.invoice_sha256, brief, at_ms)
        case AnswerBatchReview():
            answer = quarantines.BatchReviewAnswered(
                request_no=command.request_no, granted=command.granted, reason=command.reason
            )
            return quarantines.review_answered(batch.quarantine, batch.listing_id, answer, brief, at_ms)


def _attested(command: RegisterBatch, brief: StagedBriefing) -> list[BatchAttested]:
    word = command.attested
    if word is None:
        return []
    for fits, what in (
        (command.source == "issuer", "source"),
        (brief.issuer_is_active, "issuer"),
        (brief.issuer_takes_key, "key"),
        (word.product.strip().casefold() == brief.product.strip().casefold(), "product"),
        (command.count <= word.count, "count"),
    ):
        if not fits:
            raise AttestationDoesNotFit(what=what)
    return [
        BatchAttested(
            issuer_id=word.issuer_id,
            key_no=word.key_no,
            count=word.count,
            said_at_ms=word.said_at_ms,
            in_scope=brief.issuer_in_scope,
            statement_sha256=word.statement_sha256,
            statement=word.statement,
            signature=word.signature,
        )
    ]


def evolve(batch: Batch, event: BatchEvent, at_ms: int) -> Batch:
    """The batch after `event`."""
    match event:
        case BatchRegistered():
            return Batch(
                listing_id=event.listing_id,
                count=event.count,
                root=event.root,
                source=event.source,
                note=event.note,
                registered_at_ms=at_ms,
            )
        case CodesWithdrawn():
            # Nothing of the batch is sold from now on, also not what came back and returns from an order later.
            return replace(
                batch, withdrawn=batch.withdrawn + event.count, quarantine=replace(batch.quarantine, back="")
            )
        case BatchAttested():
            return replace(batch, attested_by=event.issuer_id, attested_count=event.count)
        case BatchQuarantined():
            standing = quarantines.after(batch.quarantine, event, at_ms, before=batch.quarantined_for)
            return replace(
                batch,
                quarantined_at_ms=at_ms,
                quarantined_for=event.order_id,
                quarantined_row=event.row,
                quarantine=standing,
            )
        case _:
            taken = event.count if isinstance(event, quarantines.HeldCodesWithdrawn) else 0
            standing = quarantines.after(batch.quarantine, event, at_ms, before="")
            return replace(batch, withdrawn=batch.withdrawn + taken, quarantine=standing)
