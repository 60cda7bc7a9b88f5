"""What an arbitrator sees and does: his docket, a case without the names of its parties, his vote."""

import re
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import msgspec

from fairkey.business.arbitrators import ApplyAsArbitrator, RecordCalibration, RecordExam, Side
from fairkey.business.askers import Asker
from fairkey.business.basics import PLATFORM, NotFound, require
from fairkey.business.evidence import Item
from fairkey.business.listings import decode_terms
from fairkey.business.panel_events import PanelStage
from fairkey.business.panel_figures import NOTHING, Figures, figures_of
from fairkey.business.panel_verdicts import may_name
from fairkey.business.panels import CommitVote, OpenEvidence, Panel, StepBack, check_vote, commitment_of, reason_digest
from fairkey.business.standard.library import newest
from fairkey.business.standard.table import Standard
from fairkey.business.standards import version_for
from fairkey.business.verdicts import standard_of
from fairkey.casework.pack.masks import Masks, mask_code
from fairkey.read_tables.order_book import OrderRecord
from fairkey.read_tables.panel_book import ArbitratorRecord, PanelRecord

from .advising import Advice, advice_on
from .answers import Answer
from .calibration import CASES, EXAM, KnownCase, is_due
from .evidence_port import Kept
from .evidencing import EvidenceLine, lines_of, original, preview
from .house import House
from .paneling import Ballot

PANELS_COUNTED_MAX: Final = 5_000
_MASKS: Final = Masks()
_CODE: Final = re.compile(
    r"(?<![A-Za-z0-9])(?=[A-Z0-9-]*[0-9])(?:[A-Z0-9]{3,8}(?:-[A-Z0-9]{3,8}){1,7}|(?=[A-Z0-9]*[A-Z])[A-Z0-9]{8,40}|[0-9]{12,40})"
    r"(?![A-Za-z0-9])"
)
"""What codes look like as issuers print them; a date or an error's number is shorter."""
TEXT_BYTES_MAX: Final = 2_000_000
SALT_BYTES: Final = 16
SAYS: Final[Mapping[str, str]] = {
    "dispute.opened": "buyer",
    "dispute.answered": "shop",
    "dispute.asked": "shop",
    "dispute.replied": "buyer",
    "dispute.reviewed": "platform",
}
"""Whose words they are, where the fact does not say so itself."""
SHOWN: Final = frozenset({"order", "code", "dispute", "attest", "message"})


@dataclass(frozen=True, slots=True, kw_only=True)
class BlindFact:
    """A fact of the order that an arbitrator may see: when, what, and what was said (`by`: buyer, shop or platform)."""

    at_ms: int
    kind: str
    version: int
    by: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BlindPiece:
    """A file of evidence, without its name. `number` counts from 1; `stands`: as `evidence.stands`; `taken`: whether
    he opened the file.
    """

    number: int
    line: EvidenceLine
    note: str
    doubt: str
    taken: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BlindCase:
    """A case without its parties. `advice` is the standard's reading; None when no version was published."""

    panel_id: str
    panel: Panel
    product: str
    category: str
    region: str
    face_value: str
    quantity: int
    amount_fen: int
    demand_fen: int
    reason: str
    facts: Sequence[BlindFact]
    evidence: Sequence[BlindPiece]
    advice: Advice | None
    standard: Standard


def arbitrator_id_of(house: House, account_id: str) -> str:
    """The pseudonym under which an account judges: always the same, and nobody without the house's key can tell."""
    mark = house.keys.fingerprint("buyer_pseudonyms", f"fairkey arbitrator\n{account_id}".encode())
    return str(UUID(bytes=mark[:16], version=5))


async def record_of(house: House, account_id: str) -> ArbitratorRecord | None:
    """How an account stands as an arbitrator; None when it never applied."""
    return await house.questions.panels.arbitrator(arbitrator_id_of(house, account_id))


async def docket_of(house: House, arbitrator_id: str) -> list[PanelRecord]:
    """Panels on which he has a seat now: those that wait for his vote first."""
    mine = [one for one in await house.questions.panels.panels(lines_max=1_000) if one.panel.seat_of(arbitrator_id)]
    return sorted(mine, key=lambda one: (not _waits(one.panel, arbitrator_id), -one.panel.requested_at_ms))


