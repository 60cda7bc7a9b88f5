"""Orders as their two sides read and change them."""

from typing import Annotated, Literal

from msgspec import Meta

from fairkey.api.shapes import Fen, Hash, Id, In, Moment, Out, moment, moment_or_none
from fairkey.business.codes import CodeStage
from fairkey.business.dispute_events import Demand, Outcome, Reason
from fairkey.business.dispute_state import ComplaintStage
from fairkey.business.listings import Terms, decode_terms
from fairkey.business.orders import Delivery, Stage
from fairkey.business.references import reference_of
from fairkey.read_tables.order_book import Fact, OrderLine, OrderRecord

Reference = Annotated[
    str,
    Meta(
        pattern="^[0-9A-HJKMNP-TV-Z]{27,31}$",
        description="The order's number: what people read out, and what the provider carries.",
    ),
]


class Work(Out, frozen=True, kw_only=True):
    """What a guest has to do before placing an order."""

    challenge: Annotated[str, Meta(description="Empty: nothing.")]
    difficulty_bits: Annotated[int, Meta(ge=0, le=28)]


class PlaceOrder(In, frozen=True, kw_only=True):
    """An order for one revision of one listing."""

    shop_no: Annotated[int, Meta(ge=1, le=2**31 - 1, description="The shop's number.")]
    listing_id: Id
    revision: Annotated[int, Meta(ge=1, le=2**31 - 1, description="The revision that the buyer saw.")]
    quantity: Annotated[int, Meta(ge=1, le=500)] = 1
    contact: Annotated[
        str,
        Meta(
            min_length=3,
            max_length=254,
            pattern=r"^[^@\s,;<>]+@[^@\s,;<>]+$",
            description="The buyer's e-mail address.",
        ),
    ]
    coupon_code: Annotated[str, Meta(max_length=32)] = ""


class PlacedOrder(Out, frozen=True, kw_only=True):
    """An order that holds its codes and waits for its money."""

    reference: Reference
    secret: Annotated[
        str,
        Meta(description="Opens this order: send it as `Order-Secret`. Shown here and in the buyer's mail only."),
    ]
    stage: Stage
    amount_fen: Fen
    expires_at: Annotated[Moment, Meta(description="Until then it can be paid; then its codes are free again.")]


class Paying(In, frozen=True, kw_only=True):
    """Where the provider shall send the buyer after paying."""

    return_url: Annotated[
        str, Meta(max_length=500, pattern=r"^(https?://[^\s\x00-\x1f]+)?$", description="Empty: the order's own page.")
    ] = ""


class PayLink(Out, frozen=True, kw_only=True):
    """Where the buyer pays."""

    pay_url: str
    qr_text: Annotated[str, Meta(description="What a QR code for the provider's app holds.")]
    amount_fen: Annotated[Fen, Meta(description="What is still missing.")]
    expires_at: Moment


class Reveal(In, frozen=True, kw_only=True):
    """Which codes to open, and for what account they are meant: it decides most later disputes."""

    codes: Annotated[tuple[Id, ...], Meta(max_length=500, description="Empty: all that are delivered.")] = ()
    account_name: Annotated[str, Meta(max_length=200)] = ""
    account_region: Annotated[str, Meta(max_length=100)] = ""


class OpenCode(Out, frozen=True, kw_only=True):
    """A code in clear, and what proves that it is the one committed to when it was deposited."""

    code_id: Id
    text: str
    salt: Annotated[str, Meta(pattern="^[0-9a-f]+$", description="Hexadecimal.")]
    commitment: Hash


class OpenCodes(Out, frozen=True, kw_only=True):
    """The codes asked for; asking again gives the same again."""

    codes: tuple[OpenCode, ...]


class OpenComplaint(In, frozen=True, kw_only=True):
    """What is wrong, and how much is asked back."""

    reason: Reason
    text: Annotated[str, Meta(min_length=5, max_length=4_000)]
    demand_fen: Annotated[Fen, Meta(description="0: all that was paid.")] = 0
    demand: Annotated[Demand, Meta(description="resend: a working code, the money if none comes.")] = Demand.REFUND
    screen: Annotated[str, Meta(max_length=80, description="What the issuer's screen said, by its name.")] = ""


class Review(In, frozen=True, kw_only=True):
    """How it went. Amended once at most, never deleted."""

    speed: Annotated[int, Meta(ge=1, le=5)]
    code_worked: bool
    text: Annotated[str, Meta(max_length=1_000)] = ""


class DeliverCodes(In, frozen=True, kw_only=True):
    """Codes typed for one order."""

    codes: Annotated[tuple[Annotated[str, Meta(max_length=2_000)], ...], Meta(min_length=1, max_length=500)]


class ContestComplaint(In, frozen=True, kw_only=True):
    """Why the merchant disagrees."""

    text: Annotated[str, Meta(min_length=5, max_length=4_000)]


class CodeState(Out, frozen=True, kw_only=True):
    """One code of the order; never its text."""

    code_id: Id
    stage: CodeStage


class RefundState(Out, frozen=True, kw_only=True):
    """One refund on its way or arrived."""

    amount_fen: Fen
    why: str
    state: Literal["asked", "done", "failed"]


class MoneyState(Out, frozen=True, kw_only=True):
    """Where the order's money is."""

    received_fen: Fen
    held_fen: Fen
    refunded_fen: Fen
    released_fen: Fen
    fee_fen: Fen
    refunds: tuple[RefundState, ...]


class ComplaintState(Out, frozen=True, kw_only=True):
    """The complaint of the order."""

    stage: ComplaintStage
    reason: Reason | None
    demand_fen: Fen
    opened_at: Moment | None
    answer_due_at: Moment | None
    outcome: Outcome | None
    refund_fen: Fen
    closed_at: Moment | None


