"""An order as its buyer's page needs it: what can be done now, its codes, its money, what was said."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from fairkey.business.basics import InstructionState
from fairkey.business.briefings import claim_of
from fairkey.business.claims import Claim, why_not
from fairkey.business.codes import CodeStage
from fairkey.business.dispute_state import Complaint, ComplaintStage
from fairkey.business.escrow import Escrow
from fairkey.business.listings import Terms, decode_terms
from fairkey.business.orders import ENDED, Delivery, Order, Stage
from fairkey.business.references import reference_of
from fairkey.business.reviews import Review
from fairkey.engine import trade
from fairkey.engine.advising import Advice, advice_on
from fairkey.engine.house import House
from fairkey.engine.outaging import Happening, happening
from fairkey.gates.refusals import OrderNotFound
from fairkey.read_tables.order_book import Fact, OrderRecord
from fairkey.web.attested import HeardLine, heard_of
from fairkey.web.receipts import FactPlace, is_awaited, mark_of, places_of

MAY_OPEN = frozenset({Stage.PAID, Stage.DELIVERED, Stage.COMPLETED, Stage.PARTLY_REFUNDED})
OPEN = frozenset({Stage.PAID, Stage.DELIVERED, Stage.DISPUTED})
GROUP = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeLine:
    """One code in the buyer's box. `text` is empty while it is sealed; `revealed_at_ms` 0 too."""

    number: int
    code_id: str
    text: str = ""
    commitment: str = ""
    revealed_at_ms: int = 0
    revealed_in: int = 0
    account_name: str = ""
    account_region: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claiming:
    """What may be claimed about an order that was settled before its shop vanished. `why_not` empty: it can be."""

    until_ms: int
    why_not: str
    claim: Claim


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    """One order at this moment. `facts` are all of it, the buyer's own sealed fields opened."""

    record: OrderRecord
    terms: Terms
    reference: str
    facts: Sequence[Fact]
    sealed: Sequence[CodeLine] = ()
    opened: Sequence[CodeLine] = ()
    contact: str = ""
    said: Mapping[str, str] = field(default_factory=dict)
    heard: Sequence[HeardLine] = ()
    advice: Advice | None = None
    outages: Sequence[Happening] = ()
    places: Mapping[int, FactPlace] = field(default_factory=dict)
    claiming: Claiming | None = None

    @property
    def path(self) -> str:
        """The order's address on this site."""
        return f"/o/{self.reference}"

    @property
    def order(self) -> Order:
        """Its stage."""
        return self.record.file.order

    @property
    def escrow(self) -> Escrow:
        """Its money."""
        return self.record.file.escrow

    @property
    def complaint(self) -> Complaint:
        """Its complaint."""
        return self.record.file.complaint

    @property
    def review(self) -> Review:
        """Its review."""
        return self.record.file.review

    @property
    def is_manual(self) -> bool:
        """Typed by hand?"""
        return self.order.delivery is Delivery.MANUAL

    @property
    def may_pay(self) -> bool:
        """Is it waiting for money?"""
        return self.order.stage is Stage.PLACED

    @property
    def may_open(self) -> bool:
        """Are there sealed codes that can be opened?"""
        return bool(self.sealed) and (self.order.stage in MAY_OPEN or self.complaint.stage is ComplaintStage.RESENT)

    @property
    def may_withdraw(self) -> bool:
        """Can the buyer step back?"""
        return self.order.stage in (Stage.PAID, Stage.DELIVERED) and not self.opened

    @property
    def may_confirm(self) -> bool:
        """Can the money be released by the buyer?"""
        return self.order.stage is Stage.DELIVERED

    @property
    def may_wait(self) -> bool:
        """Can the buyer give the shop more time?"""
        return self.order.stage is Stage.PAID and self.is_manual and not self.order.wait_agreed

    @property
    def may_complain(self) -> bool:
        """Can a complaint be opened?"""
        return self.order.stage is Stage.DELIVERED and self.complaint.stage is ComplaintStage.NONE

    @property
    def may_settle(self) -> bool:
        """Can the complaint be withdrawn?"""
        return self.complaint.stage in (ComplaintStage.OPENED, ComplaintStage.CONTESTED)

    @property
    def may_review(self) -> bool:
        """Can a review be written?"""
        return self.order.stage is Stage.COMPLETED and not self.review.posted_at_ms

    @property
    def is_moving(self) -> bool:
        """Can anything still change by itself?"""
        return is_moving(self.record)

    @property
    def is_followed(self) -> bool:
        """Should the page look for news: from the order, or from the log?"""
        return self.is_moving or is_awaited(self.places)

    @property
    def mark(self) -> int:
        """Grows with everything that the page would show differently."""
        return mark_of(self.record.version, self.places)

    @property
    def shop_got_fen(self) -> int:
        """What left towards the shop, the platform's fee included."""
        return self.escrow.released_fen + self.escrow.fee_fen

    @property
    def missing_fen(self) -> int:
        """What is still missing of the price while it waits for money."""
        return max(self.order.amount_fen - self.escrow.held_fen, 0)


