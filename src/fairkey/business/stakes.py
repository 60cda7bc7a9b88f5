"""Stakes: what an appeal to seven or seventeen puts at risk, so that appealing is not free where it is hopeless.

The first panel costs nobody anything. Above it, who appeals stakes a tenth of what is disputed, at least five yuan,
never more than it. A shop's stake is locked in its deposit. A buyer's is only noted: nothing has to be paid to appeal,
and a stake that is lost comes out of what he gets back, at most half of it, so whoever gets nothing owes nothing. A
buyer who had already won all that he asked for on any level below stakes nothing.

All stakes of a dispute are settled when it ends, by comparing the end with the ruling that was appealed against: any
gain is success. What no panel came to judge is given back.
"""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

FREE_LEVEL: Final = 3
SHARE_BP: Final = 1_000
LEAST_FEN: Final = 500


class Stake(Struct, frozen=True, kw_only=True):
    """One appeal's stake. `by_buyer`: else the shop's. `back_fen`, `cost_fen`: what the ruling appealed against gave
    the buyer, and cost the shop with deductions.
    """

    level: int
    panel_id: str
    by_buyer: bool
    amount_fen: int
    back_fen: int
    cost_fen: int


class Settled(Struct, frozen=True, kw_only=True):
    """What becomes of a stake. `kept_fen`: of a buyer's, out of his refund; a shop's is kept whole or not at all."""

    stake: Stake
    returned: bool
    kept_fen: int


def stake_fen(level: int, value_fen: int, *, is_appeal: bool, by_buyer: bool, has_won: bool) -> int:
    """What an escalation to `level` people stakes. `has_won`: the buyer got all that he asked for on a level below."""
    if level <= FREE_LEVEL or not is_appeal or (by_buyer and has_won):
        return 0
    return min(value_fen, max(value_fen * SHARE_BP // 10_000, LEAST_FEN))


def settled(
    stakes: Sequence[Stake], *, judged_level: int, back_fen: int, refund_fen: int, cost_fen: int
) -> tuple[Settled, ...]:
    """What becomes of all stakes when a dispute ends. `judged_level`: the highest panel that came to a decision;
    `back_fen`: what the buyer gets by the end, of it `refund_fen` out of the escrow; `cost_fen`: the shop's costs.
    """
    left_fen, done = refund_fen // 2, []
    for one in stakes:
        gained = back_fen > one.back_fen if one.by_buyer else cost_fen < one.cost_fen
        returned = gained or judged_level < one.level
        kept_fen = 0 if returned else one.amount_fen
        if one.by_buyer:
            kept_fen = min(kept_fen, left_fen)
            left_fen -= kept_fen
        done.append(Settled(stake=one, returned=returned, kept_fen=kept_fen))
    return tuple(done)
