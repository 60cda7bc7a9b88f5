"""Giving evidence, reading it back, and what it states before the standard."""

import logging
import secrets
from collections.abc import AsyncIterable, AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Final

from fairkey.business.askers import Asker
from fairkey.business.basics import DAY_MS, NotFound, Refusal
from fairkey.business.briefings import dispute_of
from fairkey.business.complaints import ANSWER_WITHIN_MS
from fairkey.business.evidence import (
    NAME_MAX,
    NONCE_LENGTH,
    NONCE_SIGNS,
    AddEvidence,
    EvidenceAdded,
    Item,
    Party,
    Piece,
    Rank,
    StartRecording,
    require_recording,
    require_room,
    stands,
)
from fairkey.business.standard.truth import Statement, Value
from fairkey.read_tables.order_book import Fact, OrderRecord

from .answers import Answer, StoreIsAway
from .evidence_port import EvidenceIsChanged, EvidenceIsGone, EvidenceRow, EvidenceStoreFailed, FileIsRefused, Kept
from .house import House

logger = logging.getLogger(__name__)

_SIGNS: Final = "".join(sorted(NONCE_SIGNS))
ASKERS: Final = {Party.BUYER: Asker.BUYER, Party.SHOP: Asker.MERCHANT}


class EvidenceFileIsRefused(Refusal):
    """The file was not taken and nothing of it was kept. Details: why (`evidence_port.WhyRefused`, or `broke_off`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What is said about a file by who gives it."""

    by: Party
    piece: Piece
    name: str = ""
    note: str = ""
    recording_no: int = 0
    shows: str = ""
    moment_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceLine:
    """One piece of evidence as the parties see it; `version` names its fact; `stands`: as `evidence.stands`."""

    item: Item
    name: str
    note: str
    doubt: str
    version: int
    nonce: str
    recorded_ms: int
    moment_in_ms: int
    stands: bool


async def give(
    house: House, record: OrderRecord, said: Said, chunks: AsyncIterable[bytes], claimed_type: str = ""
) -> Answer:
    """Keep a file and tell its fact. What would be refused afterwards is refused before the file is read.

    Raises `EvidenceFileIsRefused`, `StoreIsAway`, and the refusals of `business.evidence` that need no file.
    """
    file = record.file
    require_room(file.evidence, dispute_of(file), said.by)
    if said.piece is Piece.RECORDING:
        require_recording(file.evidence, said.recording_no, said.moment_ms, said.shows, house.now_ms())
    store, rows = house.evidence.store, house.evidence.rows
    try:
        kept = await store.keep(chunks, claimed_type)
    except FileIsRefused as error:
        raise EvidenceFileIsRefused(why=error.why.value) from error
    except EOFError as error:
        raise EvidenceFileIsRefused(why="broke_off") from error
    except EvidenceStoreFailed as error:
        raise StoreIsAway(str(error)) from error
    row = EvidenceRow(shop_id=record.shop_id, order_id=record.order_id, evidence_id=house.new_id())
    try:
        look = await house.evidence.looks.look(store.read(kept), kept)
    except FileIsRefused as error:
        await store.remove(kept.address)
        raise EvidenceFileIsRefused(why=error.why.value) from error
    except (EvidenceStoreFailed, EvidenceIsGone, EvidenceIsChanged) as error:
        raise StoreIsAway(str(error)) from error
    await rows.note(row, kept, look)
    answer = await house.ask(ASKERS[said.by], _command(row, kept, said))
    if answer.refusal:  # else, when nobody knows whether it became a fact, tidying finds out
        await rows.forget(kept.address)
        await store.remove(kept.address)
    return answer


def _command(row: EvidenceRow, kept: Kept, said: Said) -> AddEvidence:
    return AddEvidence(
        shop_id=row.shop_id,
        order_id=row.order_id,
        evidence_id=row.evidence_id,
        by=said.by,
        piece=said.piece,
        sha256=kept.sha256.hex(),
        media_type=kept.media.media_type,
        size_bytes=kept.size_bytes,
        name=printable(said.name)[:NAME_MAX],
        note=said.note,
        address=kept.address,
        file_key=kept.key.hex(),
        recording_no=said.recording_no,
        shows=said.shows,
        moment_ms=said.moment_ms,
    )


def printable(name: str) -> str:
    """A file's name without folders and without what cannot be shown."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join(sign for sign in last if sign.isprintable()).strip()


async def original(house: House, record: OrderRecord, evidence_id: str) -> tuple[Kept, AsyncIterator[bytes]]:
    """A file's bytes; the first piece is authentic before this returns. Raises `NotFound`, `StoreIsAway`."""
    item = record.file.evidence.item(evidence_id)
    kept = await house.evidence.rows.kept(_row(record, item)) if item else None
    if kept is None:
        raise NotFound(what="evidence")
    pieces = house.evidence.store.read(kept)
    try:
        first = await anext(pieces)
    except EvidenceIsGone as error:
        raise NotFound(what="evidence") from error
    except (EvidenceStoreFailed, EvidenceIsChanged) as error:
        raise StoreIsAway(str(error)) from error
    return kept, _from(first, pieces)


