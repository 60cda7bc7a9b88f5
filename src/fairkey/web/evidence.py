"""Evidence on the pages of both sides: the list, the form, the guided recording, files to download."""

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from litestar import Response
from litestar.response import Redirect, Stream

from fairkey.business.askers import Asker
from fairkey.business.basics import DAY_MS, SECOND_MS, NotFound, Refusal
from fairkey.business.briefings import dispute_of
from fairkey.business.evidence import (
    DOUBT_WITHIN_MS,
    FILES_MAX,
    GIVE_RECORDING_WITHIN_MS,
    MEANINGS,
    NOTE_MAX,
    ConfirmEvidence,
    DoubtEvidence,
    Party,
    Piece,
    Rank,
    Recording,
    StopRecording,
    WithdrawEvidence,
)
from fairkey.engine import evidencing
from fairkey.engine.answers import Answer
from fairkey.engine.evidence_port import Kept
from fairkey.engine.evidencing import EvidenceFileIsRefused, EvidenceLine, Said
from fairkey.engine.house import House
from fairkey.engine.vault_port import ImportBrokeOff, ImportIsTooLarge
from fairkey.read_tables.order_book import Fact, OrderRecord
from fairkey.web.formats import SHANGHAI
from fairkey.web.frame import AnyRequest
from fairkey.web.i18n import marked as _
from fairkey.web.uploads import Upload

