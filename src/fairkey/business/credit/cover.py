"""What of a shop is unsettled and what its deposit has free, from public facts alone (the rule is in `covering`)."""

from collections import Counter

from fairkey.business.covering import Exposure, day_name, window_from

from .facts import COVER_KINDS, Fact, number_in

ENDINGS = frozenset({"order.expired", "order.cancelled", "order.withdrawn", "order.refunded", "order.wound_up"})
FREED = frozenset({"deposit.secured", "deposit.stake_returned", "deposit.release_cut"})
BOUND = frozenset({"deposit.stake_locked", "deposit.release_requested"})


class Cover:
    """Sums of one shop; it takes the facts of an order, and those of the deposit, in the order of their versions."""

    def __init__(self) -> None:
        self.free_fen = 0
        self._open: dict[str, int] = {}  # order -> what of it is unsettled
        self._amounts: dict[str, int] = {}
        self._settled: Counter[str] = Counter()  # by the day on which it was

    def take(self, fact: Fact) -> None:
        """Count this fact, if it changes a sum."""
        if fact.kind not in COVER_KINDS:
            return
        told = fact.public
        if fact.stream.startswith("order:"):
            self._take_order(fact)
        elif fact.kind in FREED:
            self.free_fen += number_in(told, "amount_fen")
        elif fact.kind in BOUND:
            self.free_fen -= number_in(told, "amount_fen")
        elif fact.kind == "deposit.deducted":
            self.free_fen -= number_in(told, "refund_fen") + number_in(told, "penalty_fen")

    def _take_order(self, fact: Fact) -> None:
        match fact.kind:
            case "order.placed":
                self._amounts[fact.stream] = self._open[fact.stream] = number_in(fact.public, "amount_fen")
            case "order.paid" if fact.public.get("late") is True:
                self._open[fact.stream] = self._amounts.get(fact.stream, 0)
            case "order.cut_short":
                self._open[fact.stream] = number_in(fact.public, "amount_fen")
            case "order.completed":
                self._settled[day_name(fact.at_ms)] += self._open.pop(fact.stream, 0)
            case kind if kind in ENDINGS:
                self._open.pop(fact.stream, None)
            case _:
                pass

    def exposure(self, at_ms: int) -> Exposure:
        """What is open, and what was completed within the days that count."""
        since = window_from(at_ms)
        return Exposure(
            open_fen=sum(self._open.values()),
            window_fen=sum(fen for day, fen in self._settled.items() if day >= since),
        )
