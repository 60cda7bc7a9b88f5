"""What is counted while a market runs."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Dispute:
    """One complaint. `truth`: who is right; `by_human`: people had to look at it."""

    order_id: str
    opened_at_ms: int
    truth: str
    honest_shop: bool
    ruled_at_ms: int = 0
    row: str = ""
    by_human: bool = False
    is_shown: bool = False  # issuer or recording show what happened
    outcome: str = ""
    back_fen: int = 0
    taken_fen: int = 0  # of it what the shop paid


@dataclass(slots=True)
class Tally:
    """Sums of one market."""

    orders: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    turnover_fen: int = 0
    honest_loss_fen: int = 0  # paid by honest buyers for codes that did not work, and not given back
    shop_fen: int = 0
    cost_fen: int = 0
    deposit_lost_fen: int = 0
    cheat_buyers_fen: int = 0
    disputes: dict[str, Dispute] = field(default_factory=dict)
    honest_freezes: int = 0