ENDINGS: Final[Mapping[str, str]] = {
    "image/png": "png", "image/jpeg": "jpg", "image/gif": "gif", "image/webp": "webp", "application/pdf": "pdf",
    "video/mp4": "mp4", "video/quicktime": "mov", "video/webm": "webm", "video/x-matroska": "mkv",
    "message/rfc822": "eml", "text/plain": "txt",
}  # fmt: skip
PIECES: Final[Mapping[Piece, str]] = {
    Piece.RECORDING: _("Guided recording"),
    Piece.SCREEN: _("Screenshot or screen video"),
    Piece.ISSUER_MAIL: _("Letter of the issuer (.eml or PDF)"),
    Piece.INVOICE: _("Purchase invoice"),
    Piece.STATUS_CHECK: _("Check of the state before the deposit"),
    Piece.OTHER: _("Something else"),
}
ADDS: Final[Mapping[Rank, str]] = {
    Rank.RECORDING: _("Decides, with no word of the issuer: begun before the opening, unbroken, its nonce on screen."),
    Rank.PROVENANCE: _("Invoice and check together answer a recording; alone neither does."),
    Rank.CORROBORATING: _("Corroborates. It helps people to understand and decides no row of the standard."),
}
SHOWS: Final[Mapping[str, str]] = {
    "already_used": _("the code was used before"),
    "not_valid": _("the code is not valid"),
    "wrong_region": _("the region is wrong"),
}
OFFERED: Final[Mapping[Party, Sequence[Piece]]] = {
    Party.BUYER: (Piece.SCREEN, Piece.ISSUER_MAIL, Piece.OTHER),
    Party.SHOP: (Piece.INVOICE, Piece.STATUS_CHECK, Piece.SCREEN, Piece.ISSUER_MAIL, Piece.OTHER),
}
ACCEPTED: Final = ".png,.jpg,.jpeg,.gif,.webp,.pdf,.txt,.eml,.mp4,.mov,.webm,.mkv"
OWN: Final[Mapping[str, str]] = {
    "order.paid": _("Paid, money held"),
    "order.delivered": _("Delivered into the buyer’s box"),
    "code.revealed": _("Codes opened"),
    "dispute.opened": _("Complaint opened"),
    "evidence.recording_started": _("Guided recording began"),
    "evidence.recording_stopped": _("Guided recording ended"),
}
"""Facts of the log that are evidence by themselves."""
_CLOCK: Final = re.compile(r"(\d{1,2}):([0-5]\d)")
SAFE: Final = {
    "cache-control": "private, no-store",
    "x-content-type-options": "nosniff",
    "content-security-policy": "sandbox; default-src 'none'",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceView:
    """What the pages show. `waiting`: a recording that is stopped and whose file may still come."""

    lines: Sequence[EvidenceLine]
    mine: Party | None
    path: str
    now_ms: int
    takes: bool
    left: int
    pieces: Sequence[tuple[str, str]]
    running: Recording | None
    waiting: Recording | None
    may_record: bool
    alike: Mapping[str, int]
    meanings: Sequence[tuple[str, str]] = tuple((one, SHOWS[one]) for one in MEANINGS)
    note_max: int = NOTE_MAX
    accepted: str = ACCEPTED

    def piece_word(self, line: EvidenceLine) -> str:
        """What it is, as a message id."""
        return PIECES[line.item.piece]

    def adds(self, line: EvidenceLine) -> str:
        """What it adds, as a message id."""
        return ADDS[line.item.rank]

    def shows_word(self, line: EvidenceLine) -> str:
        """What a recording is said to show, as a message id."""
        return SHOWS[line.item.shows]

    def moment_s(self, line: EvidenceLine) -> int:
        """Seconds from the start of a recording to the moment at which the code was submitted."""
        return line.moment_in_ms // SECOND_MS

    def has_preview(self, line: EvidenceLine) -> bool:
        """Whether there may be a picture of it."""
        return line.item.media_type.partition("/")[0] in {"image", "video"}

    def may_answer(self, line: EvidenceLine) -> bool:
        """Whether this side may doubt or confirm it now."""
        item = line.item
        fresh = self.now_ms < item.at_ms + DOUBT_WITHIN_MS and not item.doubted_at_ms and not item.confirmed_at_ms
        others = item.by is not self.mine and item.rank is not Rank.CORROBORATING
        return self.takes and self.mine is not None and fresh and others and not item.withdrawn

    def doubt_until_ms(self, line: EvidenceLine) -> int:
        """Until when the other side may."""
        return line.item.at_ms + DOUBT_WITHIN_MS


def view_of_evidence(
    house: House, record: OrderRecord, facts: Sequence[Fact], mine: Party | None, path: str, alike: Mapping[str, int]
) -> EvidenceView:
    """The evidence of an order; `facts` with sealed fields opened, `path` the address of its page."""
    now_ms = house.now_ms()
    evidence, brief = record.file.evidence, dispute_of(record.file)
    last = evidence.recordings[-1] if evidence.recordings else None
    waits = last and last.stopped_at_ms and not last.evidence_id
    return EvidenceView(
        lines=evidencing.lines_of(record, facts, now_ms),
        mine=mine,
        path=path,
        now_ms=now_ms,
        takes=brief.takes,
        left=FILES_MAX - len([one for one in evidence.items if one.by is mine]),
        pieces=[(one.value, PIECES[one]) for one in (OFFERED[mine] if mine else ())],
        running=evidence.running(now_ms) if mine is Party.BUYER else None,
        waiting=last
        if last and waits and mine is Party.BUYER and now_ms <= last.stopped_at_ms + GIVE_RECORDING_WITHIN_MS
        else None,
        may_record=mine is Party.BUYER and brief.may_open and bool(brief.sealed_codes),
        alike=alike,
    )


def own_lines(facts: Sequence[Fact]) -> list[tuple[int, str, int]]:
    """(version, message id, moment) of what the log itself says."""
    return [(fact.version, OWN[fact.kind], fact.at_ms) for fact in facts if fact.kind in OWN]


def codes_of(record: OrderRecord) -> list[str]:
    """Codes about which issuers may have said something."""
    return [one.code_id for one in record.file.codes.held]


async def take(request: AnyRequest, house: House, record: OrderRecord, by: Party) -> Answer:
    """Read a posted form with a file at its end. Raises what `evidencing.give` raises."""
    upload = Upload(request)
    try:
        if not await upload.up_to_file("file"):
            raise EvidenceFileIsRefused(why="empty")
        chunks = upload.rest_of_file()
        said = _said(upload.fields, upload.file_names.get("file", ""), record, by)
        answer = await evidencing.give(house, record, said, chunks)
    except ImportBrokeOff as error:
        raise EvidenceFileIsRefused(why="broke_off") from error
    except ImportIsTooLarge as error:
        raise EvidenceFileIsRefused(why="too_large") from error
    except Refusal:
        await upload.drain()
        raise
    await upload.drain()
    return answer


def _said(fields: Mapping[str, str], name: str, record: OrderRecord, by: Party) -> Said:
    chosen = fields.get("piece", "")
    piece = Piece(chosen) if chosen in {one.value for one in Piece} else Piece.OTHER
    number = fields.get("recording_no", "")
    recording_no = int(number) if number.isascii() and number.isdigit() and len(number) == 1 else 0
    moment_ms = 0
    if piece is Piece.RECORDING:
        recording = next((one for one in record.file.evidence.recordings if one.recording_no == recording_no), None)
        clock = _CLOCK.fullmatch(fields.get("at", "").strip())
        if recording and clock:
            moment_ms = recording.started_at_ms + (int(clock[1]) * 60 + int(clock[2])) * SECOND_MS
    elif piece is Piece.STATUS_CHECK:
        moment_ms = _day_ms(fields.get("day", ""))
    return Said(
        by=by,
        piece=piece,
        name=name,
        note=fields.get("note", ""),
        recording_no=recording_no,
        shows=fields.get("shows", ""),
        moment_ms=moment_ms,
    )


def _day_ms(text: str) -> int:
    """The last moment of that day in Shanghai: a check of a day is not said to be older than it is."""
    try:
        day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=SHANGHAI)
    except ValueError:
        return 0
    return int(day.astimezone(UTC).timestamp()) * SECOND_MS + DAY_MS - 1


