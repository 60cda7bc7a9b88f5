"""What can happen in a dispute, and what can be refused: events and refusals of a complaint, and their words."""

from enum import StrEnum

from .basics import Event, Refusal
from .stopping import DisputeClockStopped


class Reason(StrEnum):
    """What is wrong, in the buyer's words."""

    ALREADY_USED = "already_used"
    NOT_VALID = "not_valid"
    WRONG_REGION = "wrong_region"
    WRONG_PRODUCT = "wrong_product"
    EXPIRED_CODE = "expired_code"
    REVOKED_LATER = "revoked_later"
    NOT_OPENED = "not_opened"
    OFF_PLATFORM = "off_platform"
    OTHER = "other"


class Demand(StrEnum):
    """What the buyer wants."""

    REFUND = "refund"
    RESEND = "resend"  # a working code; the money if none comes
    COMPENSATION = "compensation"


class Side(StrEnum):
    """A party of the complaint."""

    BUYER = "buyer"
    SHOP = "shop"


class Outcome(StrEnum):
    """How a complaint ended."""

    ACCEPTED = "accepted"  # the merchant agreed
    MERCHANT_SILENT = "merchant_silent"
    RULED = "ruled"  # people decided
    STANDARD = "standard"  # the published standard decided
    SETTLED = "settled"
    OPERATOR_SILENT = "operator_silent"
    WITHDRAWN = "withdrawn"
    RESENT = "resent"  # the buyer has a working code instead
    SHOP_VANISHED = "shop_vanished"  # all its open orders are refunded (R18)


class ComplaintOpened(Event, frozen=True):
    """The buyer complains and asks `demand_fen` back."""

    kind = "dispute.opened"
    sealed = frozenset({"text"})
    reason: Reason
    demand_fen: int
    text: str
    answer_by_ms: int


class ComplaintContested(Event, frozen=True):
    """The merchant disagrees; the operator decides."""

    kind = "dispute.answered"
    sealed = frozenset({"text"})
    text: str
    rule_by_ms: int


class ComplaintClosed(Event, frozen=True):
    """It is over: `refund_fen` goes back to the buyer."""

    kind = "dispute.final"
    sealed = frozenset({"text"})
    outcome: Outcome
    refund_fen: int
    text: str


class Following(StrEnum):
    """How a ruling stands to what the standard said."""

    FOLLOWED = "followed"
    DEPARTED = "departed"
    OPEN = "open"  # the standard left it open: a panel's, or waiting for evidence


class RulingWeighed(Event, frozen=True):
    """What the standard said when the operator ruled: the cases that decided and the refund they come to.

    `departs`: why the operator did not follow it.
    """

    kind = "dispute.weighed"
    sealed = frozenset({"departs"})
    standard: str
    version: str
    sha256: str
    cases: tuple[str, ...]
    advised_fen: int
    following: Following
    departs: str


class ComplaintDemanded(Event, frozen=True):
    """What is wanted, and what the screen said (the name of an issuer's error text, empty if none was picked)."""

    kind = "dispute.demanded"
    demand: Demand
    screen: str


class SettlementOffered(Event, frozen=True):
    """One side proposes that `refund_fen` goes back and the matter is over."""

    kind = "dispute.offered"
    sealed = frozenset({"text"})
    offer_no: int
    by: Side
    refund_fen: int
    text: str


class SettlementAccepted(Event, frozen=True):
    """The other side agrees."""

    kind = "dispute.accepted"
    offer_no: int
    by: Side


class SettlementDeclined(Event, frozen=True):
    """The other side does not."""

    kind = "dispute.declined"
    offer_no: int
    by: Side


class BuyerAsked(Event, frozen=True):
    """The shop needs to know something; no reply in time ends the complaint (row R16)."""

    kind = "dispute.asked"
    sealed = frozenset({"text"})
    reply_by_ms: int
    text: str


class BuyerReplied(Event, frozen=True):
    """The buyer's reply."""

    kind = "dispute.replied"
    sealed = frozenset({"text"})
    text: str


class JudgingWaits(Event, frozen=True):
    """The standard leaves it open until then, as things stand; `case` says which case speaks."""

    kind = "dispute.waiting"
    case: str
    until_ms: int


class ComplaintEscalated(Event, frozen=True):
    """A panel of `level` people decides: the standard leaves it to them, somebody appeals, or the platform itself found
    a ruling doubtful. `by`: standard, buyer, shop, operator or silence (of the operator).
    """

    kind = "dispute.escalated"
    level: int
    by: str
    case: str
    panel_id: str
    value_fen: int
    stake_fen: int
    decide_by_ms: int


class ComplaintRuled(Event, frozen=True):
    """A ruling by the standard or a panel; what follows from it is public, what it was made of is sealed (`verdict`).

    `by`: standard, panel. `level`: 0, or how many people decided. `counted`: it is a defect of the shop's. Nothing
    moves before it is final.
    """

    kind = "dispute.ruled"
    sealed = frozenset({"verdict"})
    ruling_no: int
    by: str
    level: int
    standard: str
    version: str
    sha256: str
    row: str
    case: str
    cases: tuple[str, ...]
    outcome: str
    refund_fen: int
    pool_fen: int
    deduct_fen: int
    bounty_fen: int
    points: int
    buyer_points: int
    counted: bool
    freezes_shop: bool
    quarantines_batch: bool
    appeal_by_ms: int
    verdict: str


