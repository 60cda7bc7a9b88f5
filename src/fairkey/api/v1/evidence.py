"""Evidence about an order: files, and guided recordings."""

from collections.abc import AsyncIterator
from enum import StrEnum
from typing import Annotated, Final, assert_never

from msgspec import Meta

from fairkey.api.calls import Call, CallerIsGone, Reply, TooLarge, pieces, reply, require_done
from fairkey.api.endpoints import Endpoint, Example, Handle
from fairkey.api.order_shapes import Done
from fairkey.api.shapes import In, Out, moment
from fairkey.api.v1.messages import of_buyer, of_shop
from fairkey.api.v1.orders import done
from fairkey.business.askers import Asker
from fairkey.business.evidence import (
    NAME_MAX,
    NOTE_MAX,
    ConfirmEvidence,
    DoubtEvidence,
    Party,
    Piece,
    Rank,
    StopRecording,
    WithdrawEvidence,
)
from fairkey.engine import evidencing
from fairkey.engine.evidence_port import EvidenceLimits
from fairkey.engine.evidencing import Said
from fairkey.engine.house import House
from fairkey.read_tables.order_book import OrderRecord

TAG: Final = "evidence"
BYTES_MAX: Final = EvidenceLimits().video_bytes
TYPES: Final = (
    "image/png", "image/jpeg", "image/gif", "image/webp", "application/pdf", "text/plain", "message/rfc822",
    "video/mp4", "video/quicktime", "video/webm", "video/x-matroska", "application/octet-stream",
)  # fmt: skip


class EvidenceQuery(In, frozen=True, kw_only=True):
    """What is said about the file. `recording_no`, `shows` and `moment_ms` belong to a guided recording; `moment_ms`
    (Unix, milliseconds) says of a status check when it was made.
    """

    piece: Piece
    name: Annotated[str, Meta(max_length=NAME_MAX)] = ""
    note: Annotated[str, Meta(max_length=NOTE_MAX)] = ""
    recording_no: Annotated[int, Meta(ge=0, le=9)] = 0
    shows: Annotated[str, Meta(max_length=40)] = ""
    moment_ms: Annotated[int, Meta(ge=0, le=2**53)] = 0


class What(StrEnum):
    """What is done about a piece of evidence."""

    WITHDRAW = "withdraw"
    DOUBT = "doubt"
    CONFIRM = "confirm"


class EvidenceAct(In, frozen=True, kw_only=True):
    """Withdraw one's own, doubt (with a reason) or confirm the other side's."""

    do: What
    text: Annotated[str, Meta(max_length=NOTE_MAX)] = ""


class EvidenceView(Out, frozen=True, kw_only=True):
    """One piece of evidence. `stands`: a recording that the other side did not doubt in its time."""

    evidence_id: str
    by: Party
    rank: Rank
    piece: Piece
    sha256: str
    media_type: str
    size_bytes: int
    at: str
    name: str
    note: str
    withdrawn: bool
    doubted: bool
    stands: bool
    version: int


class RecordingView(Out, frozen=True, kw_only=True):
    """A guided recording by the log's times; `stopped_at` is empty while it runs."""

    recording_no: int
    nonce: str
    started_at: str
    until: str
    stopped_at: str
    evidence_id: str


class EvidenceList(Out, frozen=True, kw_only=True):
    """All evidence about an order, oldest first."""

    evidence: tuple[EvidenceView, ...]
    recordings: tuple[RecordingView, ...]


async def get_evidence(house: House, call: Call) -> Reply:
    """The buyer reads the list."""
    return await _listed(house, await of_buyer(house, call))


async def get_shop_evidence(house: House, call: Call) -> Reply:
    """The shop reads the list."""
    return await _listed(house, await of_shop(house, call))


async def give_evidence(house: House, call: Call) -> Reply:
    """The buyer gives a file."""
    return await _given(house, call, await of_buyer(house, call), Party.BUYER)


async def give_shop_evidence(house: House, call: Call) -> Reply:
    """The shop gives a file."""
    return await _given(house, call, await of_shop(house, call), Party.SHOP)


