"""A panel: arbitrators drawn by lot who decide one dispute. Pool published, drawn from a later checkpoint, votes
committed, then revealed, then counted. The operator has no command here.

Silence always has an outcome: who does not vote is replaced by the next drawn; a pool that is too small, a checkpoint
that does not come, or too few votes end the panel after a fixed time, and the flow of the dispute says what follows.
"""

from collections import Counter
from hashlib import sha256
from typing import NamedTuple, assert_never

from msgspec import Struct
from msgspec.structs import replace

from .basics import DAY_MS, HOUR_MS, Command, Event, require, require_text
from .panel_events import (
    EvidenceOpened,
    PanelConvened,
    PanelDecided,
    PanelDrawn,
    PanelEvent,
    PanelIsInAnotherStage,
    PanelIsNotDue,
    PanelLapsed,
    PanelOutcome,
    PanelRequested,
    PanelStage,
    RevealOpened,
    Seat,
    SeatIsNotYours,
    SeatReplaced,
    VoteCommitted,
    VoteDoesNotFit,
    VoteIsFixed,
    VoteRevealed,
)

LEVELS = (3, 7, 17)
CONVENE_MS = DAY_MS  # from the request until seats are drawn, else the panel lapses
COMMIT_MS = DAY_MS
REPLACEMENT_MS = 12 * HOUR_MS
ROUNDS_MAX = 2  # how often vacant seats are filled again
REVEAL_MS = 6 * HOUR_MS  # for those who kept their vote to themselves
FEE_FEN = {3: 300, 7: 400, 17: 500}  # for a vote given and revealed in time
REASON_MIN, REASON_MAX = 20, 2_000
HASH_DIGITS = 64
SALT_MIN = 16
_HEX = frozenset("0123456789abcdef")


class ConvenePanel(Command, frozen=True):
    """Follows from an escalation or an appeal; `panel_id` is `panel_id_of` the order and level."""

    panel_id: str
    order_shop_id: str
    order_id: str
    level: int
    value_fen: int
    stake_fen: int = 0


class ListPool(Command, frozen=True):
    """Clock: who may be drawn, and who of the active may not (`id ground` a line)."""

    panel_id: str
    pool: tuple[str, ...]
    excluded: tuple[str, ...]


class SeatPanel(Command, frozen=True):
    """Clock: what `proofs.draws.draw` came to. No seats: the pool is too small."""

    panel_id: str
    checkpoint_size: int
    checkpoint_root: str
    seats: tuple[Seat, ...]
    standbys: tuple[Seat, ...]


class CommitVote(Command, frozen=True):
    """The arbitrator of a seat."""

    panel_id: str
    arbitrator_id: str
    commitment: str
    ballot: str = ""


class OpenEvidence(Command, frozen=True):
    """The arbitrator of a seat takes a file of the dispute to look at."""

    panel_id: str
    arbitrator_id: str
    evidence_id: str
    sha256: str


class StepBack(Command, frozen=True):
    """The arbitrator knows a party or the matter, or has no time."""

    panel_id: str
    arbitrator_id: str


class CloseCommits(Command, frozen=True):
    """Clock: the time to commit is over."""

    panel_id: str


class RevealVote(Command, frozen=True):
    """The arbitrator, or the house for a ballot that it kept sealed."""

    panel_id: str
    arbitrator_id: str
    refund_fen: int
    row: str
    salt: str
    reason: str
    reason_salt: str


class CloseReveals(Command, frozen=True):
    """Clock: the time to reveal is over."""

    panel_id: str


class LapsePanel(Command, frozen=True):
    """Clock: no seats were drawn in time."""

    panel_id: str


PanelCommand = (
    ConvenePanel | ListPool | SeatPanel | OpenEvidence | CommitVote | StepBack | CloseCommits | RevealVote
    | CloseReveals | LapsePanel
)  # fmt: skip


class PanelBriefing(Struct, frozen=True, kw_only=True):
    """What a request must be told: the category of what was sold."""

    category: str