async def _from(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in rest:
        yield piece


async def preview(house: House, record: OrderRecord, evidence_id: str) -> bytes:
    """A picture made anew, JPEG. Raises `NotFound` where there is none."""
    item = record.file.evidence.item(evidence_id)
    made = await house.evidence.rows.preview(_row(record, item)) if item else b""
    if not made:
        raise NotFound(what="evidence")
    return made


async def alike(house: House, record: OrderRecord) -> dict[str, int]:
    """For each file that looks like one of other orders, of how many: a hint for people, never a reason."""
    found = {one.evidence_id: await house.evidence.rows.alike(_row(record, one)) for one in record.file.evidence.items}
    return {evidence_id: count for evidence_id, count in found.items() if count}


def start_recording(record: OrderRecord) -> StartRecording:
    """The command that begins a recording, with a nonce that nobody could know."""
    nonce = "".join(secrets.choice(_SIGNS) for _ in range(NONCE_LENGTH))
    return StartRecording(shop_id=record.shop_id, order_id=record.order_id, nonce=nonce)


def lines_of(record: OrderRecord, facts: Sequence[Fact], now_ms: int) -> list[EvidenceLine]:
    """All evidence of an order, oldest first; `facts` with sealed fields opened."""
    evidence = record.file.evidence
    added = {str(one.public["evidence_id"]): one for one in facts if one.kind == EvidenceAdded.kind}
    doubts = {
        str(one.public["evidence_id"]): one.sealed.get("text", "")
        for one in facts
        if one.kind == "dispute.evidence_doubted"
    }
    recordings = {one.recording_no: one for one in evidence.recordings}
    lines = []
    for item in evidence.items:
        fact = added.get(item.evidence_id)
        recording = recordings.get(item.recording_no)
        lines.append(
            EvidenceLine(
                item=item,
                name=fact.sealed.get("name", "") if fact else "",
                note=fact.sealed.get("note", "") if fact else "",
                doubt=doubts.get(item.evidence_id, ""),
                version=fact.version if fact else 0,
                nonce=recording.nonce if recording else "",
                recorded_ms=recording.stopped_at_ms - recording.started_at_ms if recording else 0,
                moment_in_ms=item.moment_ms - recording.started_at_ms if recording else 0,
                stands=stands(item, record.file.complaint.answered_at_ms, now_ms),
            )
        )
    return lines


def statements_of(
    record: OrderRecord, facts: Sequence[Fact], revealed_at_ms: int, deposited_at_ms: int, now_ms: int
) -> list[Statement]:
    """What the parties' evidence states about one code.

    `revealed_at_ms` 0: still sealed. `deposited_at_ms`: when its batch came into the vault (0: typed by hand). A
    recording speaks of the codes that were opened in it; provenance is an invoice and a check of the state before the
    deposit, both. Screenshots and letters (E5) state nothing.
    """
    lines = lines_of(record, facts, now_ms)
    own = _provenance(lines, deposited_at_ms)
    return [*_recorded(record, lines, revealed_at_ms), *(own or _none_given(record, lines, now_ms))]


def _recorded(record: OrderRecord, lines: Sequence[EvidenceLine], revealed_at_ms: int) -> list[Statement]:
    recordings = {one.recording_no: one for one in record.file.evidence.recordings}
    for line in lines:
        item = line.item
        recording = recordings.get(item.recording_no)
        if item.piece is not Piece.RECORDING or item.withdrawn or recording is None:
            continue
        if not recording.started_at_ms <= revealed_at_ms <= item.moment_ms:
            continue
        told: dict[str, Value] = {
            "recording_started_at_ms": recording.started_at_ms,
            "recording_ended_at_ms": recording.stopped_at_ms,
        }
        if line.stands:
            told |= {
                "recording_nonce_shown": True,
                "recording_unbroken": True,
                "recording_submitted_at_ms": item.moment_ms,
                "error_means": item.shows,
            }
        return [Statement(fact=fact, value=value, rank="E3", source=f"v{line.version}") for fact, value in told.items()]
    return []


def _provenance(lines: Sequence[EvidenceLine], deposited_at_ms: int) -> list[Statement]:
    own = [one for one in lines if one.item.by is Party.SHOP and not one.item.withdrawn and not one.item.doubted_at_ms]
    invoices = [one for one in own if one.item.piece is Piece.INVOICE]
    checks = [one for one in own if one.item.piece is Piece.STATUS_CHECK and 0 < one.item.moment_ms <= deposited_at_ms]
    if not invoices or not checks:
        return []
    invoice, check = (min(many, key=lambda one: one.item.at_ms) for many in (invoices, checks))
    later = max(invoice, check, key=lambda one: one.item.at_ms)
    return [Statement(fact="provenance_at_ms", value=later.item.at_ms, rank="E4", source=f"v{later.version}")]


def _none_given(record: OrderRecord, lines: Sequence[EvidenceLine], now_ms: int) -> list[Statement]:
    """That the shop's time to give provenance is over, and that it gave nothing of the kind. Half of it, or what was
    doubted, states nothing: people look at that.
    """
    since_ms = record.file.complaint.opened_at_ms
    tried = any(one.item.by is Party.SHOP and one.item.rank is Rank.PROVENANCE for one in lines)
    if not since_ms or now_ms < since_ms + ANSWER_WITHIN_MS or tried:
        return []
    return [Statement(fact="provenance_at_ms", value=0, rank="E4")]


async def tidy(house: House) -> int:
    """Take away what uploads left that never became facts, and what was erased; how many. A store that is away is
    asked again the next time.
    """
    older_than_ms = house.now_ms() - DAY_MS  # longer than any upload and its fact take
    rows = house.evidence.rows
    try:
        removed = await house.evidence.store.tidy(rows.known, older_than_ms)
    except EvidenceStoreFailed:
        logger.warning("the evidence store could not be tidied now")
        return 0
    await rows.forget_unknown(older_than_ms)
    return removed


def _row(record: OrderRecord, item: Item) -> EvidenceRow:
    return EvidenceRow(shop_id=record.shop_id, order_id=record.order_id, evidence_id=item.evidence_id)