async def get_file(house: House, call: Call) -> Reply:
    """The buyer downloads an original."""
    return await _original(house, call, await of_buyer(house, call))


async def get_shop_file(house: House, call: Call) -> Reply:
    """The shop downloads an original."""
    return await _original(house, call, await of_shop(house, call))


async def act(house: House, call: Call) -> Reply:
    """The buyer withdraws, doubts or confirms."""
    return await _acted(house, call, await of_buyer(house, call), Party.BUYER)


async def act_as_shop(house: House, call: Call) -> Reply:
    """The shop withdraws, doubts or confirms."""
    return await _acted(house, call, await of_shop(house, call), Party.SHOP)


async def start_recording(house: House, call: Call) -> Reply:
    """Begin a guided recording; the answer is the list, with the nonce."""
    answer = await house.ask(Asker.BUYER, evidencing.start_recording(await of_buyer(house, call)))
    require_done(answer)
    return await _listed(house, await of_buyer(house, call))


async def stop_recording(house: House, call: Call) -> Reply:
    """It has ended."""
    record = await of_buyer(house, call)
    return done(await house.ask(Asker.BUYER, StopRecording(shop_id=record.shop_id, order_id=record.order_id)))


async def _listed(house: House, record: OrderRecord) -> Reply:
    facts = await house.questions.order_book.facts(record.shop_id, record.order_id, with_sealed=True)
    lines = evidencing.lines_of(record, facts, house.now_ms())
    return reply(
        EvidenceList(
            evidence=tuple(
                EvidenceView(
                    evidence_id=line.item.evidence_id,
                    by=line.item.by,
                    rank=line.item.rank,
                    piece=line.item.piece,
                    sha256=line.item.sha256,
                    media_type=line.item.media_type,
                    size_bytes=line.item.size_bytes,
                    at=moment(line.item.at_ms),
                    name=line.name,
                    note=line.note,
                    withdrawn=line.item.withdrawn,
                    doubted=bool(line.item.doubted_at_ms),
                    stands=line.stands,
                    version=line.version,
                )
                for line in lines
            ),
            recordings=tuple(
                RecordingView(
                    recording_no=one.recording_no,
                    nonce=one.nonce,
                    started_at=moment(one.started_at_ms),
                    until=moment(one.until_ms),
                    stopped_at=moment(one.stopped_at_ms) if one.stopped_at_ms else "",
                    evidence_id=one.evidence_id,
                )
                for one in record.file.evidence.recordings
            ),
        )
    )


async def _given(house: House, call: Call, record: OrderRecord, by: Party) -> Reply:
    query: EvidenceQuery = call.query
    length = call.header(b"content-length")
    if length.isdigit() and int(length[:20]) > BYTES_MAX:
        raise TooLarge(bytes_max=BYTES_MAX)
    said = Said(
        by=by,
        piece=query.piece,
        name=query.name,
        note=query.note,
        recording_no=query.recording_no,
        shows=query.shows,
        moment_ms=query.moment_ms,
    )
    claimed = call.header(b"content-type")
    answer = await evidencing.give(house, record, said, _whole(call), claimed)
    return done(answer)


async def _whole(call: Call) -> AsyncIterator[bytes]:
    """The body; one that breaks off is told as such."""
    try:
        async for piece in pieces(call.receive):
            yield piece
    except CallerIsGone as error:
        raise EOFError from error


async def _original(house: House, call: Call, record: OrderRecord) -> Reply:
    kept, chunks = await evidencing.original(house, record, call.uuid("evidence_id"))
    headers = (
        (b"content-length", b"%d" % kept.size_bytes),
        (b"x-content-type-options", b"nosniff"),
        (b"content-disposition", b"attachment"),
        (b"cache-control", b"private, no-store"),
    )
    return Reply(200, b"", b"application/octet-stream", headers, chunks)


