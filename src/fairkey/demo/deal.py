"""One order of the demo world, as its buyer, its merchant and the operator act on it."""

from collections.abc import Sequence

from fairkey.business import codes, complaints, dispute_events, orders, reviews
from fairkey.business.askers import Asker
from fairkey.business.basics import MINUTE_MS, Broken, Command, Stream
from fairkey.business.codes import StockIsShort
from fairkey.business.covering import FirstOrderIsTooLarge, ShopIsNotCovered
from fairkey.business.dispute_state import ComplaintStage
from fairkey.business.listings import Terms
from fairkey.business.order_refusals import ShopIsFrozen
from fairkey.engine import judging, trade

from .stage import Stage, TurnedAway

# Frozen, not covered, or its batch was taken off sale by a ruling.
TURNED_AWAY = frozenset(one.__name__ for one in (ShopIsFrozen, ShopIsNotCovered, FirstOrderIsTooLarge, StockIsShort))


class Deal:
    """Places, pays, opens, quarrels. Every step goes through the house's own doors."""

    def __init__(
        self,
        stage: Stage,
        *,
        shop_id: str,
        listing_id: str,
        terms: Terms,
        contact: str,
        quantity: int = 1,
        account_id: str = "",
        coupon: str = "",
    ) -> None:
        self.stage = stage
        self.shop_id = shop_id
        self.terms = terms
        self.quantity = quantity
        self.reference = ""
        self.order_id = ""
        self._wish = trade.Placing(
            shop_id=shop_id,
            listing_id=listing_id,
            revision=1,
            quantity=quantity,
            contact=contact,
            coupon_code=coupon,
            account_id=account_id,
        )

    async def place(self) -> None:
        """The buyer orders and is led to the cashier."""
        stage = self.stage
        stage.contacts.add(self._wish.contact)
        placed = await trade.place(stage.house, self._wish)
        if placed.answer.refusal in TURNED_AWAY:
            raise TurnedAway
        if placed.answer.refusal:
            raise Broken(f"the demo's order of {self.terms.product} was refused: {placed.answer.refusal}")
        self.reference, self.order_id = placed.reference, placed.order_id
        await trade.collect(
            stage.house,
            shop_id=self.shop_id,
            order_id=self.order_id,
            return_url=f"{stage.house.settings.origin}/o/{self.reference}",
        )

    async def pay(self, amount_fen: int | None = None, *, currency: str = "CNY") -> None:
        """He pays at the cashier; the provider's notification has arrived when this returns."""
        await self.stage.pay(self.reference, amount_fen, currency)

    async def buy(self) -> None:
        """Order and pay within a moment."""
        await self.place()
        await self.pay()

    async def open(self, units: int = 0) -> None:
        """He opens codes: all, or as many as said."""
        wanted: Sequence[str] = ()
        if units:
            record = await self.stage.house.questions.order_book.find(self.shop_id, self.order_id)
            if record is None:
                raise Broken("the demo's order is gone")
            wanted = [one.code_id for one in record.file.codes.held][:units]
        await self._as_buyer(codes.RevealCodes(shop_id=self.shop_id, order_id=self.order_id, codes=tuple(wanted)))

    async def is_completed(self) -> bool:
        """Whether its protection is over: with a throttled shop it lasts twice as long."""
        record = await self.stage.house.questions.order_book.find(self.shop_id, self.order_id)
        return record is not None and record.file.order.stage is orders.Stage.COMPLETED

    async def opened_code(self) -> str:
        """The first code of the order, as its buyer sees it."""
        house = self.stage.house
        record = await house.questions.order_book.find(self.shop_id, self.order_id)
        if record is None:
            raise Broken("the demo's order is gone")
        code_id = record.file.codes.held[0].code_id
        return (await house.vault.open_codes(self.shop_id, [code_id]))[code_id].text

    async def type_codes(self, units: int | None = None) -> None:
        """The merchant types codes."""
        texts = [code_text(self.stage, "TY") for _ in range(self.quantity if units is None else units)]
        self.stage.codes += texts
        answer = await trade.deliver_typed(
            self.stage.house, shop_id=self.shop_id, order_id=self.order_id, texts=texts, by_account=""
        )
        if answer.refusal:
            raise Broken(f"typed codes of the demo were refused: {answer.refusal}")

    async def confirm(self) -> None:
        """All is well."""
        await self._as_buyer(orders.ConfirmOrder(shop_id=self.shop_id, order_id=self.order_id))

    async def give_up(self) -> None:
        """He no longer wants the unpaid order."""
        await self._as_buyer(orders.GiveUpOrder(shop_id=self.shop_id, order_id=self.order_id))

    async def withdraw(self) -> None:
        """He steps back while all is sealed."""
        await self._as_buyer(orders.WithdrawOrder(shop_id=self.shop_id, order_id=self.order_id))

    async def agree_to_wait(self) -> None:
        """He gives the merchant one more promise period."""
        await self._as_buyer(orders.AgreeToWait(shop_id=self.shop_id, order_id=self.order_id))

    async def review(self, speed: int, text: str, *, worked: bool = True) -> None:
        """He says how it was."""
        await self._as_buyer(
            reviews.PostReview(shop_id=self.shop_id, order_id=self.order_id, speed=speed, code_worked=worked, text=text)
        )

    async def complain(self, reason: str, text: str, demand_fen: int = 0) -> None:
        """He complains."""
        await self._as_buyer(
            complaints.OpenComplaint(
                shop_id=self.shop_id,
                order_id=self.order_id,
                reason=dispute_events.Reason(reason),
                text=text,
                demand_fen=demand_fen,
            )
        )

    async def is_open_complaint(self) -> bool:
        """Whether nothing has been ruled about it yet: a batch in which others failed decides without the shop."""
        record = await self.stage.house.questions.order_book.find(self.shop_id, self.order_id)
        open_stages = (ComplaintStage.OPENED, ComplaintStage.CONTESTED)
        return record is not None and record.file.complaint.stage in open_stages

    async def accept(self) -> None:
        """The merchant agrees to the demand."""
        await self.stage.ask(Asker.MERCHANT, complaints.AcceptComplaint(shop_id=self.shop_id, order_id=self.order_id))

    async def contest(self, text: str) -> None:
        """The merchant disagrees."""
        await self.stage.ask(
            Asker.MERCHANT, complaints.ContestComplaint(shop_id=self.shop_id, order_id=self.order_id, text=text)
        )

    async def judged(self) -> None:
        """The standard rules, and who lost takes it."""
        about = Stream(self.shop_id, "order", self.order_id)
        await judging.judge_order(self.stage.house, about)
        record = await self.stage.house.questions.order_book.find(self.shop_id, self.order_id)
        if record is None or record.file.complaint.stage is not ComplaintStage.RULED:
            return
        ruling = record.file.complaint.ruling
        by = dispute_events.Side.SHOP if ruling and ruling.refund_fen else dispute_events.Side.BUYER
        asker = Asker.MERCHANT if by is dispute_events.Side.SHOP else Asker.BUYER
        await self.stage.ask(asker, complaints.TakeRuling(shop_id=self.shop_id, order_id=self.order_id, by=by))

    async def heard_by_the_standard(self) -> None:
        """The standard rules as far as it can; nobody has taken the ruling yet."""
        await judging.judge_order(self.stage.house, Stream(self.shop_id, "order", self.order_id))

    async def is_ruled_against_the_buyer(self) -> bool:
        """Whether a ruling stands by which he does not get everything back."""
        record = await self.stage.house.questions.order_book.find(self.shop_id, self.order_id)
        if record is None or record.file.complaint.stage is not ComplaintStage.RULED:
            return False
        ruling = record.file.complaint.ruling
        return ruling is not None and ruling.refund_fen < self.amount_fen

    async def settle(self, refund_fen: int, text: str) -> None:
        """The shop offers a part, the buyer takes it."""
        about = {"shop_id": self.shop_id, "order_id": self.order_id}
        shop, buyer = dispute_events.Side.SHOP, dispute_events.Side.BUYER
        offer = complaints.OfferSettlement(**about, by=shop, refund_fen=refund_fen, text=text)
        await self.stage.ask(Asker.MERCHANT, offer)
        await self.stage.ask(Asker.BUYER, complaints.AnswerOffer(**about, by=buyer, offer_no=1, accepted=True))

    @property
    def amount_fen(self) -> int:
        """The plain price without tiers and coupons, which deals with sums of their own do not use."""
        return self.terms.price_fen * self.quantity

    async def _as_buyer(self, command: Command) -> None:
        await self.stage.ask(Asker.BUYER, command)


def code_text(stage: Stage, prefix: str) -> str:
    """A code that looks like one: three groups of five, the first begins with `prefix`."""
    alphabet = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
    rest = "".join(stage.rng.choices(alphabet, k=15 - len(prefix)))
    letters = prefix + rest
    return f"{letters[:5]}-{letters[5:10]}-{letters[10:]}"


def minutes(count: float) -> int:
    """Milliseconds of so many minutes."""
    return int(count * MINUTE_MS)
