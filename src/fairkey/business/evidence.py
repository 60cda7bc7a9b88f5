"""Evidence that the parties of an order give: files by their hashes, guided recordings, and what the other side doubts.

The bytes lie in the evidence store; here is what is said about them. What a machine cannot see in a recording (is the
nonce on the screen, was it cut?) the other side may doubt; what it does not doubt in its time stands, and an answer to
the complaint without a doubt lets it stand at once.
"""

from enum import StrEnum
from typing import Final, assert_never

from msgspec import Struct
from msgspec.structs import replace

from .basics import HOUR_MS, MINUTE_MS, Command, Event, NotFound, Refusal, require, require_text

FILES_MAX: Final = 12  # of one side, those it withdrew too
BYTES_MAX: Final = 1024 * 1024 * 1024  # of one side
NAME_MAX: Final = 120
NOTE_MAX: Final = 1_000
RECORDINGS_MAX: Final = 3
RECORDING_MS: Final = 30 * MINUTE_MS
GIVE_RECORDING_WITHIN_MS: Final = 24 * HOUR_MS
DOUBT_WITHIN_MS: Final = 48 * HOUR_MS
NONCE_SIGNS: Final = frozenset("23456789ABCDEFGHJKMNPQRSTVWXYZ")
NONCE_LENGTH: Final = 8
_HEX: Final = frozenset("0123456789abcdef")
_SHA256_CHARS: Final = 64


class Party(StrEnum):
    """Whose evidence it is."""

    BUYER = "buyer"
    SHOP = "shop"


class Piece(StrEnum):
    """What a file is meant to show."""

    RECORDING = "recording"
    SCREEN = "screen"
    ISSUER_MAIL = "issuer_mail"
    INVOICE = "invoice"
    STATUS_CHECK = "status_check"
    OTHER = "other"


MEANINGS: Final = ("already_used", "not_valid", "wrong_region")
"""What an error on a recording can be said to mean, in the words of the standard's `error_means`."""


class Rank(StrEnum):
    """What kind of evidence a file is, in the words of the standard."""

    RECORDING = "E3"
    PROVENANCE = "E4"
    CORROBORATING = "E5"


class EvidenceAdded(Event, frozen=True):
    """A file was given. `sha256`: of the file, hex.

    `recording_no`: the guided recording it is (0: none), with what its error means (`shows`) and when the code was
    submitted in it (`moment_ms`). Of a status check `moment_ms` says when it was made. `address` and `file_key` lead
    to the bytes: without them nobody reads the file again.
    """

    kind = "dispute.evidence_added"
    sealed = frozenset({"name", "note", "address", "file_key"})
    evidence_id: str
    rank: Rank
    piece: Piece
    by: Party
    sha256: str
    media_type: str
    size_bytes: int
    recording_no: int
    shows: str
    moment_ms: int
    name: str
    note: str
    address: str
    file_key: str


class EvidenceWithdrawn(Event, frozen=True):
    """Who gave it relies on it no more; it stays readable."""

    kind = "dispute.evidence_withdrawn"
    evidence_id: str
    by: Party


class EvidenceDoubted(Event, frozen=True):
    """The other side says that it does not show what it is said to show."""

    kind = "dispute.evidence_doubted"
    sealed = frozenset({"text"})
    evidence_id: str
    by: Party
    text: str


class EvidenceConfirmed(Event, frozen=True):
    """The other side looked at it and lets it stand."""

    kind = "dispute.evidence_confirmed"
    evidence_id: str
    by: Party


class RecordingStarted(Event, frozen=True):
    """From now on, and with this nonce on the screen, until `until_ms`."""

    kind = "evidence.recording_started"
    recording_no: int
    nonce: str
    until_ms: int


class RecordingStopped(Event, frozen=True):
    """It is over; its file may come until `give_by_ms`."""

    kind = "evidence.recording_stopped"
    recording_no: int
    give_by_ms: int


EvidenceEvent = (
    EvidenceAdded | EvidenceWithdrawn | EvidenceDoubted | EvidenceConfirmed | RecordingStarted | RecordingStopped
)


class AddEvidence(Command, frozen=True):
    """Buyer or merchant: a file that lies in the store."""

    order_id: str
    evidence_id: str
    by: Party
    piece: Piece
    sha256: str
    media_type: str
    size_bytes: int
    name: str
    address: str
    file_key: str
    note: str = ""
    recording_no: int = 0
    shows: str = ""
    moment_ms: int = 0


