"""What can happen on a panel, and what can be refused: events and refusals of `panels`, and their words."""

from enum import StrEnum

from msgspec import Struct

from .basics import Event, Refusal


class PanelStage(StrEnum):
    """How far a panel has come."""

    NONE = "none"
    REQUESTED = "requested"
    CONVENED = "convened"  # the pool is published; a later checkpoint draws from it
    SITTING = "sitting"  # votes are committed
    REVEALING = "revealing"
    DECIDED = "decided"
    LAPSED = "lapsed"


class PanelOutcome(StrEnum):
    """For whom a panel decided."""

    FOR_BUYER = "for_buyer"
    FOR_SHOP = "for_shop"
    PARTIAL = "partial"


class Seat(Struct, frozen=True):
    """A drawn place. `by_rule` says when its stratum had nobody left (`proofs/draws.py`)."""

    arbitrator_id: str
    stratum: str
    by_rule: str


class PanelRequested(Event, frozen=True):
    """People are to decide this dispute. `excluded`: who may not, whatever else (pseudonyms, sealed)."""

    kind = "panel.requested"
    order_shop_id: str
    order_id: str
    level: int
    category: str
    value_fen: int
    stake_fen: int
    lapse_by_ms: int


class PanelConvened(Event, frozen=True):
    """Who may be drawn, one line each (`id side categories`), sorted; `pool_sha256` is over these lines.

    `excluded`: active arbitrators who are not in the pool, each with its ground; only how many is public.
    """

    kind = "panel.convened"
    sealed = frozenset({"excluded"})
    pool: tuple[str, ...]
    pool_sha256: str
    excluded_count: int
    excluded: str


class PanelDrawn(Event, frozen=True):
    """Drawn from the root of the first witnessed checkpoint that covers `panel.convened`, the one of this size."""

    kind = "panel.drawn"
    checkpoint_size: int
    checkpoint_root: str
    seats: tuple[Seat, ...]
    standbys: tuple[Seat, ...]
    commit_by_ms: int


class VoteCommitted(Event, frozen=True):
    """The vote of a seat is fixed, and nobody can read it. `ballot` empty: he keeps it to himself and reveals it
    himself.
    """

    kind = "panel.vote_committed"
    sealed = frozenset({"ballot"})
    seat_no: int
    arbitrator_id: str
    commitment: str
    ballot: str


class EvidenceOpened(Event, frozen=True):
    """The holder of a seat took a file of the dispute to look at; once for each file and arbitrator."""

    kind = "panel.evidence_opened"
    seat_no: int
    arbitrator_id: str
    evidence_id: str
    sha256: str


class SeatReplaced(Event, frozen=True):
    """Who held the seat did not vote in time, or stepped back; the next drawn has it now."""

    kind = "panel.seat_replaced"
    seat_no: int
    before: str
    arbitrator_id: str
    why: str
    commit_by_ms: int


class RevealOpened(Event, frozen=True):
    """No vote can be committed any more."""

    kind = "panel.reveal_opened"
    committed: int
    reveal_by_ms: int


class VoteRevealed(Event, frozen=True):
    """What a seat had committed to; `reason_digest` is SHA-256 over its salt, a line feed and the reason."""

    kind = "panel.vote_revealed"
    sealed = frozenset({"reason", "reason_salt"})
    seat_no: int
    arbitrator_id: str
    refund_fen: int
    row: str
    salt: str
    reason_digest: str
    reason: str
    reason_salt: str


class PanelDecided(Event, frozen=True):
    """The majority's side; of a refund, the median of the majority's sums."""

    kind = "panel.decided"
    order_shop_id: str
    order_id: str
    level: int
    outcome: PanelOutcome
    refund_fen: int
    row: str
    for_buyer: int
    for_shop: int
    set_aside_seat: int
    text_sha256: str


class PanelLapsed(Event, frozen=True):
    """It came to no decision. `why`: pool_too_small, not_drawn, too_few_votes."""

    kind = "panel.lapsed"
    order_shop_id: str
    order_id: str
    why: str


PanelEvent = (
    PanelRequested | PanelConvened | PanelDrawn | EvidenceOpened | VoteCommitted | SeatReplaced | RevealOpened
    | VoteRevealed | PanelDecided | PanelLapsed
)  # fmt: skip


class PanelIsInAnotherStage(Refusal):
    """Details: stage."""


class SeatIsNotYours(Refusal):
    """Not drawn, or replaced already."""


class VoteIsFixed(Refusal):
    """A committed vote is never changed."""


class VoteDoesNotFit(Refusal):
    """What is revealed is not what was committed."""


class PanelIsNotDue(Refusal):
    """Details: due_at_ms."""