class ReviewState(Out, frozen=True, kw_only=True):
    """The review of the order."""

    speed: int
    code_worked: bool
    posted_at: Moment | None


class ClaimState(Out, frozen=True, kw_only=True):
    """What the buyer claims of a shop that vanished after it was paid."""

    claim_fen: Fen
    row: str
    filed_at: Moment


class OrderView(Out, frozen=True, kw_only=True):
    """One order whole."""

    reference: Reference
    shop_no: int
    shop_name: str
    listing_id: Id
    revision: int
    revision_hash: Hash
    terms: Terms
    buyer: Annotated[str, Meta(description="What this shop's public facts call the buyer.")]
    stage: Stage
    quantity: int
    unit_price_fen: Fen
    amount_fen: Fen
    delivery: Delivery
    placed_at: Moment
    expires_at: Moment
    paid_at: Moment | None
    deliver_by: Moment | None
    wait_agreed: bool
    delivered_at: Moment | None
    ended_at: Moment | None
    ended_by: str
    due_at: Annotated[Moment | None, Meta(description="When the order moves on by itself.")]
    due_what: str | None
    money: MoneyState
    codes: tuple[CodeState, ...]
    complaint: ComplaintState | None
    review: ReviewState | None
    claim: ClaimState | None


class OrderRow(Out, frozen=True, kw_only=True):
    """One order in a list."""

    reference: Reference
    product: str
    stage: Stage
    quantity: int
    amount_fen: Fen
    placed_at: Moment
    due_at: Moment | None
    due_what: str | None


class OrderRows(Out, frozen=True, kw_only=True):
    """A page of orders, newest first."""

    orders: tuple[OrderRow, ...]
    next_cursor: str | None


class FactView(Out, frozen=True, kw_only=True):
    """One thing that happened, as it is written for ever. What is sealed shows as commitments only."""

    version: int
    kind: str
    at: Moment
    leaf_hash: Hash
    public: dict[str, object]


class Facts(Out, frozen=True, kw_only=True):
    """Everything that happened to one order, oldest first."""

    facts: tuple[FactView, ...]


class Done(Out, frozen=True, kw_only=True):
    """What the command came to: the order's stage after it, and the kinds of facts it made (none: so already)."""

    stage: Stage
    kinds: tuple[str, ...]


def order_view(record: OrderRecord) -> OrderView:
    """What both sides may read of an order."""
    file = record.file
    order, escrow, complaint, review = file.order, file.escrow, file.complaint, file.review
    return OrderView(
        reference=reference_of(record.shop_no, record.order_id),
        shop_no=record.shop_no,
        shop_name=record.shop_name,
        listing_id=order.listing_id,
        revision=order.revision,
        revision_hash=order.revision_hash,
        terms=decode_terms(record.terms_json),
        buyer=order.buyer,
        stage=order.stage,
        quantity=order.quantity,
        unit_price_fen=order.unit_price_fen,
        amount_fen=order.amount_fen,
        delivery=order.delivery,
        placed_at=moment(order.placed_at_ms),
        expires_at=moment(order.expires_at_ms),
        paid_at=moment_or_none(order.paid_at_ms),
        deliver_by=moment_or_none(order.deliver_by_ms),
        wait_agreed=order.wait_agreed,
        delivered_at=moment_or_none(order.delivered_at_ms),
        ended_at=moment_or_none(order.ended_at_ms),
        ended_by=order.ended_by,
        due_at=moment_or_none(record.due_at_ms),
        due_what=record.due_what,
        money=MoneyState(
            received_fen=escrow.received_fen,
            held_fen=escrow.held_fen,
            refunded_fen=escrow.refunded_fen,
            released_fen=escrow.released_fen,
            fee_fen=escrow.fee_fen,
            refunds=tuple(
                RefundState(amount_fen=one.amount_fen, why=one.why, state=one.state.value) for one in escrow.refunds
            ),
        ),
        codes=tuple(CodeState(code_id=one.code_id, stage=one.stage) for one in file.codes.held),
        complaint=None
        if complaint.stage is ComplaintStage.NONE
        else ComplaintState(
            stage=complaint.stage,
            reason=complaint.reason,
            demand_fen=complaint.demand_fen,
            opened_at=moment_or_none(complaint.opened_at_ms),
            answer_due_at=moment_or_none(complaint.due_at_ms),
            outcome=complaint.outcome,
            refund_fen=complaint.refund_fen,
            closed_at=moment_or_none(complaint.closed_at_ms),
        ),
        review=None
        if not review.posted_at_ms
        else ReviewState(
            speed=review.speed, code_worked=review.code_worked, posted_at=moment_or_none(review.posted_at_ms)
        ),
        claim=None
        if not (claim := record.file.claim).claim_fen
        else ClaimState(claim_fen=claim.claim_fen, row=claim.row, filed_at=moment(claim.at_ms)),
    )


def order_row(line: OrderLine) -> OrderRow:
    """One order in a list."""
    return OrderRow(
        reference=reference_of(line.shop_no, line.order_id),
        product=line.product,
        stage=Stage(line.stage),
        quantity=line.quantity,
        amount_fen=line.amount_fen,
        placed_at=moment(line.created_at_ms),
        due_at=moment_or_none(line.due_at_ms),
        due_what=line.due_what,
    )


def facts_view(facts: list[Fact]) -> Facts:
    """The public side of an order's history."""
    return Facts(
        facts=tuple(
            FactView(
                version=fact.version,
                kind=fact.kind,
                at=moment(fact.at_ms),
                leaf_hash=fact.leaf_hash,
                public=fact.public,
            )
            for fact in facts
        )
    )
