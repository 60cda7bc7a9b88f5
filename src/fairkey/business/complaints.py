"""A plain complaint: the buyer says what is wrong, the merchant has 48 h, silence loses, the operator decides.

The published standard and panels replace the operator's judging; the clocks and the freeze stay.
"""

from enum import StrEnum
from typing import assert_never

from msgspec import Struct
from msgspec.structs import replace

from .basics import HOUR_MS, Command, Event, NotFound, Refusal, require, require_text

ANSWER_WITHIN_MS = 48 * HOUR_MS
RULING_WITHIN_MS = 48 * HOUR_MS


class Reason(StrEnum):
    """What is wrong, in the buyer's words."""

    ALREADY_USED = "already_used"
    NOT_VALID = "not_valid"
    WRONG_REGION = "wrong_region"
    WRONG_PRODUCT = "wrong_product"
    EXPIRED_CODE = "expired_code"
    OTHER = "other"


class ComplaintStage(StrEnum):
    """Where a complaint stands."""

    NONE = "none"
    OPENED = "opened"
    CONTESTED = "contested"
    CLOSED = "closed"


class Outcome(StrEnum):
    """How a complaint ended."""

    ACCEPTED = "accepted"  # the merchant agreed
    MERCHANT_SILENT = "merchant_silent"
    RULED = "ruled"  # the operator decided
    OPERATOR_SILENT = "operator_silent"
    WITHDRAWN = "withdrawn"


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


ComplaintEvent = ComplaintOpened | ComplaintContested | ComplaintClosed | RulingWeighed


class Advised(Struct, frozen=True, kw_only=True):
    """What the standard says as things stand. `is_open`: it does not decide (yet)."""

    standard: str
    version: str
    sha256: str
    cases: tuple[str, ...]
    refund_fen: int
    is_open: bool


class OpenComplaint(Command, frozen=True):
    """Buyer: reason, what happened, and the sum asked back (0: all that was paid)."""

    order_id: str
    reason: Reason
    text: str
    demand_fen: int = 0


class AcceptComplaint(Command, frozen=True):
    """Merchant: agreed, pay the demand back."""

    order_id: str


class ContestComplaint(Command, frozen=True):
    """Merchant: disagrees, and says why."""

    order_id: str
    text: str


class WithdrawComplaint(Command, frozen=True):
    """Buyer: settled; the order completes."""

    order_id: str


class RuleComplaint(Command, frozen=True):
    """Operator: `refund_fen` goes back (0: the complaint is rejected), with the reason both sides will read.

    `advised`: what he was shown of the standard; who departs from it says why in `departs`.
    """

    order_id: str
    refund_fen: int
    text: str
    advised: Advised | None = None
    departs: str = ""


class EndSilence(Command, frozen=True):
    """Clock: whose turn it was, was silent."""

    order_id: str


ComplaintCommand = OpenComplaint | AcceptComplaint | ContestComplaint | WithdrawComplaint | RuleComplaint | EndSilence


class ComplaintExists(Refusal):
    """One complaint an order."""


class OrderCannotBeComplainedAbout(Refusal):
    """Only delivered orders can; before that the clock refunds by itself. Details: stage."""


class ComplaintIsInAnotherStage(Refusal):
    """Details: stage."""


class NotSilentYet(Refusal):
    """Details: due_at_ms."""


class OrderBriefing(Struct, frozen=True, kw_only=True):
    """What opening a complaint must be told about the order."""

    stage: str
    is_delivered: bool
    amount_fen: int


