"""A complaint: the buyer says what is wrong, the merchant has 48 h, the published standard decides, silence loses.

The standard is asked after every fact and whenever a clock of its own comes (`JudgeComplaint`; the engine gathers what
is known). What it decides is a ruling, final 24 h later unless somebody appeals. What it leaves open, and every appeal,
is for people. While nothing is ruled the two may settle by themselves.
"""

from hashlib import sha256
from typing import assert_never

from msgspec import Struct

from . import dispute_state
from .basics import HOUR_MS, Command, Event, NotFound, require, require_text
from .dispute_endings import LateBriefing, closed, final, rule_late, ruled_by_standard
from .dispute_events import (
    BuyerAsked,
    BuyerReplied,
    BuyerWasAsked,
    ComplaintContested,
    ComplaintDemanded,
    ComplaintEscalated,
    ComplaintExists,
    ComplaintIsInAnotherStage,
    ComplaintLapsed,
    ComplaintOpened,
    Demand,
    JudgingWaits,
    NotSilentYet,
    OfferHasEnded,
    OfferIsNotThere,
    OrderCannotBeComplainedAbout,
    Outcome,
    Reason,
    ReviewAsked,
    ReviewIsNotAsked,
    ReviewWasAsked,
    RulingAppealed,
    RulingIsNotAgainstYou,
    RulingReviewed,
    RulingTaken,
    SettlementAccepted,
    SettlementDeclined,
    SettlementOffered,
    Side,
    StandardIsNotHeld,
)
from .dispute_state import JUDGED_STAGES, RULING_WITHIN_MS, UNRULED_STAGES, Complaint, ComplaintStage, Ruling
from .order_briefings import WindingBriefing
from .panel_verdicts import PanelBriefing, ruled_by_panel
from .reopening import CASE, REOPEN_WITHIN_MS, reopen
from .resending import confirmed, refused, resend
from .stopping import DisputeClockStopped, KnownOutage, StopBriefing, told
from .verdicts import CodeCase, document_of, hangs_on_recording, judge, standard_of

ANSWER_WITHIN_MS = 48 * HOUR_MS
REPLY_WITHIN_MS = 48 * HOUR_MS
APPEAL_WITHIN_MS = 24 * HOUR_MS
REVIEW_WITHIN_MS = 48 * HOUR_MS
PANEL_WITHIN_MS = 96 * HOUR_MS  # longer than a panel can take, with its replacements; then silence has its outcome
OFFERS_MAX = 10

INITIAL = dispute_state.INITIAL
evolve = dispute_state.evolve


class OpenComplaint(Command, frozen=True):
    """Buyer: reason, what happened, and the sum asked back (0: all that was paid)."""

    order_id: str
    reason: Reason
    text: str
    demand_fen: int = 0
    demand: Demand = Demand.REFUND
    screen: str = ""


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


class OfferSettlement(Command, frozen=True):
    """Buyer or merchant: `refund_fen` back, and the matter is over."""

    order_id: str
    by: Side
    refund_fen: int
    text: str = ""


class AnswerOffer(Command, frozen=True):
    """Buyer or merchant: yes or no to the other side's offer."""

    order_id: str
    by: Side
    offer_no: int
    accepted: bool


class AskBuyer(Command, frozen=True):
    """Merchant: a question to the buyer, once."""

    order_id: str
    text: str


class ReplyToShop(Command, frozen=True):
    """Buyer: the reply."""

    order_id: str
    text: str


class SendReplacement(Command, frozen=True):
    """Merchant: other codes of the listing instead of these (empty: of all that were opened), once."""

    order_id: str
    codes: tuple[str, ...] = ()


class ConfirmReplacement(Command, frozen=True):
    """Buyer: it works."""

    order_id: str


class RefuseReplacement(Command, frozen=True):
    """Buyer: it fails as well."""

    order_id: str
    text: str


class ReopenComplaint(Command, frozen=True):
    """Buyer: his silence ended it; here is new evidence."""

    order_id: str
    text: str


class JudgeComplaint(Command, frozen=True):
    """The engine: what is known now about each code, under the version with these bytes. `recording_until_ms`: until
    then a guided recording that was given may be doubted; 0: none waits for that.
    """

    order_id: str
    sha256: str
    codes: tuple[CodeCase, ...]
    recording_until_ms: int = 0


