"""Arbitrators: who may sit on a panel, for which categories and from which side, and how well they judge.

An arbitrator is public under his id only, a pseudonym. He is admitted after a set of cases with known answers; such
cases come again while he serves. His figures are counts; shares are for whoever reads them.
"""

from enum import StrEnum
from typing import assert_never

from msgspec import Struct
from msgspec.structs import replace

from .basics import Command, Event, Refusal, require, require_text

CATEGORIES_MAX = 12
EXAM_HITS_BP_MIN = 8_000  # of ten thousand answers: four of five
EXAM_ANSWERS_MIN = 5
REASON_MIN = 5


class Side(StrEnum):
    """From where an arbitrator comes; a panel has some of each."""

    EXPERT = "expert"
    SELLERS = "sellers"
    BUYERS = "buyers"


class ArbitratorStanding(StrEnum):
    """Whether somebody may be drawn."""

    NONE = "none"
    APPLIED = "applied"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    LEFT = "left"
    REFUSED = "refused"


class ArbitratorApplied(Event, frozen=True):
    """Somebody wants to judge. Who he is, is sealed."""

    kind = "arbitrator.applied"
    sealed = frozenset({"account_id", "text"})
    side: Side
    categories: tuple[str, ...]
    account_id: str
    text: str


class ArbitratorExamined(Event, frozen=True):
    """He judged the test set: of so many cases with known answers he hit so many."""

    kind = "arbitrator.examined"
    answers: int
    hits: int


class ArbitratorAdmitted(Event, frozen=True):
    """He may be drawn from now on."""

    kind = "arbitrator.admitted"
    side: Side
    categories: tuple[str, ...]


class ArbitratorRefused(Event, frozen=True):
    """The operator did not admit him."""

    kind = "arbitrator.refused"
    sealed = frozenset({"reason"})
    reason: str


class ArbitratorSuspended(Event, frozen=True):
    """He is not drawn any more; seats he has stay his, votes he gave stay given."""

    kind = "arbitrator.suspended"
    sealed = frozenset({"reason"})
    ground: str
    reason: str


class ArbitratorReinstated(Event, frozen=True):
    """He may be drawn again."""

    kind = "arbitrator.reinstated"
    sealed = frozenset({"reason"})
    reason: str


class ArbitratorLeft(Event, frozen=True):
    """He does not want to be drawn any more."""

    kind = "arbitrator.left"


class ArbitratorCalibrated(Event, frozen=True):
    """He judged a case with a known answer while he served."""

    kind = "arbitrator.calibrated"
    case_id: str
    hit: bool


class ArbitratorJudged(Event, frozen=True):
    """A panel he sat on is over. `agreed`: his vote was for the side that won; nothing is owed for a vote not given."""

    kind = "arbitrator.judged"
    panel_id: str
    voted: bool
    agreed: bool
    fee_fen: int


class ArbitratorReversed(Event, frozen=True):
    """A higher panel decided for the other side than his vote on a lower one."""

    kind = "arbitrator.reversed"
    panel_id: str
    by_panel_id: str


class ArbitratorPaid(Event, frozen=True):
    """The platform paid `amount_fen` of his fees, outside of this program; `note` names the transfer."""

    kind = "arbitrator.paid"
    sealed = frozenset({"note"})
    amount_fen: int
    note: str


ArbitratorEvent = (
    ArbitratorApplied
    | ArbitratorExamined
    | ArbitratorAdmitted
    | ArbitratorRefused
    | ArbitratorSuspended
    | ArbitratorReinstated
    | ArbitratorLeft
    | ArbitratorCalibrated
    | ArbitratorJudged
    | ArbitratorReversed
    | ArbitratorPaid
)


class ApplyAsArbitrator(Command, frozen=True):
    """Somebody with an account. `text`: why he knows what he would judge."""

    arbitrator_id: str
    account_id: str
    side: Side
    categories: tuple[str, ...]
    text: str


class RecordExam(Command, frozen=True):
    """What the test set came to; computed by the house from the answers it was given."""

    arbitrator_id: str
    answers: int
    hits: int


class AdmitArbitrator(Command, frozen=True):
    """Operator."""

    arbitrator_id: str


class RefuseArbitrator(Command, frozen=True):
    """Operator, with the reason."""

    arbitrator_id: str
    reason: str


class SuspendArbitrator(Command, frozen=True):
    """Operator. `ground`: quality, conflict, conduct; the reason is for him."""

    arbitrator_id: str
    ground: str
    reason: str