class RulingAppealed(Event, frozen=True):
    """Who lost wants people to look at it."""

    kind = "dispute.appealed"
    sealed = frozenset({"text"})
    ruling_no: int
    by: Side
    level: int
    text: str


class ReviewAsked(Event, frozen=True):
    """Who lost by an automatic ruling wants a person to look at it (平台规则监督管理办法 19, 27)."""

    kind = "dispute.review_asked"
    sealed = frozenset({"text"})
    ruling_no: int
    by: Side
    review_by_ms: int
    text: str


class RulingReviewed(Event, frozen=True):
    """A person looked at it: it stands, or a panel decides. He sets no outcome."""

    kind = "dispute.reviewed"
    sealed = frozenset({"text"})
    ruling_no: int
    confirmed: bool
    appeal_by_ms: int
    text: str


class RulingTaken(Event, frozen=True):
    """Who lost takes the ruling as it is: it need not wait for the time of appeal."""

    kind = "dispute.ruling_taken"
    ruling_no: int
    by: Side


class RulingExecuted(Event, frozen=True):
    """A final ruling is carried out: out of the escrow; what that no longer holds out of the deposit; then the pool.

    What it costs the shop comes on top. In the transaction in which it became final, so once.
    """

    kind = "dispute.executed"
    ruling_no: int
    row: str
    escrow_fen: int
    deposit_fen: int
    pool_fen: int
    deduct_fen: int


class StakeSettled(Event, frozen=True):
    """The dispute ended: the stake of an appeal goes back, or is lost. `kept_fen`: what is kept of it, a shop's out of
    its deposit, a buyer's out of his refund.
    """

    kind = "dispute.stake_settled"
    level: int
    panel_id: str
    by: Side
    stake_fen: int
    returned: bool
    kept_fen: int


class ReplacementSent(Event, frozen=True):
    """The shop gave other codes instead of these: a corrected code (rows R10a, R10d). They lie sealed in the box."""

    kind = "dispute.resent"
    instead_of: tuple[str, ...]
    confirm_by_ms: int


class ReplacementConfirmed(Event, frozen=True):
    """The buyer says that the replacement works; the complaint ends by what the standard says of it."""

    kind = "dispute.resend_confirmed"


class ReplacementRefused(Event, frozen=True):
    """The buyer complains about the replacement: nothing was corrected, and the shop has to answer anew."""

    kind = "dispute.resend_refused"
    sealed = frozenset({"text"})
    text: str
    answer_by_ms: int


class ComplaintLapsed(Event, frozen=True):
    """The buyer was asked and said nothing (row R16), where no standard was in force: it ends unless he re-opens it."""

    kind = "dispute.lapsed"
    reopen_by_ms: int


class ComplaintReopened(Event, frozen=True):
    """The buyer has new evidence after his silence ended the complaint (row R16): it goes on, once."""

    kind = "dispute.reopened"
    sealed = frozenset({"text"})
    text: str
    rule_by_ms: int


ComplaintEvent = (
    ComplaintOpened | ComplaintDemanded | ComplaintContested | SettlementOffered | SettlementAccepted
    | SettlementDeclined | BuyerAsked | BuyerReplied | JudgingWaits | ComplaintEscalated | ComplaintRuled
    | RulingAppealed | ReviewAsked | RulingReviewed | RulingTaken | RulingWeighed | ComplaintClosed | RulingExecuted
    | StakeSettled | ReplacementSent | ReplacementConfirmed | ReplacementRefused
    | ComplaintLapsed | ComplaintReopened | DisputeClockStopped
)  # fmt: skip


class ComplaintExists(Refusal):
    """One complaint an order."""


class OrderCannotBeComplainedAbout(Refusal):
    """Only delivered orders can; before that the clock refunds by itself. Details: stage."""


class ComplaintIsInAnotherStage(Refusal):
    """Details: stage."""


class NotSilentYet(Refusal):
    """Details: due_at_ms."""


class OfferIsNotThere(Refusal):
    """There is no such offer that waits for this side. Details: offer_no."""


class OfferHasEnded(Refusal):
    """An offer stands for 48 hours. Details: offer_no, until_ms."""


class ReopeningIsOver(Refusal):
    """Only what ended because the buyer said nothing (row R16), once, within 48 hours.

    Details: why (`other_end`, `used`, `late`).
    """


class NewEvidenceIsMissing(Refusal):
    """A complaint is re-opened by evidence that was given after the question. Details: asked_at_ms."""


class ReplacementWasSent(Refusal):
    """One replacement a complaint."""


class ReplacementIsNotWanted(Refusal):
    """Only where the buyer asked for a working code, or says that the code is not valid. Details: demand, reason."""


class CodeWasNotOpened(Refusal):
    """Only codes that the buyer opened are replaced; sealed ones are as good as new."""


class BuyerWasAsked(Refusal):
    """One question a complaint."""


class StandardIsNotHeld(Refusal):
    """The bytes of that version are not in this release. Details: sha256."""


class ReviewIsNotAsked(Refusal):
    """Nobody asked for a person to look at this ruling, or one did already."""


class ReviewWasAsked(Refusal):
    """One review a ruling; and only of what was decided automatically."""


class RulingIsNotAgainstYou(Refusal):
    """Who got what he asked for has nothing to appeal or to take. Details: refund_fen."""
