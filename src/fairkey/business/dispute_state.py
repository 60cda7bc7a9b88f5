"""How a complaint stands: folded from its facts."""

from enum import StrEnum
from typing import assert_never

from msgspec import Struct
from msgspec.structs import replace

from .basics import DAY_MS, HOUR_MS
from .dispute_events import (
    BuyerAsked,
    BuyerReplied,
    ComplaintClosed,
    ComplaintContested,
    ComplaintDemanded,
    ComplaintEscalated,
    ComplaintEvent,
    ComplaintLapsed,
    ComplaintOpened,
    ComplaintReopened,
    ComplaintRuled,
    Demand,
    JudgingWaits,
    Outcome,
    Reason,
    ReplacementConfirmed,
    ReplacementRefused,
    ReplacementSent,
    ReviewAsked,
    RulingAppealed,
    RulingExecuted,
    RulingReviewed,
    RulingTaken,
    RulingWeighed,
    SettlementAccepted,
    SettlementDeclined,
    SettlementOffered,
    Side,
    StakeSettled,
)
from .stakes import Stake, stake_fen
from .stopping import DisputeClockStopped, Running, Stop, standing, stop_of

RULING_WITHIN_MS = 48 * HOUR_MS
OFFER_STANDS_MS = 48 * HOUR_MS
LEVELS = (3, 7, 17)


class ComplaintStage(StrEnum):
    """Where a complaint stands."""

    NONE = "none"
    OPENED = "opened"
    CONTESTED = "contested"
    RESENT = "resent"  # a replacement was sent; the buyer confirms it or complains again
    ASKED = "asked"  # the shop asked the buyer something
    LAPSED = "lapsed"  # the buyer was silent; he may re-open it
    PANEL = "panel"  # people decide
    RULED = "ruled"  # final when the time for an appeal is over
    CLOSED = "closed"


OPEN_STAGES = (ComplaintStage.OPENED, ComplaintStage.CONTESTED, ComplaintStage.ASKED)
JUDGED_STAGES = (*OPEN_STAGES, ComplaintStage.RESENT)
UNRULED_STAGES = (*JUDGED_STAGES, ComplaintStage.PANEL)  # the two may still settle by themselves