class ReinstateArbitrator(Command, frozen=True):
    """Operator, with the reason."""

    arbitrator_id: str
    reason: str


class LeaveArbitration(Command, frozen=True):
    """The arbitrator himself."""

    arbitrator_id: str


class RecordCalibration(Command, frozen=True):
    """What his answer to a case with a known answer came to; asked by the house once a case."""

    arbitrator_id: str
    case_id: str
    hit: bool


class NoteJudged(Command, frozen=True):
    """A panel he sat on is over."""

    arbitrator_id: str
    panel_id: str
    voted: bool
    agreed: bool
    fee_fen: int


class NoteReversed(Command, frozen=True):
    """A higher panel decided otherwise."""

    arbitrator_id: str
    panel_id: str
    by_panel_id: str


class PayFees(Command, frozen=True):
    """Operator: so much of his fees was paid; `note` names the transfer."""

    arbitrator_id: str
    amount_fen: int
    note: str


ArbitratorCommand = (
    ApplyAsArbitrator
    | RecordExam
    | AdmitArbitrator
    | RefuseArbitrator
    | SuspendArbitrator
    | ReinstateArbitrator
    | LeaveArbitration
    | RecordCalibration
    | NoteJudged
    | NoteReversed
    | PayFees
)

GROUNDS = frozenset({"quality", "conflict", "conduct"})


class ArbitratorIsInAnotherStanding(Refusal):
    """Details: standing."""


class ExamIsNotPassed(Refusal):
    """Nobody judges others' cases who misses too many with a known answer. Details: answers, hits."""


class FeesAreNotDue(Refusal):
    """Nobody is paid more than he has earned. Details: due_fen."""