class Complaint(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The complaint of one order."""

    stage: ComplaintStage = ComplaintStage.NONE
    reason: Reason | None = None
    demand_fen: int = 0
    opened_at_ms: int = 0
    due_at_ms: int = 0
    outcome: Outcome | None = None
    refund_fen: int = 0
    closed_at_ms: int = 0


INITIAL = Complaint()


def decide(
    command: ComplaintCommand, complaint: Complaint, brief: OrderBriefing | None, at_ms: int
) -> list[Event]:
    """What follows from `command` for this order's complaint, or a `Refusal`."""
    match command:
        case OpenComplaint():
            assert brief is not None
            return [_open(command, complaint, brief, at_ms)]
        case AcceptComplaint():
            _require(complaint, ComplaintStage.OPENED, ComplaintStage.CONTESTED)
            return [ComplaintClosed(outcome=Outcome.ACCEPTED, refund_fen=complaint.demand_fen, text="")]
        case ContestComplaint():
            _require(complaint, ComplaintStage.OPENED)
            require_text(command.text, "text", 4_000, 5)
            return [ComplaintContested(text=command.text, rule_by_ms=at_ms + RULING_WITHIN_MS)]
        case WithdrawComplaint():
            _require(complaint, ComplaintStage.OPENED, ComplaintStage.CONTESTED)
            return [ComplaintClosed(outcome=Outcome.WITHDRAWN, refund_fen=0, text="")]
        case RuleComplaint():
            assert brief is not None
            _require(complaint, ComplaintStage.CONTESTED)
            require(0 <= command.refund_fen <= brief.amount_fen, "refund_fen", "out_of_range")
            require_text(command.text, "text", 4_000, 5)
            ruled = ComplaintClosed(outcome=Outcome.RULED, refund_fen=command.refund_fen, text=command.text)
            return [*_weigh(command), ruled]
        case EndSilence():
            _require(complaint, ComplaintStage.OPENED, ComplaintStage.CONTESTED)
            if at_ms < complaint.due_at_ms:
                raise NotSilentYet(due_at_ms=complaint.due_at_ms)
            merchant = complaint.stage is ComplaintStage.OPENED
            outcome = Outcome.MERCHANT_SILENT if merchant else Outcome.OPERATOR_SILENT
            return [ComplaintClosed(outcome=outcome, refund_fen=complaint.demand_fen, text="")]
        case _:
            assert_never(command)


def _open(command: OpenComplaint, complaint: Complaint, brief: OrderBriefing, at_ms: int) -> ComplaintOpened:
    if complaint.stage is not ComplaintStage.NONE:
        raise ComplaintExists
    if not brief.is_delivered:
        raise OrderCannotBeComplainedAbout(stage=brief.stage)
    require_text(command.text, "text", 4_000, 5)
    demand_fen = command.demand_fen or brief.amount_fen
    require(1 <= demand_fen <= brief.amount_fen, "demand_fen", "out_of_range")
    return ComplaintOpened(
        reason=command.reason, demand_fen=demand_fen, text=command.text, answer_by_ms=at_ms + ANSWER_WITHIN_MS
    )


def _weigh(command: RuleComplaint) -> list[Event]:
    advised = command.advised
    if advised is None:
        return []
    following = Following.FOLLOWED if command.refund_fen == advised.refund_fen else Following.DEPARTED
    if advised.is_open:
        following = Following.OPEN
    if following is Following.DEPARTED:
        require_text(command.departs, "departs", 2_000, 5)
    return [
        RulingWeighed(
            standard=advised.standard,
            version=advised.version,
            sha256=advised.sha256,
            cases=advised.cases,
            advised_fen=advised.refund_fen,
            following=following,
            departs=command.departs if following is Following.DEPARTED else "",
        )
    ]


def _require(complaint: Complaint, *allowed: ComplaintStage) -> None:
    if complaint.stage is ComplaintStage.NONE:
        raise NotFound(what="complaint")
    if complaint.stage not in allowed:
        raise ComplaintIsInAnotherStage(stage=complaint.stage.value)


def evolve(complaint: Complaint, event: ComplaintEvent, at_ms: int) -> Complaint:
    """The complaint after `event`."""
    match event:
        case ComplaintOpened():
            return Complaint(
                stage=ComplaintStage.OPENED,
                reason=event.reason,
                demand_fen=event.demand_fen,
                opened_at_ms=at_ms,
                due_at_ms=event.answer_by_ms,
            )
        case ComplaintContested():
            return replace(complaint, stage=ComplaintStage.CONTESTED, due_at_ms=event.rule_by_ms)
        case ComplaintClosed():
            return replace(
                complaint,
                stage=ComplaintStage.CLOSED,
                outcome=event.outcome,
                refund_fen=event.refund_fen,
                due_at_ms=0,
                closed_at_ms=at_ms,
            )
        case RulingWeighed():
            return complaint  # the ruling itself follows at once
        case _:
            assert_never(event)