async def figures_for(house: House, arbitrator_id: str) -> Figures:
    """How well he judged, as everybody can count it."""
    panels = await house.questions.panels.panels(lines_max=PANELS_COUNTED_MAX)
    return figures_of(one.panel for one in panels).get(arbitrator_id, NOTHING)


def _waits(panel: Panel, arbitrator_id: str) -> bool:
    seat_no = panel.seat_of(arbitrator_id)
    return panel.stage is PanelStage.SITTING and bool(seat_no) and not panel.seats[seat_no - 1].commitment


async def known_case(house: House, record: ArbitratorRecord) -> KnownCase | None:
    """The case with a known answer in his docket now."""
    return is_due(house.keys, record.arbitrator_id, record.arbitrator)


async def case_of(house: House, panel_id: str, arbitrator_id: str) -> BlindCase:
    """The case of one of his seats. Raises `NotFound` when he has none there."""
    record = await house.questions.panels.panel(panel_id)
    if record is None or not record.panel.seat_of(arbitrator_id):
        raise NotFound(what="case")
    panel = record.panel
    order = await house.questions.order_book.find(panel.order_shop_id, panel.order_id)
    if order is None:
        raise NotFound(what="case")
    facts = await house.questions.order_book.facts(order.shop_id, order.order_id, with_sealed=True)
    hide = hiding
    terms = decode_terms(order.terms_json)
    complaint = order.file.complaint
    return BlindCase(
        panel_id=panel_id,
        panel=panel,
        product=terms.product,
        category=terms.category,
        region=terms.region,
        face_value=terms.face_value,
        quantity=order.file.order.quantity,
        amount_fen=order.file.order.amount_fen,
        demand_fen=complaint.demand_fen,
        reason=complaint.reason.value if complaint.reason else "",
        facts=[
            BlindFact(
                at_ms=one.at_ms,
                kind=one.kind,
                version=one.version,
                by=SAYS.get(one.kind) or str(one.public.get("by", "")),
                text=hide(one.sealed.get("text", "")),
            )
            for one in facts
            if one.kind.partition(".")[0] in SHOWN
        ],
        evidence=_pieces(lines_of(order, facts, house.now_ms()), panel, arbitrator_id),
        advice=await advice_on(house, order, facts),
        standard=await _standard_for(house, panel),
    )


def hiding(text: str) -> str:
    """What a party wrote, without numbers and addresses that would give it away, and with codes masked."""
    return _CODE.sub(lambda found: mask_code(found[0]), _MASKS(text))


def _pieces(lines: Sequence[EvidenceLine], panel: Panel, arbitrator_id: str) -> list[BlindPiece]:
    return [
        BlindPiece(
            number=number,
            line=line,
            note=hiding(line.note),
            doubt=hiding(line.doubt),
            taken=f"{arbitrator_id} {line.item.evidence_id}" in panel.opened,
        )
        for number, line in enumerate(lines, 1)
    ]


async def _dispute_of(house: House, panel_id: str, arbitrator_id: str, evidence_id: str) -> tuple[OrderRecord, Item]:
    """The order and the piece, for who has a seat there. Raises `NotFound`."""
    record = await house.questions.panels.panel(panel_id)
    if record is None or not record.panel.seat_of(arbitrator_id):
        raise NotFound(what="case")
    order = await house.questions.order_book.find(record.panel.order_shop_id, record.panel.order_id)
    item = order.file.evidence.item(evidence_id) if order else None
    if order is None or item is None:
        raise NotFound(what="evidence")
    return order, item


async def piece_preview(house: House, panel_id: str, arbitrator_id: str, evidence_id: str) -> bytes:
    """A picture of a piece, made anew: JPEG with nothing of what a camera writes. Raises `NotFound`."""
    order, _ = await _dispute_of(house, panel_id, arbitrator_id, evidence_id)
    return await preview(house, order, evidence_id)


async def open_piece(
    house: House, panel_id: str, arbitrator_id: str, evidence_id: str
) -> tuple[Answer, Kept | None, AsyncIterator[bytes] | None]:
    """The bytes of a piece, after the log knows who took it; a refusal and nothing else where it may not be taken.

    Raises `NotFound`, `StoreIsAway`.
    """
    order, item = await _dispute_of(house, panel_id, arbitrator_id, evidence_id)
    command = OpenEvidence(
        shop_id=PLATFORM,
        panel_id=panel_id,
        arbitrator_id=arbitrator_id,
        evidence_id=evidence_id,
        sha256=item.sha256,
    )
    answer = await house.ask(Asker.ARBITRATOR, command)
    if answer.refusal:
        return answer, None, None
    kept, chunks = await original(house, order, evidence_id)
    return answer, kept, chunks