class WithdrawEvidence(Command, frozen=True):
    """Buyer or merchant: one's own."""

    order_id: str
    evidence_id: str
    by: Party


class DoubtEvidence(Command, frozen=True):
    """Buyer or merchant: the other side's recording or provenance."""

    order_id: str
    evidence_id: str
    by: Party
    text: str


class ConfirmEvidence(Command, frozen=True):
    """Buyer or merchant: the other side's recording or provenance stands."""

    order_id: str
    evidence_id: str
    by: Party


class StartRecording(Command, frozen=True):
    """Buyer: a recording begins; the house drew the nonce."""

    order_id: str
    nonce: str


class StopRecording(Command, frozen=True):
    """Buyer: it has ended."""

    order_id: str


EvidenceCommand = AddEvidence | WithdrawEvidence | DoubtEvidence | ConfirmEvidence | StartRecording | StopRecording


class EvidenceIsNotTakenNow(Refusal):
    """Only while one can complain, and while a complaint is open. Details: stage."""


class TooMuchEvidence(Refusal):
    """A side has given all that it may. Details: what (`files` or `bytes`), limit."""


class EvidenceIsThere(Refusal):
    """The same file was given before by the same side. Details: evidence_id."""


class EvidenceIsWithdrawn(Refusal):
    """It counts no more; nothing is left to say about it. Details: evidence_id."""


class NothingToDoubt(Refusal):
    """Only recordings and provenance of the other side, within 48 hours and once. Details: evidence_id."""


class RecordingIsNotPossible(Refusal):
    """Details: why (`nothing_sealed`, `running`, `too_many`)."""


class RecordingDoesNotFit(Refusal):
    """The file is not that of a finished recording. Details: why (`none`, `not_stopped`, `late`, `given`, `moment`,
    `no_video`).
    """


class DisputeBriefing(Struct, frozen=True, kw_only=True):
    """What evidence must be told about the order. `takes`: within the time for complaints, or a complaint is open."""

    stage: str
    takes: bool
    may_open: bool
    sealed_codes: int