def is_moving(record: OrderRecord) -> bool:
    """Can anything still change without the buyer: the order goes on, or money is on its way."""
    escrow = record.file.escrow
    states = [one.state for one in escrow.refunds] + [one.state for one in escrow.releases]
    return record.file.order.stage not in ENDED or InstructionState.ASKED in states


async def record_of(house: House, ref: str) -> OrderRecord:
    """The order with this reference; the door has let its buyer pass. Raises `OrderNotFound`."""
    where = await trade.locate(house, ref)
    record = await house.questions.order_book.find(*where) if where else None
    if record is None:
        raise OrderNotFound
    return record


async def glance_at(house: House, ref: str) -> Glance:
    """Everything of one order, opened codes in clear. Raises `OrderNotFound`, `VaultIsCorrupt`."""
    record = await record_of(house, ref)
    book = house.questions.order_book
    facts = await book.facts(record.shop_id, record.order_id, with_sealed=True)
    in_box = [one for one in record.file.codes.held if one.stage in (CodeStage.DELIVERED, CodeStage.REVEALED)]
    opened_ids = [one.code_id for one in in_box if one.stage is CodeStage.REVEALED]
    texts = await house.vault.open_codes(record.shop_id, opened_ids) if opened_ids else {}
    commitments = await book.commitments(record.shop_id, [one.code_id for one in in_box]) if in_box else {}
    openings = {
        code_id: fact for fact in facts if fact.kind == "code.revealed" for code_id in _ids_in(fact.public.get("codes"))
    }
    sealed: list[CodeLine] = []
    opened: list[CodeLine] = []
    for number, one in enumerate(in_box, start=1):
        line = CodeLine(number=number, code_id=one.code_id, commitment=commitments.get(one.code_id, ""))
        if one.stage is CodeStage.DELIVERED:
            sealed.append(line)
            continue
        fact = openings[one.code_id]
        opened.append(
            CodeLine(
                number=number,
                code_id=one.code_id,
                commitment=line.commitment,
                text=texts[one.code_id].text,
                revealed_at_ms=fact.at_ms,
                revealed_in=fact.version,
                account_name=fact.sealed.get("account_name", ""),
                account_region=fact.sealed.get("account_region", ""),
            )
        )
    said = {fact.kind: fact.sealed["text"] for fact in facts if fact.sealed.get("text")}
    placed = next((fact for fact in facts if fact.kind == "order.placed"), None)
    reference = reference_of(record.shop_no, record.order_id)
    return Glance(
        record=record,
        terms=decode_terms(record.terms_json),
        reference=reference,
        facts=facts,
        sealed=sealed,
        opened=opened,
        contact=placed.sealed.get("contact", "") if placed else "",
        said=said,
        heard=await heard_of(house, record.shop_id, [one.code_id for one in in_box]) if opened_ids else (),
        advice=await advice_on(house, record, facts) if record.file.order.stage is Stage.DISPUTED else None,
        outages=await _outages(house, record),
        places=await places_of(house, record.shop_id, record.order_id, f"/o/{reference}"),
        claiming=await _claiming(house, record) if record.file.order.stage is Stage.COMPLETED else None,
    )


async def _outages(house: House, record: OrderRecord) -> Sequence[Happening]:
    if record.file.order.stage not in OPEN:
        return ()
    return await happening(house, decode_terms(record.terms_json).product)


async def _claiming(house: House, record: OrderRecord) -> Claiming | None:
    """None where the shop never vanished, or where it is too long ago for this order."""
    desk = await house.questions.shop_desk.shop(record.shop_id)
    if desk is None or desk.shop.vanished is None:
        return None
    claim = record.file.claim
    why = why_not(claim, claim_of(record.file, desk.shop))
    until_ms = (await house.questions.deposits.liquidation(record.shop_id)).until_ms
    if why not in ("", "claimed") or not (until_ms or claim.claim_fen):
        return None
    return Claiming(until_ms=until_ms, why_not=why, claim=claim)


def grouped(reference: str) -> str:
    """A reference in groups, for people; it is read in this form too."""
    return "-".join(reference[at : at + GROUP] for at in range(0, len(reference), GROUP))


def _ids_in(value: object) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list | tuple) else []