class Arbitrator(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One arbitrator and his counts. `punctual`: votes given and revealed in time, of `seats`."""

    standing: ArbitratorStanding = ArbitratorStanding.NONE
    account_id: str = ""
    side: Side = Side.EXPERT
    categories: tuple[str, ...] = ()
    exam_answers: int = 0
    exam_hits: int = 0
    seats: int = 0
    punctual: int = 0
    agreed: int = 0
    reversed: int = 0
    calibrations: int = 0
    calibration_hits: int = 0
    fees_fen: int = 0
    paid_fen: int = 0
    calibrated: tuple[str, ...] = ()
    applied_at_ms: int = 0
    admitted_at_ms: int = 0
    ground: str = ""

    @property
    def due_fen(self) -> int:
        """Earned and not paid yet."""
        return self.fees_fen - self.paid_fen

    @property
    def may_be_drawn(self) -> bool:
        """Whether a new panel's pool may hold him."""
        return self.standing is ArbitratorStanding.ACTIVE

    @property
    def passed(self) -> bool:
        """Whether the test set was judged well enough."""
        enough = self.exam_answers >= EXAM_ANSWERS_MIN
        return enough and self.exam_hits * 10_000 >= self.exam_answers * EXAM_HITS_BP_MIN


INITIAL = Arbitrator()


def decide(command: ArbitratorCommand, arbitrator: Arbitrator, brief: None, at_ms: int) -> list[Event]:
    """What follows from `command` for this arbitrator, or a `Refusal`."""
    match command:
        case ApplyAsArbitrator():
            _require(arbitrator, ArbitratorStanding.NONE, ArbitratorStanding.LEFT, ArbitratorStanding.REFUSED)
            require_text(command.text, "text", 2_000, 10)
            require(0 < len(command.categories) <= CATEGORIES_MAX, "categories", "out_of_range")
            for one in command.categories:
                require_text(one, "categories", 40, 1)
                require("," not in one and bool(_plain(one)), "categories", "not_a_word")
            return [
                ArbitratorApplied(
                    side=command.side,
                    categories=tuple(sorted({_plain(one) for one in command.categories})),
                    account_id=command.account_id,
                    text=command.text,
                )
            ]
        case RecordExam():
            _require(arbitrator, ArbitratorStanding.APPLIED)
            require(0 <= command.hits <= command.answers, "hits", "out_of_range")
            if arbitrator.exam_answers:
                raise ArbitratorIsInAnotherStanding(standing="examined")  # once: what is known by heart tells nothing
            return [ArbitratorExamined(answers=command.answers, hits=command.hits)]
        case AdmitArbitrator():
            _require(arbitrator, ArbitratorStanding.APPLIED)
            if not arbitrator.passed:
                raise ExamIsNotPassed(answers=arbitrator.exam_answers, hits=arbitrator.exam_hits)
            return [ArbitratorAdmitted(side=arbitrator.side, categories=arbitrator.categories)]
        case RefuseArbitrator():
            _require(arbitrator, ArbitratorStanding.APPLIED)
            require_text(command.reason, "reason", 2_000, REASON_MIN)
            return [ArbitratorRefused(reason=command.reason)]
        case SuspendArbitrator():
            _require(arbitrator, ArbitratorStanding.ACTIVE)
            require_text(command.reason, "reason", 2_000, REASON_MIN)
            require(command.ground in GROUNDS, "ground", "not_a_word")
            return [ArbitratorSuspended(ground=command.ground, reason=command.reason)]
        case ReinstateArbitrator():
            _require(arbitrator, ArbitratorStanding.SUSPENDED)
            require_text(command.reason, "reason", 2_000, REASON_MIN)
            return [ArbitratorReinstated(reason=command.reason)]
        case LeaveArbitration():
            _require(arbitrator, ArbitratorStanding.ACTIVE, ArbitratorStanding.APPLIED, ArbitratorStanding.SUSPENDED)
            return [ArbitratorLeft()]
        case RecordCalibration():
            if arbitrator.standing is ArbitratorStanding.NONE or command.case_id in arbitrator.calibrated:
                raise ArbitratorIsInAnotherStanding(standing="calibrated")
            return [ArbitratorCalibrated(case_id=command.case_id, hit=command.hit)]
        case NoteJudged():
            return [
                ArbitratorJudged(
                    panel_id=command.panel_id, voted=command.voted, agreed=command.agreed, fee_fen=command.fee_fen
                )
            ]
        case NoteReversed():
            return [ArbitratorReversed(panel_id=command.panel_id, by_panel_id=command.by_panel_id)]
        case PayFees():
            require(command.amount_fen > 0, "amount_fen", "not_positive")
            require_text(command.note, "note", 200, 3)
            if command.amount_fen > arbitrator.due_fen:
                raise FeesAreNotDue(due_fen=arbitrator.due_fen)
            return [ArbitratorPaid(amount_fen=command.amount_fen, note=command.note)]
        case _:
            assert_never(command)


def _plain(category: str) -> str:
    return "".join(category.split()).casefold()


def _require(arbitrator: Arbitrator, *standings: ArbitratorStanding) -> None:
    if arbitrator.standing not in standings:
        raise ArbitratorIsInAnotherStanding(standing=arbitrator.standing.value)


def evolve(arbitrator: Arbitrator, event: ArbitratorEvent, at_ms: int) -> Arbitrator:
    """The arbitrator after `event`."""
    match event:
        case ArbitratorApplied():
            return replace(
                arbitrator,  # who comes back keeps his figures
                standing=ArbitratorStanding.APPLIED,
                account_id=event.account_id,
                side=event.side,
                categories=event.categories,
                applied_at_ms=at_ms,
            )
        case ArbitratorExamined():
            return replace(arbitrator, exam_answers=event.answers, exam_hits=event.hits)
        case ArbitratorAdmitted():
            return replace(arbitrator, standing=ArbitratorStanding.ACTIVE, admitted_at_ms=at_ms)
        case ArbitratorRefused():
            return replace(arbitrator, standing=ArbitratorStanding.REFUSED)
        case ArbitratorSuspended():
            return replace(arbitrator, standing=ArbitratorStanding.SUSPENDED, ground=event.ground)
        case ArbitratorReinstated():
            return replace(arbitrator, standing=ArbitratorStanding.ACTIVE, ground="")
        case ArbitratorLeft():
            return replace(arbitrator, standing=ArbitratorStanding.LEFT)
        case ArbitratorCalibrated():
            return replace(
                arbitrator,
                calibrations=arbitrator.calibrations + 1,
                calibration_hits=arbitrator.calibration_hits + event.hit,
                calibrated=(*arbitrator.calibrated, event.case_id),
            )
        case ArbitratorJudged():
            return replace(
                arbitrator,
                seats=arbitrator.seats + 1,
                punctual=arbitrator.punctual + event.voted,
                agreed=arbitrator.agreed + event.agreed,
                fees_fen=arbitrator.fees_fen + event.fee_fen,
            )
        case ArbitratorReversed():
            return replace(arbitrator, reversed=arbitrator.reversed + 1)
        case ArbitratorPaid():
            return replace(arbitrator, paid_fen=arbitrator.paid_fen + event.amount_fen)
        case _:
            assert_never(event)