class Held(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A seat as it stands. `refund_fen` -1: not revealed."""

    arbitrator_id: str
    stratum: str
    by_rule: str = ""
    commitment: str = ""
    refund_fen: int = -1
    row: str = ""
    reason_digest: str = ""
    since_ms: int = 0


class Panel(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One panel."""

    stage: PanelStage = PanelStage.NONE
    order_shop_id: str = ""
    order_id: str = ""
    level: int = 0
    category: str = ""
    value_fen: int = 0
    stake_fen: int = 0
    pool_count: int = 0
    excluded_count: int = 0
    convened_version: int = 0
    seats: tuple[Held, ...] = ()
    standbys: tuple[Seat, ...] = ()
    opened: tuple[str, ...] = ()  # "arbitrator evidence" that were taken to look at
    replaced: tuple[str, ...] = ()  # who lost or gave up a seat
    rounds: int = 0
    due_at_ms: int = 0
    requested_at_ms: int = 0
    decided_at_ms: int = 0
    outcome: PanelOutcome | None = None
    refund_fen: int = 0
    row: str = ""
    why: str = ""
    events: int = 0

    def seat_of(self, arbitrator_id: str) -> int:
        """The number of his seat, from 1; 0 when he has none now."""
        return next((no for no, seat in enumerate(self.seats, 1) if seat.arbitrator_id == arbitrator_id), 0)


INITIAL = Panel()


class Count(NamedTuple):
    """What votes come to. `set_aside`: seat number of the vote that a tie left out, 0 if none."""

    outcome: PanelOutcome
    refund_fen: int
    row: str
    for_buyer: int
    for_shop: int
    set_aside: int


def panel_id_of(order_id: str, level: int) -> str:
    """The id of the panel of a level about an order: one a level, so that a repeat finds the same."""
    digest = sha256(f"fairkey panel\n{order_id}\n{level}".encode()).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-8{digest[13:16]}-9{digest[17:20]}-{digest[20:32]}"


def reason_digest(reason: str, reason_salt: str) -> str:
    """What the public sees of a reason."""
    return sha256(f"{reason_salt}\n{reason}".encode()).hexdigest()


def commitment_of(panel_id: str, arbitrator_id: str, refund_fen: int, row: str, salt: str, digest: str) -> str:
    """SHA-256 (hex) that fixes a vote: of this panel, this arbitrator, with this reason."""
    lines = ("fairkey panel vote v1", panel_id, arbitrator_id, str(refund_fen), row, salt, digest)
    return sha256("\n".join(lines).encode()).hexdigest()


def count(votes: tuple[tuple[int, int, str], ...], value_fen: int) -> Count:
    """What revealed votes (seat number, refund_fen, row) come to; there is at least one.

    A tie of the sides cannot stand: the vote of the seat with the highest number is then set aside.
    """
    set_aside = 0
    counted = sorted(votes)
    if 2 * sum(refund_fen > 0 for _, refund_fen, _ in counted) == len(counted):
        set_aside = counted.pop()[0]
    buyers = [vote for vote in counted if vote[1] > 0]
    shops = [vote for vote in counted if vote[1] == 0]
    won = buyers if len(buyers) > len(shops) else shops
    rows = Counter(row for _, _, row in won)
    row = min(rows, key=lambda one: (-rows[one], one))
    sums = sorted(refund_fen for _, refund_fen, _ in won)
    refund_fen = sums[(len(sums) - 1) // 2]
    outcome = PanelOutcome.FOR_SHOP
    if refund_fen:
        outcome = PanelOutcome.FOR_BUYER if refund_fen == value_fen else PanelOutcome.PARTIAL
    return Count(outcome, refund_fen, row, len(buyers), len(shops), set_aside)


def decide(command: PanelCommand, panel: Panel, brief: PanelBriefing | None, at_ms: int) -> list[Event]:
    """What follows from `command` for this panel, or a `Refusal`."""
    match command:
        case ConvenePanel():
            return _requested(command, panel, brief, at_ms)
        case ListPool():
            _require(panel, PanelStage.REQUESTED)
            pool = tuple(sorted(command.pool))
            require(len({line.split(" ")[0] for line in pool}) == len(pool), "pool", "twice")
            digest = sha256("".join(f"{line}\n" for line in pool).encode()).hexdigest()
            return [
                PanelConvened(
                    pool=pool,
                    pool_sha256=digest,
                    excluded_count=len(command.excluded),
                    excluded="\n".join(sorted(command.excluded)),
                )
            ]
        case SeatPanel():
            _require(panel, PanelStage.CONVENED)
            if not command.seats:
                return [_lapsed(panel, "pool_too_small")]
            drawn = [seat.arbitrator_id for seat in (*command.seats, *command.standbys)]
            require(len(command.seats) == panel.level and len(set(drawn)) == len(drawn), "seats", "out_of_range")
            return [
                PanelDrawn(
                    checkpoint_size=command.checkpoint_size,
                    checkpoint_root=command.checkpoint_root,
                    seats=command.seats,
                    standbys=command.standbys,
                    commit_by_ms=at_ms + COMMIT_MS,
                )
            ]
        case OpenEvidence():
            return _opened(command, panel)
        case CommitVote():
            return _committed(command, panel, at_ms)
        case StepBack():
            _require(panel, PanelStage.SITTING)
            seat_no = _seat(panel, command.arbitrator_id)
            if panel.seats[seat_no - 1].commitment:
                raise VoteIsFixed
            return _replaced(panel, [seat_no], "stepped_back", at_ms, panel.due_at_ms)
        case CloseCommits():
            _require(panel, PanelStage.SITTING)
            _due(panel, at_ms)
            missing = [no for no, seat in enumerate(panel.seats, 1) if not seat.commitment]
            if missing and panel.standbys and panel.rounds < ROUNDS_MAX:
                return _replaced(panel, missing, "silent", at_ms, at_ms + REPLACEMENT_MS)
            return _end_of_commits(panel, panel.level - len(missing), at_ms)
        case RevealVote():
            return _revealed(command, panel)
        case CloseReveals():
            _require(panel, PanelStage.REVEALING)
            _due(panel, at_ms)
            return _decided(panel, panel.seats)
        case LapsePanel():
            _require(panel, PanelStage.REQUESTED, PanelStage.CONVENED)
            _due(panel, at_ms)
            return [_lapsed(panel, "not_drawn")]
        case _:
            assert_never(command)


def _requested(command: ConvenePanel, panel: Panel, brief: PanelBriefing | None, at_ms: int) -> list[Event]:
    if panel.stage is not PanelStage.NONE:
        return []  # one panel a level and order: asked again, it is there
    require(command.level in LEVELS, "level", "out_of_range")
    require(command.value_fen > 0, "value_fen", "out_of_range")
    return [
        PanelRequested(
            order_shop_id=command.order_shop_id,
            order_id=command.order_id,
            level=command.level,
            category="".join(brief.category.replace(",", "").split()).casefold() if brief else "",
            value_fen=command.value_fen,
            stake_fen=command.stake_fen,
            lapse_by_ms=at_ms + CONVENE_MS,
        )
    ]


def _opened(command: OpenEvidence, panel: Panel) -> list[Event]:
    """While votes are given; whoever took a file then may take it again as long as he has the seat."""
    seat_no = _seat(panel, command.arbitrator_id)
    if f"{command.arbitrator_id} {command.evidence_id}" in panel.opened:
        return []
    _require(panel, PanelStage.SITTING)
    return [
        EvidenceOpened(
            seat_no=seat_no,
            arbitrator_id=command.arbitrator_id,
            evidence_id=command.evidence_id,
            sha256=command.sha256,
        )
    ]


def _committed(command: CommitVote, panel: Panel, at_ms: int) -> list[Event]:
    _require(panel, PanelStage.SITTING)
    seat_no = _seat(panel, command.arbitrator_id)
    require(len(command.commitment) == HASH_DIGITS and set(command.commitment) <= _HEX, "commitment", "not_a_hash")
    if panel.seats[seat_no - 1].commitment:
        raise VoteIsFixed
    if at_ms >= panel.due_at_ms:
        raise PanelIsInAnotherStage(stage="late")
    events: list[Event] = [
        VoteCommitted(
            seat_no=seat_no,
            arbitrator_id=command.arbitrator_id,
            commitment=command.commitment,
            ballot=command.ballot,
        )
    ]
    if sum(bool(seat.commitment) for seat in panel.seats) + 1 == panel.level:
        events.append(RevealOpened(committed=panel.level, reveal_by_ms=at_ms + REVEAL_MS))
    return events


def _replaced(panel: Panel, seat_nos: list[int], why: str, at_ms: int, by_ms: int) -> list[Event]:
    """The next drawn take the seats; those for whom nobody is left stay as they are."""
    if not panel.standbys and why == "stepped_back":
        raise SeatIsNotYours  # nobody could take it: he votes, or his silence counts
    by_ms = max(by_ms, at_ms + REPLACEMENT_MS)
    return [
        SeatReplaced(
            seat_no=no,
            before=panel.seats[no - 1].arbitrator_id,
            arbitrator_id=standby.arbitrator_id,
            why=why,
            commit_by_ms=by_ms,
        )
        for no, standby in zip(seat_nos, panel.standbys, strict=False)
    ]


def _end_of_commits(panel: Panel, committed: int, at_ms: int) -> list[Event]:
    if 2 * committed <= panel.level:
        return [_lapsed(panel, "too_few_votes")]
    return [RevealOpened(committed=committed, reveal_by_ms=at_ms + REVEAL_MS)]


def _revealed(command: RevealVote, panel: Panel) -> list[Event]:
    _require(panel, PanelStage.REVEALING)
    seat_no = _seat(panel, command.arbitrator_id)
    seat = panel.seats[seat_no - 1]
    if seat.refund_fen >= 0:
        raise VoteIsFixed
    check_vote(command.refund_fen, command.row, command.reason, panel.value_fen)
    digest = reason_digest(command.reason, command.reason_salt)
    fixed = commitment_of(
        panel_id=command.panel_id,
        arbitrator_id=command.arbitrator_id,
        refund_fen=command.refund_fen,
        row=command.row,
        salt=command.salt,
        digest=digest,
    )
    if fixed != seat.commitment:
        raise VoteDoesNotFit
    event = VoteRevealed(
        seat_no=seat_no,
        arbitrator_id=command.arbitrator_id,
        refund_fen=command.refund_fen,
        row=command.row,
        salt=command.salt,
        reason_digest=digest,
        reason=command.reason,
        reason_salt=command.reason_salt,
    )
    seats = _with(panel.seats, seat_no, replace(seat, refund_fen=command.refund_fen, row=command.row))
    waiting = [one for one in seats if one.commitment and one.refund_fen < 0]
    return [event] if waiting else [event, *_decided(panel, seats)]


def check_vote(refund_fen: int, row: str, reason: str, value_fen: int) -> None:
    """Refuse a vote that cannot be meant."""
    require(0 <= refund_fen <= value_fen, "refund_fen", "out_of_range")
    require(0 < len(row) <= 8 and row.isascii() and row.isalnum(), "row", "not_a_word")  # noqa: PLR2004 - R05c
    require_text(reason.strip(), "reason", REASON_MAX, REASON_MIN)


def _decided(panel: Panel, seats: tuple[Held, ...]) -> list[Event]:
    votes = tuple((no, seat.refund_fen, seat.row) for no, seat in enumerate(seats, 1) if seat.refund_fen >= 0)
    if 2 * len(votes) <= panel.level:
        return [_lapsed(panel, "too_few_votes")]
    result = count(votes, panel.value_fen)
    lines = "".join(f"{no} {seat.commitment}\n" for no, seat in enumerate(seats, 1) if seat.refund_fen >= 0)
    return [
        PanelDecided(
            order_shop_id=panel.order_shop_id,
            order_id=panel.order_id,
            level=panel.level,
            outcome=result.outcome,
            refund_fen=result.refund_fen,
            row=result.row,
            for_buyer=result.for_buyer,
            for_shop=result.for_shop,
            set_aside_seat=result.set_aside,
            text_sha256=sha256(lines.encode()).hexdigest(),
        )
    ]


def _lapsed(panel: Panel, why: str) -> PanelLapsed:
    return PanelLapsed(order_shop_id=panel.order_shop_id, order_id=panel.order_id, why=why)


def _require(panel: Panel, *stages: PanelStage) -> None:
    if panel.stage not in stages:
        raise PanelIsInAnotherStage(stage=panel.stage.value)


def _due(panel: Panel, at_ms: int) -> None:
    if at_ms < panel.due_at_ms:
        raise PanelIsNotDue(due_at_ms=panel.due_at_ms)


def _seat(panel: Panel, arbitrator_id: str) -> int:
    seat_no = panel.seat_of(arbitrator_id)
    if not seat_no:
        raise SeatIsNotYours
    return seat_no


def _with(seats: tuple[Held, ...], seat_no: int, seat: Held) -> tuple[Held, ...]:
    return (*seats[: seat_no - 1], seat, *seats[seat_no:])


def evolve(panel: Panel, event: PanelEvent, at_ms: int) -> Panel:
    """The panel after `event`."""
    panel = replace(panel, events=panel.events + 1)
    match event:
        case PanelRequested():
            return replace(
                panel,
                stage=PanelStage.REQUESTED,
                order_shop_id=event.order_shop_id,
                order_id=event.order_id,
                level=event.level,
                category=event.category,
                value_fen=event.value_fen,
                stake_fen=event.stake_fen,
                due_at_ms=event.lapse_by_ms,
                requested_at_ms=at_ms,
            )
        case PanelConvened():
            return replace(
                panel,
                stage=PanelStage.CONVENED,
                pool_count=len(event.pool),
                excluded_count=event.excluded_count,
                convened_version=panel.events,
            )
        case PanelDrawn():
            seats = tuple(
                Held(arbitrator_id=one.arbitrator_id, stratum=one.stratum, by_rule=one.by_rule, since_ms=at_ms)
                for one in event.seats
            )
            return replace(
                panel,
                stage=PanelStage.SITTING,
                seats=seats,
                standbys=event.standbys,
                due_at_ms=event.commit_by_ms,
            )
        case EvidenceOpened():
            return replace(panel, opened=(*panel.opened, f"{event.arbitrator_id} {event.evidence_id}"))
        case VoteCommitted():
            seat = replace(panel.seats[event.seat_no - 1], commitment=event.commitment)
            return replace(panel, seats=_with(panel.seats, event.seat_no, seat))
        case SeatReplaced():
            before = panel.seats[event.seat_no - 1]
            seat = Held(arbitrator_id=event.arbitrator_id, stratum=before.stratum, by_rule="standby", since_ms=at_ms)
            due_now = panel.due_at_ms != event.commit_by_ms and event.why == "silent"
            return replace(
                panel,
                seats=_with(panel.seats, event.seat_no, seat),
                standbys=tuple(one for one in panel.standbys if one.arbitrator_id != event.arbitrator_id),
                replaced=(*panel.replaced, event.before),
                rounds=panel.rounds + due_now,
                due_at_ms=event.commit_by_ms,
            )
        case RevealOpened():
            return replace(panel, stage=PanelStage.REVEALING, due_at_ms=event.reveal_by_ms)
        case VoteRevealed():
            seat = replace(
                panel.seats[event.seat_no - 1],
                refund_fen=event.refund_fen,
                row=event.row,
                reason_digest=event.reason_digest,
            )
            return replace(panel, seats=_with(panel.seats, event.seat_no, seat))
        case PanelDecided():
            return replace(
                panel,
                stage=PanelStage.DECIDED,
                outcome=event.outcome,
                refund_fen=event.refund_fen,
                row=event.row,
                decided_at_ms=at_ms,
                due_at_ms=0,
            )
        case PanelLapsed():
            return replace(panel, stage=PanelStage.LAPSED, why=event.why, decided_at_ms=at_ms, due_at_ms=0)
        case _:
            assert_never(event)