class RuleLateDelivery(Command, frozen=True):
    """Inner: the promise was missed; the standard says what that costs (rows R01 and R02). Nobody has to complain."""

    order_id: str


class AppealRuling(Command, frozen=True):
    """Buyer or merchant: people shall look at it."""

    order_id: str
    by: Side
    text: str


class TakeRuling(Command, frozen=True):
    """Buyer or merchant: it may be carried out now."""

    order_id: str
    by: Side


class AskReview(Command, frozen=True):
    """Buyer or merchant: a person shall look at what was decided automatically."""

    order_id: str
    by: Side
    text: str


class ReviewRuling(Command, frozen=True):
    """Operator: it stands, or a panel shall decide. He cannot set the outcome."""

    order_id: str
    confirmed: bool
    text: str


class TakePanelVerdict(Command, frozen=True):
    """Inner: the panel of this level decided. `refund_fen` of what is disputed goes back."""

    order_id: str
    panel_id: str
    level: int
    refund_fen: int
    row: str
    case: str
    text_sha256: str


class TakePanelLapse(Command, frozen=True):
    """Inner: the panel came to no decision; the outcome of its silence follows now and not when its time is over."""

    order_id: str
    panel_id: str


class WindUpComplaint(Command, frozen=True):
    """The engine: the shop has vanished; what is not ruled yet ends with all money back."""

    order_id: str


class StopDisputeClock(Command, frozen=True):
    """Clock: what outages of the product's issuers, `known` by now, did to the deadline of whose turn it is."""

    order_id: str
    known: tuple[KnownOutage, ...] = ()


class EndSilence(Command, frozen=True):
    """Clock: whose turn it was, was silent; or the time for an appeal is over."""

    order_id: str


ComplaintCommand = (
    OpenComplaint | AcceptComplaint | ContestComplaint | WithdrawComplaint | OfferSettlement | AnswerOffer | AskBuyer
    | ReplyToShop | JudgeComplaint | RuleLateDelivery | AppealRuling | TakeRuling | AskReview | ReviewRuling
    | TakePanelVerdict | TakePanelLapse | EndSilence | SendReplacement | ConfirmReplacement | RefuseReplacement
    | ReopenComplaint | WindUpComplaint | StopDisputeClock
)  # fmt: skip


class OrderBriefing(Struct, frozen=True, kw_only=True):
    """What opening a complaint must be told about the order."""

    stage: str
    is_delivered: bool
    amount_fen: int


class BoxBriefing(Struct, frozen=True, kw_only=True):
    """What sending a replacement must be told: the codes of the order that the buyer opened."""

    opened: tuple[str, ...]


class GivenBriefing(Struct, frozen=True, kw_only=True):
    """What re-opening must be told: when the buyer last gave evidence that still stands; 0: never."""

    evidence_at_ms: int