class Item(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One file as it stands."""

    evidence_id: str
    by: Party
    rank: Rank
    piece: Piece
    sha256: str
    size_bytes: int
    media_type: str
    at_ms: int
    recording_no: int = 0
    shows: str = ""
    moment_ms: int = 0
    withdrawn: bool = False
    doubted_at_ms: int = 0
    confirmed_at_ms: int = 0


class Recording(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One guided recording, by the log's times."""

    recording_no: int
    nonce: str
    started_at_ms: int
    until_ms: int
    stopped_at_ms: int = 0
    evidence_id: str = ""


class Evidence(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All evidence about one order."""

    items: tuple[Item, ...] = ()
    recordings: tuple[Recording, ...] = ()

    def item(self, evidence_id: str) -> Item | None:
        """One of them."""
        return next((one for one in self.items if one.evidence_id == evidence_id), None)

    def running(self, at_ms: int) -> Recording | None:
        """The recording that runs now."""
        last = self.recordings[-1] if self.recordings else None
        return last if last and not last.stopped_at_ms and at_ms < last.until_ms else None


INITIAL = Evidence()


def decide(command: EvidenceCommand, evidence: Evidence, brief: DisputeBriefing | None, at_ms: int) -> list[Event]:
    """What follows from `command`, or a `Refusal`."""
    assert brief is not None
    match command:
        case AddEvidence():
            return [_add(command, evidence, brief, at_ms)]
        case WithdrawEvidence():
            item = _found(evidence, command.evidence_id)
            if item.by is not command.by:
                raise NotFound(what="evidence")
            _require_taking(brief)
            return [] if item.withdrawn else [EvidenceWithdrawn(evidence_id=item.evidence_id, by=command.by)]
        case DoubtEvidence():
            require_text(command.text.strip(), "text", NOTE_MAX, 5)
            item = _answerable(evidence, command.evidence_id, command.by, brief, at_ms)
            return [EvidenceDoubted(evidence_id=item.evidence_id, by=command.by, text=command.text.strip())]
        case ConfirmEvidence():
            item = _answerable(evidence, command.evidence_id, command.by, brief, at_ms)
            return [EvidenceConfirmed(evidence_id=item.evidence_id, by=command.by)]
        case StartRecording():
            return [_start(command, evidence, brief, at_ms)]
        case StopRecording():
            running = evidence.running(at_ms)
            if running is None:
                raise NotFound(what="recording")
            return [RecordingStopped(recording_no=running.recording_no, give_by_ms=at_ms + GIVE_RECORDING_WITHIN_MS)]
        case _:
            assert_never(command)


def require_room(evidence: Evidence, brief: DisputeBriefing, by: Party, size_bytes: int = 0) -> None:
    """Refuse before a file is read what would be refused after it.

    Raises `EvidenceIsNotTakenNow`, `TooMuchEvidence`.
    """
    _require_taking(brief)
    own = [one for one in evidence.items if one.by is by]
    if len(own) >= FILES_MAX:
        raise TooMuchEvidence(what="files", limit=FILES_MAX)
    if sum(one.size_bytes for one in own) + size_bytes > BYTES_MAX:
        raise TooMuchEvidence(what="bytes", limit=BYTES_MAX)


def require_recording(evidence: Evidence, recording_no: int, moment_ms: int, shows: str, at_ms: int) -> Recording:
    """The finished recording that a file may be. Raises `RecordingDoesNotFit`, `FieldIsInvalid`."""
    found = next((one for one in evidence.recordings if one.recording_no == recording_no), None)
    if found is None:
        raise RecordingDoesNotFit(why="none")
    if not found.stopped_at_ms:
        raise RecordingDoesNotFit(why="not_stopped")
    if found.evidence_id:
        raise RecordingDoesNotFit(why="given")
    if at_ms > found.stopped_at_ms + GIVE_RECORDING_WITHIN_MS:
        raise RecordingDoesNotFit(why="late")
    if not found.started_at_ms <= moment_ms <= found.stopped_at_ms:
        raise RecordingDoesNotFit(why="moment")
    require(shows in MEANINGS, "shows", "unknown")
    return found


def stands(item: Item, answered_at_ms: int, now_ms: int) -> bool:
    """Whether what the giver says of a recording counts: confirmed, or not doubted in the other side's time.

    `answered_at_ms`: when the shop answered the complaint (0: not yet); who answers later and doubts nothing has let
    it stand.
    """
    if item.withdrawn or item.doubted_at_ms:
        return False
    if item.confirmed_at_ms:
        return True
    return answered_at_ms >= item.at_ms or now_ms >= item.at_ms + DOUBT_WITHIN_MS


def doubts_until_ms(evidence: Evidence, answered_at_ms: int, now_ms: int) -> int:
    """Until when a recording that neither stands nor fell yet may be doubted, the last of several; 0: there is none."""
    return max(
        (
            one.at_ms + DOUBT_WITHIN_MS
            for one in evidence.items
            if one.piece is Piece.RECORDING
            and not one.withdrawn
            and not one.doubted_at_ms
            and not stands(one, answered_at_ms, now_ms)
        ),
        default=0,
    )


def rank_of(piece: Piece, by: Party) -> Rank:
    """What kind of evidence a piece of this party is."""
    if piece is Piece.RECORDING:
        return Rank.RECORDING
    if piece in (Piece.INVOICE, Piece.STATUS_CHECK) and by is Party.SHOP:
        return Rank.PROVENANCE
    return Rank.CORROBORATING


def _require_taking(brief: DisputeBriefing) -> None:
    if not brief.takes:
        raise EvidenceIsNotTakenNow(stage=brief.stage)


def _found(evidence: Evidence, evidence_id: str) -> Item:
    item = evidence.item(evidence_id)
    if item is None:
        raise NotFound(what="evidence")
    return item


def _answerable(evidence: Evidence, evidence_id: str, by: Party, brief: DisputeBriefing, at_ms: int) -> Item:
    item = _found(evidence, evidence_id)
    _require_taking(brief)
    if item.withdrawn:
        raise EvidenceIsWithdrawn(evidence_id=evidence_id)
    late = at_ms >= item.at_ms + DOUBT_WITHIN_MS
    if item.by is by or item.rank is Rank.CORROBORATING or late or item.doubted_at_ms or item.confirmed_at_ms:
        raise NothingToDoubt(evidence_id=evidence_id)
    return item


def _add(command: AddEvidence, evidence: Evidence, brief: DisputeBriefing, at_ms: int) -> EvidenceAdded:
    require(command.size_bytes > 0, "size_bytes", "out_of_range")
    require_room(evidence, brief, command.by, command.size_bytes)
    for field, text in (("sha256", command.sha256), ("address", command.address), ("file_key", command.file_key)):
        require(len(text) == _SHA256_CHARS and set(text) <= _HEX, field, "not_a_hash")
    require_text(command.name, "name", NAME_MAX)
    require_text(command.note.strip(), "note", NOTE_MAX)
    if evidence.item(command.evidence_id):
        raise EvidenceIsThere(evidence_id=command.evidence_id)
    for one in evidence.items:
        if (one.by, one.sha256, one.piece) == (command.by, command.sha256, command.piece) and not one.withdrawn:
            raise EvidenceIsThere(evidence_id=one.evidence_id)
    is_recording = command.piece is Piece.RECORDING
    if is_recording:
        require(command.by is Party.BUYER, "piece", "unknown")
        if not command.media_type.startswith("video/"):
            raise RecordingDoesNotFit(why="no_video")
        require_recording(evidence, command.recording_no, command.moment_ms, command.shows, at_ms)
    elif command.piece is Piece.STATUS_CHECK:
        require(0 < command.moment_ms <= at_ms, "moment_ms", "out_of_range")
    return EvidenceAdded(
        evidence_id=command.evidence_id,
        rank=rank_of(command.piece, command.by),
        piece=command.piece,
        by=command.by,
        sha256=command.sha256,
        media_type=command.media_type,
        size_bytes=command.size_bytes,
        recording_no=command.recording_no if is_recording else 0,
        shows=command.shows if is_recording else "",
        moment_ms=command.moment_ms if is_recording or command.piece is Piece.STATUS_CHECK else 0,
        name=command.name,
        note=command.note.strip(),
        address=command.address,
        file_key=command.file_key,
    )


def _start(command: StartRecording, evidence: Evidence, brief: DisputeBriefing, at_ms: int) -> RecordingStarted:
    require(len(command.nonce) == NONCE_LENGTH and set(command.nonce) <= NONCE_SIGNS, "nonce", "unknown")
    if not brief.may_open or not brief.sealed_codes:
        raise RecordingIsNotPossible(why="nothing_sealed")
    if evidence.running(at_ms):
        raise RecordingIsNotPossible(why="running")
    if len(evidence.recordings) >= RECORDINGS_MAX:
        raise RecordingIsNotPossible(why="too_many")
    return RecordingStarted(
        recording_no=len(evidence.recordings) + 1, nonce=command.nonce, until_ms=at_ms + RECORDING_MS
    )


def evolve(evidence: Evidence, event: EvidenceEvent, at_ms: int) -> Evidence:
    """The evidence after `event`."""
    match event:
        case EvidenceAdded():
            item = Item(
                evidence_id=event.evidence_id,
                by=event.by,
                rank=event.rank,
                piece=event.piece,
                sha256=event.sha256,
                size_bytes=event.size_bytes,
                media_type=event.media_type,
                at_ms=at_ms,
                recording_no=event.recording_no,
                shows=event.shows,
                moment_ms=event.moment_ms,
            )
            recordings = tuple(
                replace(one, evidence_id=event.evidence_id) if one.recording_no == event.recording_no else one
                for one in evidence.recordings
            )
            return replace(evidence, items=(*evidence.items, item), recordings=recordings)
        case EvidenceWithdrawn():
            return _changed(evidence, event.evidence_id, withdrawn=True)
        case EvidenceDoubted():
            return _changed(evidence, event.evidence_id, doubted_at_ms=at_ms)
        case EvidenceConfirmed():
            return _changed(evidence, event.evidence_id, confirmed_at_ms=at_ms)
        case RecordingStarted():
            begun = Recording(
                recording_no=event.recording_no, nonce=event.nonce, started_at_ms=at_ms, until_ms=event.until_ms
            )
            return replace(evidence, recordings=(*evidence.recordings, begun))
        case RecordingStopped():
            return replace(
                evidence,
                recordings=tuple(
                    replace(one, stopped_at_ms=at_ms) if one.recording_no == event.recording_no else one
                    for one in evidence.recordings
                ),
            )
        case _:
            assert_never(event)


def _changed(evidence: Evidence, evidence_id: str, **change: object) -> Evidence:
    items = tuple(replace(one, **change) if one.evidence_id == evidence_id else one for one in evidence.items)
    return replace(evidence, items=items)