class Offer(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A proposal to settle, until `until_ms`. `state`: open, accepted, declined."""

    offer_no: int
    by: Side
    refund_fen: int
    state: str = "open"
    until_ms: int = 0

    def is_open(self, now_ms: int) -> bool:
        """Whether it can still be answered."""
        return self.state == "open" and now_ms < self.until_ms


class Turn(StrEnum):
    """What a dispute waits for from one side."""

    ANSWER = "answer"
    REPLY = "reply"
    REOPEN = "reopen"  # what ended by his silence
    CONFIRM = "confirm"  # a replacement, or complain again
    OFFER = "offer"  # an answer to an offer; silence lets the offer end, and nothing else
    APPEAL = "appeal"
    LAST_APPEAL = "last_appeal"  # after a person has looked at the ruling


class Wait(Struct, frozen=True, kw_only=True):
    """`whom` can do something until `until_ms`. `number`: of the offer or the ruling that it is about."""

    whom: Side
    turn: Turn
    number: int
    until_ms: int


class Ruling(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The last ruling. `sha256`, `version`: of the standard; `level`: 0, or how many people decided."""

    ruling_no: int
    level: int = 0
    version: str = ""
    sha256: str = ""
    points: int = 0
    counted: bool = False
    freezes_shop: bool = False
    review_by_ms: int = 0
    reviewed: bool = False
    reviewed_at_ms: int = 0
    row: str
    case: str
    refund_fen: int
    pool_fen: int
    deduct_fen: int
    bounty_fen: int = 0
    at_ms: int
    appeal_by_ms: int
    appealed_by: Side | None = None


class Complaint(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The complaint of one order. `due_at_ms`: when the clock comes next; `level`: 0, or of the people who decide."""

    stage: ComplaintStage = ComplaintStage.NONE
    reason: Reason | None = None
    demand_fen: int = 0
    opened_at_ms: int = 0
    due_at_ms: int = 0
    outcome: Outcome | None = None
    refund_fen: int = 0
    closed_at_ms: int = 0
    amount_fen: int = 0
    demand: Demand = Demand.REFUND
    screen: str = ""
    answer_by_ms: int = 0
    answered_at_ms: int = 0
    asked_at_ms: int = 0
    reply_by_ms: int = 0
    replied_at_ms: int = 0
    resent_at_ms: int = 0
    confirm_by_ms: int = 0
    reopened_at_ms: int = 0
    again_at_ms: int = 0  # the buyer complained about the replacement
    lapsed_at_ms: int = 0
    offers: tuple[Offer, ...] = ()
    ruling: Ruling | None = None
    rulings: int = 0
    level: int = 0
    stakes: tuple[Stake, ...] = ()  # of appeals, until it ends
    kept_fen: int = 0  # of the buyer's refund, for appeals that failed
    has_won: bool = False  # the buyer got all that he asked for by some ruling
    defect_no: int = 0  # of the ruling that was the first to be carried out as a defect of the shop
    stops: tuple[Stop, ...] = ()  # of its clocks, by outages

    @property
    def next_level(self) -> int:
        """How many people decide next; 0 when nobody is above."""
        return next((level for level in LEVELS if level > self.level), 0)

    def stake_fen(self, by: str) -> int:
        """What the next escalation stakes, when `by` asks for it."""
        return stake_fen(
            self.next_level,
            self.demand_fen,
            is_appeal=by in (Side.BUYER, Side.SHOP),
            by_buyer=by == Side.BUYER,
            has_won=self.has_won,
        )

    def has_lost(self, side: str) -> bool:
        """Whether the ruling gave `side` less than it wanted."""
        ruling = self.ruling
        if ruling is None:
            return False
        if side == Side.BUYER:
            return ruling.refund_fen + ruling.pool_fen < self.demand_fen
        return bool(ruling.refund_fen or ruling.deduct_fen)

    @property
    def running(self) -> Running | None:
        """The clock of a party that runs, which an outage can stop; the platform's own and those of panels go on."""
        ruling, due_at_ms = self.ruling, self.due_at_ms
        match self.stage:
            case ComplaintStage.OPENED:
                since_ms = self.again_at_ms or self.opened_at_ms
                return Running(clock="answer", since_ms=since_ms, due_at_ms=self.answer_by_ms)
            case ComplaintStage.ASKED:
                return Running(clock="reply", since_ms=self.asked_at_ms, due_at_ms=self.reply_by_ms)
            case ComplaintStage.RESENT:
                return Running(clock="confirm", since_ms=self.resent_at_ms, due_at_ms=self.confirm_by_ms)
            case ComplaintStage.LAPSED:
                return Running(clock="reopen", since_ms=self.lapsed_at_ms, due_at_ms=due_at_ms)
            case ComplaintStage.RULED if ruling and ruling.reviewed_at_ms:
                return Running(clock="last_appeal", since_ms=ruling.reviewed_at_ms, due_at_ms=due_at_ms)
            case ComplaintStage.RULED if ruling and not ruling.review_by_ms:
                return Running(clock="appeal", since_ms=ruling.at_ms, due_at_ms=due_at_ms)
            case _:
                return None

    @property
    def stands(self) -> Stop | None:
        """The outage in which that clock stands."""
        return standing(self.running, self.stops)

    def waits(self, now_ms: int) -> list[Wait]:
        """Everything that the dispute waits for now: what pages count down to and reminders speak of."""
        found = []
        if self.stage is ComplaintStage.OPENED:
            number = int(self.again_at_ms > 0)
            found.append(Wait(whom=Side.SHOP, turn=Turn.ANSWER, number=number, until_ms=self.answer_by_ms))
        if self.stage is ComplaintStage.RESENT:
            found.append(Wait(whom=Side.BUYER, turn=Turn.CONFIRM, number=0, until_ms=self.confirm_by_ms))
        if self.stage is ComplaintStage.ASKED:
            found.append(Wait(whom=Side.BUYER, turn=Turn.REPLY, number=0, until_ms=self.reply_by_ms))
        if self.stage is ComplaintStage.LAPSED:
            found.append(Wait(whom=Side.BUYER, turn=Turn.REOPEN, number=0, until_ms=self.due_at_ms))
        if self.stage in UNRULED_STAGES:
            found.extend(
                Wait(
                    whom=Side.BUYER if one.by is Side.SHOP else Side.SHOP,
                    turn=Turn.OFFER,
                    number=one.offer_no,
                    until_ms=one.until_ms,
                )
                for one in self.offers
                if one.is_open(now_ms)
            )
        ruling = self.ruling
        if self.stage is ComplaintStage.RULED and ruling and (ruling.reviewed or not ruling.review_by_ms):
            turn = Turn.LAST_APPEAL if ruling.reviewed else Turn.APPEAL
            found.extend(
                Wait(whom=side, turn=turn, number=ruling.ruling_no, until_ms=self.due_at_ms)
                for side in Side
                if self.has_lost(side)
            )
        return [one for one in found if now_ms < one.until_ms]

    def near(self, side: str, now_ms: int) -> list[Wait]:
        """What it waits for from `side` within a day: from the first reminder on."""
        return [one for one in self.waits(now_ms) if one.whom == side and one.until_ms - now_ms <= DAY_MS]


INITIAL = Complaint()


def evolve(complaint: Complaint, event: ComplaintEvent, at_ms: int) -> Complaint:
    """The complaint after `event`."""
    match event:
        case ComplaintOpened():
            return replace(
                complaint,
                stage=ComplaintStage.OPENED,
                reason=event.reason,
                demand_fen=event.demand_fen,
                opened_at_ms=at_ms,
                due_at_ms=event.answer_by_ms,
                answer_by_ms=event.answer_by_ms,
            )
        case ComplaintDemanded():
            return replace(complaint, demand=event.demand, screen=event.screen)
        case ComplaintContested():
            return replace(complaint, stage=ComplaintStage.CONTESTED, due_at_ms=event.rule_by_ms, answered_at_ms=at_ms)
        case SettlementOffered():
            offer = Offer(
                offer_no=event.offer_no, by=event.by, refund_fen=event.refund_fen, until_ms=at_ms + OFFER_STANDS_MS
            )
            return replace(complaint, offers=(*complaint.offers, offer))
        case SettlementAccepted() | SettlementDeclined():
            state = "accepted" if isinstance(event, SettlementAccepted) else "declined"
            offers = tuple(
                replace(one, state=state) if one.offer_no == event.offer_no else one for one in complaint.offers
            )
            return replace(complaint, offers=offers)
        case BuyerAsked():
            return replace(
                complaint, stage=ComplaintStage.ASKED, due_at_ms=event.reply_by_ms, asked_at_ms=at_ms,
                reply_by_ms=event.reply_by_ms,
                answered_at_ms=complaint.answered_at_ms or at_ms,
            )  # fmt: skip
        case BuyerReplied():
            return replace(
                complaint,
                stage=ComplaintStage.CONTESTED,
                due_at_ms=at_ms + RULING_WITHIN_MS,
                replied_at_ms=at_ms,
            )
        case ComplaintLapsed():
            lapsed = replace(complaint, stage=ComplaintStage.LAPSED, due_at_ms=event.reopen_by_ms)
            return replace(lapsed, lapsed_at_ms=at_ms)
        case ComplaintReopened():
            return replace(
                complaint,
                stage=ComplaintStage.CONTESTED,
                due_at_ms=event.rule_by_ms,
                reopened_at_ms=at_ms,
                ruling=None,
            )
        case ReplacementSent():
            return replace(
                complaint,
                stage=ComplaintStage.RESENT,
                due_at_ms=event.confirm_by_ms,
                confirm_by_ms=event.confirm_by_ms,
                resent_at_ms=at_ms,
                answered_at_ms=complaint.answered_at_ms or at_ms,
            )
        case ReplacementConfirmed():
            return replace(complaint, due_at_ms=at_ms, confirm_by_ms=at_ms)
        case ReplacementRefused():
            return replace(
                complaint,
                stage=ComplaintStage.OPENED,
                due_at_ms=event.answer_by_ms,
                answer_by_ms=event.answer_by_ms,
                again_at_ms=at_ms,
                answered_at_ms=0,
            )
        case JudgingWaits():
            return replace(complaint, due_at_ms=event.until_ms)
        case ComplaintEscalated():
            panel = replace(complaint, stage=ComplaintStage.PANEL, due_at_ms=event.decide_by_ms, level=event.level)
            return replace(panel, stakes=(*panel.stakes, _staked(complaint, event))) if event.stake_fen else panel
        case ComplaintRuled():
            return _with_ruling(complaint, event, at_ms)
        case RulingAppealed():
            assert complaint.ruling is not None
            return replace(complaint, ruling=replace(complaint.ruling, appealed_by=event.by))
        case ComplaintClosed():
            return replace(
                complaint,
                stage=ComplaintStage.CLOSED,
                outcome=event.outcome,
                refund_fen=event.refund_fen,
                due_at_ms=0,
                closed_at_ms=at_ms,
            )
        case ReviewAsked():
            assert complaint.ruling is not None
            ruling = replace(complaint.ruling, review_by_ms=event.review_by_ms)
            return replace(complaint, ruling=ruling, due_at_ms=event.review_by_ms)
        case RulingReviewed():
            assert complaint.ruling is not None
            ruling = replace(complaint.ruling, reviewed=True, reviewed_at_ms=at_ms)
            return replace(complaint, ruling=ruling, due_at_ms=event.appeal_by_ms)
        case StakeSettled():
            left = tuple(one for one in complaint.stakes if one.level != event.level)
            kept_fen = event.kept_fen if event.by is Side.BUYER else 0
            return replace(complaint, stakes=left, kept_fen=complaint.kept_fen + kept_fen)
        case RulingExecuted():
            return _carried_out(complaint, event.ruling_no)
        case DisputeClockStopped():
            return _with_stop(complaint, event, at_ms)
        case RulingTaken() | RulingWeighed():
            return complaint  # what follows from it comes at once
        case _:
            assert_never(event)


def _with_stop(complaint: Complaint, event: DisputeClockStopped, at_ms: int) -> Complaint:
    stood = replace(complaint, stops=(*complaint.stops, stop_of(event)))
    if not event.until_ms:
        return stood
    by_ms, runs = event.due_at_ms, complaint.running
    # The standard may want to be asked before the deadline that moves: that stays as it is.
    due_at_ms = complaint.due_at_ms if runs and complaint.due_at_ms < runs.due_at_ms else by_ms
    if complaint.stands and event.clock in ("answer", "reply"):
        due_at_ms = min(due_at_ms, at_ms)  # while it stood nobody was asked: the standard is, at once
    match event.clock:
        case "answer":
            return replace(stood, due_at_ms=due_at_ms, answer_by_ms=by_ms)
        case "reply":
            return replace(stood, due_at_ms=due_at_ms, reply_by_ms=by_ms)
        case "confirm":
            return replace(stood, due_at_ms=due_at_ms, confirm_by_ms=by_ms)
        case _:
            return replace(stood, due_at_ms=by_ms)


def _staked(complaint: Complaint, event: ComplaintEscalated) -> Stake:
    ruling = complaint.ruling
    assert ruling is not None
    return Stake(
        level=event.level,
        panel_id=event.panel_id,
        by_buyer=event.by == Side.BUYER,
        amount_fen=event.stake_fen,
        back_fen=ruling.refund_fen + ruling.pool_fen,
        cost_fen=ruling.refund_fen + ruling.deduct_fen,
    )


def _carried_out(complaint: Complaint, ruling_no: int) -> Complaint:
    ruling = complaint.ruling
    if complaint.defect_no or ruling is None or not ruling.counted or not ruling.points:
        return complaint
    return replace(complaint, defect_no=ruling_no)


def _with_ruling(complaint: Complaint, event: ComplaintRuled, at_ms: int) -> Complaint:
    ruling = Ruling(
        ruling_no=event.ruling_no,
        level=event.level,
        version=event.version,
        sha256=event.sha256,
        points=event.points,
        counted=event.counted,
        freezes_shop=event.freezes_shop,
        row=event.row,
        case=event.case,
        refund_fen=event.refund_fen,
        pool_fen=event.pool_fen,
        deduct_fen=event.deduct_fen,
        bounty_fen=event.bounty_fen,
        at_ms=at_ms,
        appeal_by_ms=event.appeal_by_ms,
    )
    has_won = complaint.has_won or 0 < complaint.demand_fen <= event.refund_fen + event.pool_fen
    ruled = replace(complaint, ruling=ruling, rulings=event.ruling_no, has_won=has_won)
    if complaint.stage is ComplaintStage.NONE:  # a late delivery: nobody complained, nothing is left to decide
        return ruled
    return replace(ruled, stage=ComplaintStage.RULED, due_at_ms=event.appeal_by_ms)