def decide(
    command: ComplaintCommand,
    complaint: Complaint,
    brief: Struct | None,
    at_ms: int,
) -> list[Event]:
    """What follows from `command` for this order's complaint, or a `Refusal`."""
    match command:
        case OpenComplaint():
            assert isinstance(brief, OrderBriefing)
            return _open(command, complaint, brief, at_ms)
        case AcceptComplaint():
            _require(complaint, *UNRULED_STAGES)
            return closed(complaint, Outcome.ACCEPTED, complaint.demand_fen)
        case ContestComplaint():
            _require(complaint, ComplaintStage.OPENED)
            require_text(command.text, "text", 4_000, 5)
            return [ComplaintContested(text=command.text, rule_by_ms=at_ms + RULING_WITHIN_MS)]
        case WithdrawComplaint():
            _require(complaint, *UNRULED_STAGES)
            return closed(complaint, Outcome.WITHDRAWN, 0)
        case OfferSettlement() | AnswerOffer():
            return _settle(command, complaint, at_ms)
        case AskBuyer():
            _require(complaint, ComplaintStage.OPENED, ComplaintStage.CONTESTED)
            if complaint.asked_at_ms:
                raise BuyerWasAsked
            require_text(command.text, "text", 2_000, 5)
            return [BuyerAsked(reply_by_ms=at_ms + REPLY_WITHIN_MS, text=command.text)]
        case ReplyToShop():
            _require(complaint, ComplaintStage.ASKED)
            require_text(command.text, "text", 4_000, 1)
            return [BuyerReplied(text=command.text)]
        case SendReplacement():
            assert isinstance(brief, BoxBriefing)
            _require(complaint, *JUDGED_STAGES)
            return resend(complaint, brief.opened, command.codes, at_ms)
        case ConfirmReplacement():
            _require(complaint, ComplaintStage.RESENT)
            return confirmed(complaint, at_ms)
        case RefuseReplacement():
            _require(complaint, ComplaintStage.RESENT)
            if at_ms >= complaint.confirm_by_ms:
                raise ComplaintIsInAnotherStage(stage=complaint.stage.value)
            return refused(command.text, at_ms)
        case ReopenComplaint():
            assert isinstance(brief, GivenBriefing)
            if complaint.stage is ComplaintStage.NONE:
                raise NotFound(what="complaint")
            return reopen(complaint, command.text, brief.evidence_at_ms, at_ms)
        case JudgeComplaint():
            return _judge(command, complaint, at_ms)
        case RuleLateDelivery():
            assert isinstance(brief, LateBriefing)
            return rule_late(complaint, brief, at_ms)
        case AppealRuling():
            return _appeal(command, complaint, at_ms)
        case TakeRuling():
            taken = _require_lost(complaint, command.by)
            return [RulingTaken(ruling_no=taken.ruling_no, by=command.by), *final(complaint, taken)]
        case AskReview() | ReviewRuling():
            return _review(command, complaint, at_ms)
        case TakePanelVerdict() | TakePanelLapse():
            return _take_panel(command, complaint, brief, at_ms)
        case WindUpComplaint():
            assert isinstance(brief, WindingBriefing)
            _require(complaint, *UNRULED_STAGES, ComplaintStage.LAPSED)
            brief.require_vanished()
            return closed(complaint, Outcome.SHOP_VANISHED, brief.amount_fen)
        case StopDisputeClock():
            assert isinstance(brief, StopBriefing)
            return told(DisputeClockStopped, complaint.running, complaint.stops, command.known, brief, at_ms)
        case EndSilence():
            return _end_silence(command.order_id, complaint, at_ms)
        case _:
            assert_never(command)


def _open(command: OpenComplaint, complaint: Complaint, brief: OrderBriefing, at_ms: int) -> list[Event]:
    if complaint.stage is not ComplaintStage.NONE:
        raise ComplaintExists
    if not brief.is_delivered:
        raise OrderCannotBeComplainedAbout(stage=brief.stage)
    require_text(command.text, "text", 4_000, 5)
    require_text(command.screen, "screen", 80)
    demand_fen = command.demand_fen or brief.amount_fen
    require(1 <= demand_fen <= brief.amount_fen, "demand_fen", "out_of_range")
    opened = ComplaintOpened(
        reason=command.reason, demand_fen=demand_fen, text=command.text, answer_by_ms=at_ms + ANSWER_WITHIN_MS
    )
    if command.demand is Demand.REFUND and not command.screen:
        return [opened]
    return [opened, ComplaintDemanded(demand=command.demand, screen=command.screen)]


def _settle(command: OfferSettlement | AnswerOffer, complaint: Complaint, at_ms: int) -> list[Event]:
    _require(complaint, *UNRULED_STAGES)
    if isinstance(command, OfferSettlement):
        require(0 <= command.refund_fen <= complaint.demand_fen, "refund_fen", "out_of_range")
        require(len(complaint.offers) < OFFERS_MAX, "offers", "too_many")
        require_text(command.text, "text", 2_000)
        number = len(complaint.offers) + 1
        return [SettlementOffered(offer_no=number, by=command.by, refund_fen=command.refund_fen, text=command.text)]
    offer = next((one for one in complaint.offers if one.offer_no == command.offer_no), None)
    if offer is None or offer.state != "open" or offer.by is command.by:
        raise OfferIsNotThere(offer_no=command.offer_no)
    if not offer.is_open(at_ms):
        raise OfferHasEnded(offer_no=offer.offer_no, until_ms=offer.until_ms)
    if not command.accepted:
        return [SettlementDeclined(offer_no=offer.offer_no, by=command.by)]
    return [
        SettlementAccepted(offer_no=offer.offer_no, by=command.by),
        *closed(complaint, Outcome.SETTLED, offer.refund_fen),
    ]


