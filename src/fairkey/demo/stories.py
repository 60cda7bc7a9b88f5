"""How orders of the demo world went: each story is one order (or payment, or payout) from beginning to wherever it is.

A story does something and yields the moment at which it goes on. What the clock does by itself (expiry, cancellation,
silence, completion) is nobody's step here: the house does it.
"""

import random
from collections.abc import Callable

from fairkey.business.askers import Asker
from fairkey.business.basics import DAY_MS, HOUR_MS
from fairkey.business.crediting import ReviewFreeze
from fairkey.business.payouts import RequestPayout
from fairkey.business.shops import AttendShop

from .deal import Deal, minutes
from .maker import Maker
from .stage import Stage, Story
from .voices import (
    COMPLAINTS,
    CONTESTS,
    GRUMBLE,
    MEH,
    OFFER_OF_A_PART,
    PRAISE,
)

Tell = Callable[[Deal], Story]
SHORT_BY_FEN = 500
SURPLUS_FEN = 350
SECOND_CHANCE = (
    "The owner named his supplier, took the bad batches off sale and paid the refunds; from here on with halved limits."
)
SOMEBODY_ELSE = "player-20931"
ISSUER_SAYS: dict[str, tuple[tuple[str, int], ...]] = {  # (what, how long ago) once the merchant has contested
    "ruled_for_buyer": (("activated", 40 * DAY_MS),),
    "ruled_for_merchant": (("activated", HOUR_MS // 2),),
    "contested": (("unused", 35 * DAY_MS), ("activated", 36 * DAY_MS)),  # he contradicts himself
}


class Telling:
    """Tells stories with the world's dice."""

    def __init__(self, stage: Stage, maker: Maker) -> None:
        self._stage = stage
        self._maker = maker
        self._rng: random.Random = stage.rng

    def _after(self, least_min: float, most_min: float) -> int:
        """A moment between so many minutes from now."""
        return self._stage.clock() + minutes(self._rng.uniform(least_min, most_min))

    # Orders that went well.

    async def smooth(self, deal: Deal) -> Story:
        """Paid, delivered at once, opened, confirmed or completed by the clock, perhaps reviewed."""
        await deal.place()
        yield self._after(0.5, 6)
        await deal.pay()
        yield self._after(1, 240)
        await deal.open()
        if self._rng.random() < 0.7:  # noqa: PLR2004 - most say so, others leave it to the clock
            yield self._after(4, 1_500)
            await deal.confirm()
        else:
            yield self._stage.clock() + 72 * HOUR_MS + minutes(20)
            if not await deal.is_completed():
                yield self._stage.clock() + 72 * HOUR_MS
        if self._rng.random() < 0.65:  # noqa: PLR2004 - a share of buyers
            yield self._after(5, 2_000)
            await deal.review(self._rng.choice((4, 5, 5, 5)), self._rng.choice(PRAISE))

    async def typed(self, deal: Deal) -> Story:
        """A manual listing, delivered within the promise."""
        await deal.buy()
        promise_min = deal.terms.promise_min
        yield self._after(promise_min * 0.3, promise_min * 0.95)
        await deal.type_codes()
        yield self._after(3, 200)
        await deal.open()
        yield self._after(5, 600)
        await deal.confirm()
        if self._rng.random() < 0.7:  # noqa: PLR2004 - most say so, others leave it to the clock
            yield self._after(5, 500)
            await deal.review(self._rng.choice((2, 3, 4)), self._rng.choice(MEH))

    async def never_opened(self, deal: Deal) -> Story:
        """Bought as a present and left sealed: completed by the clock after seven days."""
        await deal.buy()
        yield self._after(1, 2)

    async def disappointed(self, deal: Deal) -> Story:
        """Completed, and the review tells how it really was."""
        await deal.buy()
        yield self._after(2, 90)
        await deal.open()
        yield self._after(5, 90)
        await deal.confirm()
        yield self._after(60, 900)
        await deal.review(self._rng.choice((1, 2)), self._rng.choice(GRUMBLE), worked=False)

    # Orders that stand somewhere now.

    async def unpaid(self, deal: Deal) -> Story:
        """Placed and never paid: the clock lets the codes go."""
        await deal.place()
        yield self._after(1, 2)

    async def given_up(self, deal: Deal) -> Story:
        """Placed, then no longer wanted."""
        await deal.place()
        yield self._after(2, 9)
        await deal.give_up()

    async def waiting(self, deal: Deal) -> Story:
        """Paid; the merchant has not typed the codes (yet)."""
        await deal.buy()
        yield self._after(1, 2)

    async def waiting_longer(self, deal: Deal) -> Story:
        """Paid; the buyer agreed to wait once more."""
        await deal.buy()
        yield self._after(deal.terms.promise_min * 0.7, deal.terms.promise_min * 0.9)
        await deal.agree_to_wait()

    async def opened(self, deal: Deal) -> Story:
        """Delivered and opened; the protection runs."""
        await deal.buy()
        yield self._after(2, 30)
        await deal.open()

    async def half_opened(self, deal: Deal) -> Story:
        """Delivered, one code opened, the others sealed."""
        await deal.buy()
        yield self._after(2, 30)
        await deal.open(1)

    # Orders that were taken back.

    async def withdrawn(self, deal: Deal) -> Story:
        """Everything sealed, the buyer steps back."""
        await deal.buy()
        yield self._after(3, 300)
        await deal.withdraw()

    async def typed_too_few(self, deal: Deal) -> Story:
        """The merchant typed one code of several in time; the buyer opened it; the clock gave the rest back."""
        await deal.buy()
        yield self._after(deal.terms.promise_min * 0.3, deal.terms.promise_min * 0.6)
        await deal.type_codes(1)
        yield self._after(2, 10)
        await deal.open(1)

    async def waited_and_got(self, deal: Deal) -> Story:
        """Late, but the buyer agreed to wait, and it came."""
        promise_min = deal.terms.promise_min
        await deal.buy()
        yield self._after(promise_min * 0.8, promise_min * 0.95)
        await deal.agree_to_wait()
        yield self._after(promise_min * 0.3, promise_min * 0.7)
        await deal.type_codes()
        yield self._after(5, 90)
        await deal.open()
        yield self._after(20, 300)
        await deal.confirm()
        yield self._after(20, 300)
        await deal.review(2, MEH[0])

    # Money that came otherwise.

    async def paid_late(self, deal: Deal) -> Story:
        """The money came after expiry; there were codes left, so the order was taken up again."""
        await deal.place()
        yield self._after(18, 40)
        await deal.pay()
        yield self._after(3, 40)
        await deal.open()
        yield self._after(10, 90)
        await deal.confirm()

    async def paid_short(self, deal: Deal) -> Story:
        """Too little: not confirmed, and given back when the window closed."""
        await deal.place()
        yield self._after(1, 4)
        await deal.pay(deal.amount_fen - SHORT_BY_FEN)

    async def paid_in_two(self, deal: Deal) -> Story:
        """Too little first, the rest a moment later."""
        await deal.place()
        yield self._after(1, 3)
        await deal.pay(deal.amount_fen - SHORT_BY_FEN)
        yield self._after(1, 4)
        await deal.pay(SHORT_BY_FEN)
        yield self._after(1, 40)
        await deal.open()

    async def paid_too_much(self, deal: Deal) -> Story:
        """More than asked: the surplus went back at once."""
        await deal.place()
        yield self._after(1, 4)
        await deal.pay(deal.amount_fen + SURPLUS_FEN)
        yield self._after(2, 60)
        await deal.open()

    async def paid_twice(self, deal: Deal) -> Story:
        """Both payments arrived: the second went back."""
        await deal.place()
        yield self._after(1, 4)
        await deal.pay()
        yield self._after(0.5, 1)
        await deal.pay()
        yield self._after(2, 60)
        await deal.open()

    async def refund_failed(self, deal: Deal) -> Story:
        """The second payment should go back and the provider refuses for good: an operator must act."""
        await deal.place()
        yield self._after(1, 4)
        await deal.pay()
        yield self._after(1, 2)
        rule: dict[str, object] = {
            "kind": "fail",
            "reference": deal.reference,
            "on": ["refund"],
            "reason": "payer_account_closed",
        }
        await self._stage.controls.go_wrong(rule)
        await deal.pay()

    # Quarrels.

    async def complaint(self, deal: Deal, end: str = "") -> Story:
        """Opened, wrong, complained about; `end` says how it went on (empty: the merchant is silent, or has time)."""
        await deal.buy()
        yield self._after(2, 40)
        await deal.open()
        yield self._after(3, 60)
        reason, text = self._rng.choice(COMPLAINTS)
        half = end == "half"
        await deal.complain(reason, text, deal.amount_fen // 2 if half else 0)
        if not end:
            return
        yield self._after(60, 1_400)
        if not await deal.is_open_complaint():  # the batch spoke before the shop did
            return
        if end in ("accepted", "half"):
            await deal.accept()
            return
        await deal.contest(self._rng.choice(CONTESTS))
        if end in ISSUER_SAYS:
            yield self._after(5, 30)
            await self._attest(deal, end)
        if end == "contested":
            return
        yield self._after(200, 1_900)
        if not await deal.is_open_complaint():
            return
        match end:
            case "ruled_in_part":
                await deal.settle(deal.amount_fen // 2, OFFER_OF_A_PART)
            case _:
                await deal.judged()

    async def _attest(self, deal: Deal, end: str) -> None:
        """The issuer says what became of the code that they quarrel about."""
        code = await deal.opened_code()
        for says, ago_ms in ISSUER_SAYS[end]:
            account = SOMEBODY_ELSE if says == "activated" and end != "ruled_for_merchant" else ""
            await self._maker.say(code, says, ago_ms, account)

    def complained(self, end: str = "") -> Tell:
        """A complaint with this end."""
        return lambda deal: self.complaint(deal, end)

    # Money that belongs to no order, and money that leaves.

    async def unmatched(self, amount_fen: int, currency: str = "CNY") -> Story:
        """Somebody paid with a reference that is none."""
        digits = "".join(self._rng.choices("0123456789", k=16))
        await self._stage.pay(f"WX{digits}", amount_fen, currency)
        yield self._stage.clock() + DAY_MS

    async def at_the_desk(self, shop_id: str) -> Story:
        """Somebody of the shop looks in twice a day; who never does has vanished."""
        while True:
            await self._stage.ask(Asker.MERCHANT, AttendShop(shop_id=shop_id))
            yield self._stage.clock() + 12 * HOUR_MS

    async def watched(self, shop_id: str) -> Story:
        """A person looks at the shop, if its meter has frozen it."""
        credit = await self._stage.house.questions.credit.crediting(shop_id)
        if credit.is_frozen:
            await self._stage.ask(Asker.OPERATOR, ReviewFreeze(shop_id=shop_id, reason=SECOND_CHANCE))
        yield self._stage.clock() + DAY_MS

    async def payout(self, shop_id: str, amount_fen: int, fault: dict[str, object] | None = None) -> Story:
        """The shop draws money."""
        if fault:
            await self._stage.controls.go_wrong({"reference": shop_id, "on": ["payout"], **fault})
        payout_id = self._stage.house.new_id()
        await self._stage.ask(
            Asker.MERCHANT, RequestPayout(shop_id=shop_id, payout_id=payout_id, amount_fen=amount_fen)
        )
        yield self._stage.clock() + DAY_MS