async def act_on(house: House, record: OrderRecord, by: Party, evidence_id: str, act: str, text: str) -> Answer:
    """Withdraw one's own, doubt or confirm the other side's. Raises `NotFound` for any other act."""
    where = {"shop_id": record.shop_id, "order_id": record.order_id, "evidence_id": evidence_id}
    match act:
        case "withdraw":
            return await house.ask(evidencing.ASKERS[by], WithdrawEvidence(**where, by=by))
        case "doubt":
            return await house.ask(evidencing.ASKERS[by], DoubtEvidence(**where, by=by, text=text))
        case "confirm":
            return await house.ask(evidencing.ASKERS[by], ConfirmEvidence(**where, by=by))
        case _:
            raise NotFound(what="evidence")


async def record_or_stop(house: House, record: OrderRecord, act: str) -> Answer:
    """Begin or end a guided recording."""
    if act == "start":
        return await house.ask(Asker.BUYER, evidencing.start_recording(record))
    if act == "stop":
        return await house.ask(Asker.BUYER, StopRecording(shop_id=record.shop_id, order_id=record.order_id))
    raise NotFound(what="recording")


async def download(house: House, record: OrderRecord, evidence_id: str) -> Stream:
    """The original, never shown by the browser, under a name of ours."""
    kept, pieces = await evidencing.original(house, record, evidence_id)
    return streamed(kept, pieces, evidence_id)


def streamed(kept: Kept, pieces: AsyncIterator[bytes], base: str) -> Stream:
    """A file of evidence to keep, never shown by the browser; `base`: its name without the ending."""
    name = f"{base}.{ENDINGS[kept.media.media_type]}"
    return Stream(
        pieces,
        media_type="application/octet-stream",
        headers={
            **SAFE,
            "content-disposition": f'attachment; filename="{name}"',
            "content-length": str(kept.size_bytes),
        },
    )


async def picture(house: House, record: OrderRecord, evidence_id: str) -> Response[bytes]:
    """The preview."""
    return Response(await evidencing.preview(house, record, evidence_id), media_type="image/jpeg", headers=SAFE)


def done(path: str) -> Redirect:
    """Back to the list."""
    return Redirect(path, status_code=303)