def _judge(command: JudgeComplaint, complaint: Complaint, at_ms: int) -> list[Event]:
    """Rule, hand over to people, or say until when it is open. Judging again with nothing new changes nothing."""
    _require(complaint, *JUDGED_STAGES)
    if complaint.stage is ComplaintStage.RESENT and at_ms < complaint.confirm_by_ms:
        return []  # first the buyer says whether the replacement works
    standard = standard_of(command.sha256)
    if standard is None:
        raise StandardIsNotHeld(sha256=command.sha256)
    require(bool(command.codes), "codes", "empty")
    verdict = judge(standard, command.codes, complaint.demand_fen, at_ms)
    if complaint.stage is ComplaintStage.RESENT and verdict.case != "R10d":
        return closed(complaint, Outcome.RESENT, 0)
    waits = at_ms < command.recording_until_ms and hangs_on_recording(standard, verdict)
    if verdict.state == "decided" and not waits:
        document = document_of(command.codes, complaint.demand_fen, at_ms, verdict)
        waits_ms = REOPEN_WITHIN_MS if verdict.case == CASE and not complaint.reopened_at_ms else APPEAL_WITHIN_MS
        return [ruled_by_standard(verdict, document, complaint.rulings + 1, at_ms + waits_ms)]
    if verdict.state == "panel" and not waits:
        return [_escalated(command.order_id, complaint, "standard", verdict.case, at_ms)]
    until_ms = command.recording_until_ms if waits else verdict.next_at_ms
    if not until_ms or until_ms == complaint.due_at_ms:
        return []
    return [JudgingWaits(case=verdict.case, until_ms=until_ms)]


def panel_id_of(order_id: str, level: int) -> str:
    """The id of the panel of a level about an order: one a level, so that a repeat finds the same."""
    digest = sha256(f"fairkey panel\n{order_id}\n{level}".encode()).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-8{digest[13:16]}-9{digest[17:20]}-{digest[20:32]}"


def _escalated(order_id: str, complaint: Complaint, by: str, case: str, at_ms: int) -> ComplaintEscalated:
    level = complaint.next_level
    return ComplaintEscalated(
        level=level,
        by=by,
        case=case,
        panel_id=panel_id_of(order_id, level),
        value_fen=complaint.demand_fen,
        stake_fen=complaint.stake_fen(by),
        decide_by_ms=at_ms + PANEL_WITHIN_MS,
    )


def _appeal(command: AppealRuling, complaint: Complaint, at_ms: int) -> list[Event]:
    ruling = _require_lost(complaint, command.by)
    require_text(command.text, "text", 4_000, 5)
    level = complaint.next_level
    return [
        RulingAppealed(ruling_no=ruling.ruling_no, by=command.by, level=level, text=command.text),
        _escalated(command.order_id, complaint, command.by.value, ruling.case, at_ms),
    ]


def _review(command: AskReview | ReviewRuling, complaint: Complaint, at_ms: int) -> list[Event]:
    """A person looks at an automatic ruling: he lets it stand or gives it to a panel."""
    if isinstance(command, AskReview):
        ruling = _require_lost(complaint, command.by)
        if ruling.level or ruling.review_by_ms:
            raise ReviewWasAsked
        require_text(command.text, "text", 4_000, 5)
        by_ms = at_ms + REVIEW_WITHIN_MS
        return [ReviewAsked(ruling_no=ruling.ruling_no, by=command.by, review_by_ms=by_ms, text=command.text)]
    _require(complaint, ComplaintStage.RULED)
    assert complaint.ruling is not None
    ruling = complaint.ruling
    if not ruling.review_by_ms or ruling.reviewed:
        raise ReviewIsNotAsked
    require_text(command.text, "text", 4_000, 5)
    reviewed = RulingReviewed(
        ruling_no=ruling.ruling_no,
        confirmed=command.confirmed,
        appeal_by_ms=at_ms + APPEAL_WITHIN_MS,
        text=command.text,
    )
    if command.confirmed:
        return [reviewed]
    return [reviewed, _escalated(command.order_id, complaint, "operator", ruling.case, at_ms)]