async def masked(chunks: AsyncIterator[bytes]) -> bytes:
    """A text or letter as arbitrators read it: its first two million bytes, masked."""
    data = b""
    async for chunk in chunks:
        data += chunk
        if len(data) >= TEXT_BYTES_MAX:
            break
    return hiding(data[:TEXT_BYTES_MAX].decode("utf-8", "replace")).encode()


async def cast_vote(
    house: House, panel_id: str, arbitrator_id: str, *, refund_fen: int, row: str, reason: str
) -> Answer:
    """Commit to a vote; the ballot stays sealed here and is revealed when the time of the panel comes.

    Raises `FieldIsInvalid`, `NotFound`.
    """
    record = await house.questions.panels.panel(panel_id)
    if record is None:
        raise NotFound(what="case")
    check_vote(refund_fen, row, reason, record.panel.value_fen)
    standard = await _standard_for(house, record.panel)
    require(may_name(standard, row, for_buyer=refund_fen > 0), "row", "does_not_fit")
    salt, grain = secrets.token_hex(SALT_BYTES), secrets.token_hex(SALT_BYTES)
    ballot = Ballot(refund_fen, row, salt, reason.strip(), grain)
    fixed = commitment_of(
        panel_id=panel_id,
        arbitrator_id=arbitrator_id,
        refund_fen=refund_fen,
        row=row,
        salt=salt,
        digest=reason_digest(ballot.reason, grain),
    )
    command = CommitVote(
        shop_id=PLATFORM,
        panel_id=panel_id,
        arbitrator_id=arbitrator_id,
        commitment=fixed,
        ballot=msgspec.json.encode(ballot).decode(),
    )
    return await house.ask(Asker.ARBITRATOR, command)


async def _standard_for(house: House, panel: Panel) -> Standard:
    """The version by which the order is judged, if this release holds it; else the newest."""
    order = await house.questions.order_book.find(panel.order_shop_id, panel.order_id)
    published = await house.questions.standards.published()
    by = version_for(order.file.order.placed_at_ms, published) if order else None
    return (standard_of(by.sha256) if by else None) or newest().standard


async def step_back(house: House, panel_id: str, arbitrator_id: str) -> Answer:
    """Give the seat to the next drawn."""
    command = StepBack(shop_id=PLATFORM, panel_id=panel_id, arbitrator_id=arbitrator_id)
    return await house.ask(Asker.ARBITRATOR, command)


async def apply(
    house: House, account_id: str, *, side: Side, categories: tuple[str, ...], text: str, answers: Mapping[str, str]
) -> Answer:
    """Apply, and judge the test set in the same breath; `answers` says buyer or shop for each of its cases."""
    arbitrator_id = arbitrator_id_of(house, account_id)
    command = ApplyAsArbitrator(
        shop_id=PLATFORM,
        arbitrator_id=arbitrator_id,
        account_id=account_id,
        side=side,
        categories=categories,
        text=text,
    )
    answer = await house.ask(Asker.ARBITRATOR, command)
    if answer.refusal:
        return answer
    hits = sum(answers.get(one.id, "") == ("buyer" if one.for_buyer else "shop") for one in CASES[:EXAM])
    exam = RecordExam(shop_id=PLATFORM, arbitrator_id=arbitrator_id, answers=EXAM, hits=hits)
    told = await house.ask(Asker.ARBITRATOR, exam, command_id=f"exam:{arbitrator_id}")
    return answer if told.refusal == "ArbitratorIsInAnotherStanding" else told  # who comes back was examined before


async def answer_known(house: House, record: ArbitratorRecord, case_id: str, *, for_buyer: bool) -> Answer:
    """Judge the case with a known answer that the docket holds. Raises `NotFound` for any other."""
    due = await known_case(house, record)
    if due is None or due.id != case_id:
        raise NotFound(what="case")
    command = RecordCalibration(
        shop_id=PLATFORM, arbitrator_id=record.arbitrator_id, case_id=case_id, hit=for_buyer == due.for_buyer
    )
    return await house.ask(Asker.ARBITRATOR, command, command_id=f"calibration:{record.arbitrator_id}:{case_id}")