async def _acted(house: House, call: Call, record: OrderRecord, by: Party) -> Reply:
    given: EvidenceAct = call.given
    evidence_id = call.uuid("evidence_id")
    command: WithdrawEvidence | DoubtEvidence | ConfirmEvidence
    match given.do:
        case What.WITHDRAW:
            command = WithdrawEvidence(shop_id=record.shop_id, order_id=record.order_id, evidence_id=evidence_id, by=by)
        case What.DOUBT:
            command = DoubtEvidence(
                shop_id=record.shop_id, order_id=record.order_id, evidence_id=evidence_id, by=by, text=given.text
            )
        case What.CONFIRM:
            command = ConfirmEvidence(shop_id=record.shop_id, order_id=record.order_id, evidence_id=evidence_id, by=by)
        case _:
            assert_never(given.do)
    return done(
        await house.ask(evidencing.ASKERS[by], command, command_id=call.command_id(), body_hash=call.body_hash(house))
    )


_GIVEN: Final = (
    "OrderNotFound", "EvidenceIsNotTakenNow", "TooMuchEvidence", "EvidenceIsThere", "RecordingDoesNotFit",
    "EvidenceFileIsRefused", "FieldIsInvalid", "TooLarge",
)  # fmt: skip
_ACTED: Final = (
    "OrderNotFound", "NotFound", "EvidenceIsNotTakenNow", "EvidenceIsWithdrawn", "NothingToDoubt", "FieldIsInvalid",
)  # fmt: skip
_ABOUT: Final = (
    "The body is the file itself. What it is is told by its bytes; a Content-Type that contradicts them is refused. "
    "The same file twice is refused, so that trying again is safe."
)


def _endpoints(path: str, whose: str, *handlers: Handle) -> tuple[Endpoint, ...]:
    listed, given, original, acted = handlers
    return (
        Endpoint(
            method="GET", path=f"{path}/evidence", tag=TAG, summary=f"Read the evidence about an order{whose}",
            handle=listed, answer=EvidenceList, refusals=("OrderNotFound",),
        ),
        Endpoint(
            method="POST", path=f"{path}/evidence", tag=TAG, summary=f"Give a file as evidence{whose}",
            description=_ABOUT, handle=given, streams=TYPES, bytes_max=BYTES_MAX, query=EvidenceQuery, answer=Done,
            refusals=_GIVEN,
            example=Example(answer={"stage": "disputed", "kinds": ["dispute.evidence_added"]}),
        ),
        Endpoint(
            method="GET", path=f"{path}/evidence/{{evidence_id}}", tag=TAG, summary=f"Download an original{whose}",
            handle=original, answer_text="The file as it was given.", answer_type="application/octet-stream",
            refusals=("OrderNotFound", "NotFound"),
        ),
        Endpoint(
            method="POST", path=f"{path}/evidence/{{evidence_id}}", tag=TAG,
            summary=f"Withdraw, doubt or confirm a piece of evidence{whose}", handle=acted, body=EvidenceAct,
            answer=Done, idempotency="optional", refusals=_ACTED,
            example=Example(
                request={"do": "doubt", "text": "录屏中看不到口令。"},
                answer={"stage": "disputed", "kinds": ["dispute.evidence_doubted"]},
            ),
        ),
    )  # fmt: skip


ENDPOINTS: Final = (
    *_endpoints("/api/v1/orders/{ref}", "", get_evidence, give_evidence, get_file, act),
    *_endpoints(
        "/api/v1/shop/orders/{ref}", " of your shop", get_shop_evidence, give_shop_evidence, get_shop_file, act_as_shop
    ),
    Endpoint(
        method="POST",
        path="/api/v1/orders/{ref}/recordings",
        tag=TAG,
        summary="Begin a guided recording",
        description="Before a code is opened. The nonce in the answer must be seen on the recording.",
        handle=start_recording,
        answer=EvidenceList,
        refusals=("OrderNotFound", "RecordingIsNotPossible"),
    ),
    Endpoint(
        method="POST",
        path="/api/v1/orders/{ref}/recordings/stop",
        tag=TAG,
        summary="End a guided recording",
        handle=stop_recording,
        answer=Done,
        refusals=("OrderNotFound", "NotFound"),
        example=Example(answer={"stage": "delivered", "kinds": ["evidence.recording_stopped"]}),
    ),
)