def _take_panel(
    command: TakePanelVerdict | TakePanelLapse, complaint: Complaint, brief: Struct | None, at_ms: int
) -> list[Event]:
    """What the panel decided, or what follows where it decided nothing. One that nobody waits for changes nothing."""
    assert brief is None or isinstance(brief, PanelBriefing)
    its_panel = panel_id_of(command.order_id, complaint.level)
    if complaint.stage is not ComplaintStage.PANEL or command.panel_id != its_panel:
        return []
    if isinstance(command, TakePanelLapse):
        return _without_people(complaint)
    assert brief is not None
    ruled = ruled_by_panel(
        complaint,
        brief,
        panel_id=command.panel_id,
        named=command.case or command.row,
        refund_fen=command.refund_fen,
        votes_sha256=command.text_sha256,
        at_ms=at_ms,
        appeal_by_ms=at_ms + APPEAL_WITHIN_MS if complaint.next_level else at_ms,
    )
    if complaint.next_level:
        return [ruled]
    return [ruled, *final(complaint, ruled)]


def _end_silence(order_id: str, complaint: Complaint, at_ms: int) -> list[Event]:
    _require(complaint, *UNRULED_STAGES, ComplaintStage.LAPSED, ComplaintStage.RULED)
    if at_ms < complaint.due_at_ms:
        raise NotSilentYet(due_at_ms=complaint.due_at_ms)
    ruling = complaint.ruling
    if complaint.stage is ComplaintStage.RULED:
        assert ruling is not None
        if ruling.review_by_ms and not ruling.reviewed:  # the platform was asked and is silent: people decide
            return [_escalated(order_id, complaint, "silence", ruling.case, at_ms)]
        return final(complaint, ruling)
    if complaint.stage is ComplaintStage.ASKED and at_ms < complaint.reply_by_ms:
        return [JudgingWaits(case="", until_ms=complaint.reply_by_ms)]
    if complaint.stage is ComplaintStage.ASKED and not complaint.reopened_at_ms:
        return [ComplaintLapsed(reopen_by_ms=at_ms + REOPEN_WITHIN_MS)]
    if complaint.stage in (ComplaintStage.ASKED, ComplaintStage.LAPSED):
        return closed(complaint, Outcome.WITHDRAWN, 0)
    if complaint.stage is ComplaintStage.RESENT:
        return closed(complaint, Outcome.RESENT, 0)
    if complaint.stage is ComplaintStage.OPENED and at_ms < complaint.answer_by_ms:
        return [JudgingWaits(case="", until_ms=complaint.answer_by_ms)]  # the standard was to be asked, and was not
    if complaint.stage is ComplaintStage.OPENED:
        return closed(complaint, Outcome.MERCHANT_SILENT, complaint.demand_fen)
    return _without_people(complaint)


def _without_people(complaint: Complaint) -> list[Event]:
    """What was ruled before stands; where nothing was, the platform owed a decision and the buyer has it."""
    if complaint.ruling is not None:
        return final(complaint, complaint.ruling)
    return closed(complaint, Outcome.OPERATOR_SILENT, complaint.demand_fen)


def _require_lost(complaint: Complaint, by: Side) -> Ruling:
    """Only while it is ruled, only against who did not get all that he wanted."""
    _require(complaint, ComplaintStage.RULED)
    ruling = complaint.ruling
    assert ruling is not None
    back_fen = ruling.refund_fen + ruling.pool_fen
    if not complaint.has_lost(by):
        raise RulingIsNotAgainstYou(refund_fen=back_fen)
    return ruling


def _require(complaint: Complaint, *allowed: ComplaintStage) -> None:
    if complaint.stage is ComplaintStage.NONE:
        raise NotFound(what="complaint")
    if complaint.stage not in allowed:
        raise ComplaintIsInAnotherStage(stage=complaint.stage.value)
