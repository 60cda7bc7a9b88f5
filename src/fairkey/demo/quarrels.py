"""What the demo shows of justice: deposits really paid in, judges, disputes in every stage, reviews argued about."""

from typing import Any, Final

from fairkey.business import complaints, deposits
from fairkey.business.arbitrators import AdmitArbitrator, Side
from fairkey.business.askers import Asker
from fairkey.business.basics import PLATFORM, Broken
from fairkey.business.dispute_events import Side as Party
from fairkey.business.evidence import StartRecording
from fairkey.business.messages import SendMessage, Writer
from fairkey.business.references import reference_of
from fairkey.business.reviews import Ground, HideReviewText, MarkReview, ObjectToReview, Part
from fairkey.engine import docket, trade
from fairkey.engine.calibration import CASES, EXAM

from .deal import Deal, minutes
from .stage import Stage, Story

TOP_UPS_FEN: Final = {"merchant": 300_000, "careless": 80_000, "crooked": 10_000}
JUDGES_EACH: Final = 3
PASSWORD: Final = "moon-lit tea house 7"  # noqa: S105 - printed at the start of the demo
CATEGORIES: Final = ("game", "software", "membership")
SAYS: Final = "提示“该代码已被兑换”，从开码到看到提示不到两分钟。"
DISAGREES: Final = "入库前抽检过，这批码都是好的。"
QUESTION: Final = "请问兑换时登录的账号是哪个区服？"
OFFER: Final = "先退一半，另一半等发行商回复。"
APPEAL: Final = "判定没有考虑我的录屏，请人来看。"
LURE: Final = "加我微信 xiaoka88，私下给你补一张，别走平台投诉。"
ABUSE: Final = "老板赵某电话 13900000000，就是个骗子，大家去骂他。"
OBJECTION: Final = "该订单按承诺时间的一半内发货，发货记录可在平台核对。"
NOTE: Final = "平台记录：付款后 31 分钟发货，承诺 60 分钟。"
HIDDEN_BECAUSE: Final = "含有他人姓名与电话。"


async def pay_in(stage: Stage, shop_id: str, shop_no: int, amount_fen: int) -> None:
    """The shop accepts the terms and pays a deposit at the provider's cashier."""
    about = {"shop_id": shop_id}
    top_up_id = stage.house.new_id()
    await stage.ask(Asker.MERCHANT, deposits.AgreeDeposit(**about, version=deposits.TERMS_VERSION))
    asked = deposits.TopUpDeposit(**about, top_up_id=top_up_id, amount_fen=amount_fen)
    await stage.ask(Asker.MERCHANT, asked)
    await trade.collect_top_up(
        stage.house,
        shop_id=shop_id,
        top_up_id=top_up_id,
        amount_fen=amount_fen,
        expires_at_ms=stage.clock() + minutes(600),
        return_url=f"{stage.house.settings.origin}/desk/deposit",
    )
    await stage.pay(reference_of(shop_no, top_up_id), None, "CNY")
    await stage.settle()


async def seat_judges(stage: Stage) -> None:
    """Arbitrators of every side, through the application, the test set with known answers, and the operator."""
    house = stage.house
    right = {one.id: "buyer" if one.for_buyer else "shop" for one in CASES[:EXAM]}
    for side in Side:
        for number in range(JUDGES_EACH):
            email = f"{side.value}{number}@judges.example"
            stage.contacts.add(email)
            registered = await house.people.accounts.register(email=email, password=PASSWORD)
            if registered.account is None:
                raise Broken("a judge of the demo could not register")
            account_id = registered.account.account_id
            text = "做了八年数字商品售后，判过上千单。"
            answer = await docket.apply(house, account_id, side=side, categories=CATEGORIES, text=text, answers=right)
            if answer.refusal:
                raise Broken(f"a judge of the demo was refused: {answer.refusal}")
            arbitrator_id = docket.arbitrator_id_of(house, account_id)
            await stage.ask(Asker.OPERATOR, AdmitArbitrator(shop_id=PLATFORM, arbitrator_id=arbitrator_id))


class Quarrelling:
    """Stories of disputes that stand somewhere now, and of reviews."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def _in(self, least_min: float, most_min: float) -> int:
        return self._stage.clock() + minutes(self._stage.rng.uniform(least_min, most_min))

    async def standing(self, deal: Deal, end: str) -> Story:
        """Opened, wrong, complained about, contested; then as `end` says: asked, offered, ruled, appealed."""
        await deal.buy()
        yield self._in(2, 5)
        await deal.open()
        yield self._in(2, 5)
        await deal.complain("already_used", SAYS)
        yield self._in(10, 20)
        if not await deal.is_open_complaint():
            return
        about: dict[str, Any] = {"shop_id": deal.shop_id, "order_id": deal.order_id}
        await deal.contest(DISAGREES)
        yield self._in(1, 2)
        match end:
            case "asked":
                await self._stage.ask(Asker.MERCHANT, complaints.AskBuyer(**about, text=QUESTION))
            case "offered":
                offer = complaints.OfferSettlement(**about, by=Party.SHOP, refund_fen=deal.amount_fen // 2, text=OFFER)
                await self._stage.ask(Asker.MERCHANT, offer)
            case _:
                await deal.heard_by_the_standard()
                if end == "appealed" and await deal.is_ruled_against_the_buyer():
                    appeal = complaints.AppealRuling(**about, by=Party.BUYER, text=APPEAL)
                    await self._stage.ask(Asker.BUYER, appeal)

    async def recording(self, deal: Deal) -> Story:
        """The buyer has begun a guided recording and not opened the code yet."""
        await deal.buy()
        yield self._in(1, 2)
        started = StartRecording(shop_id=deal.shop_id, order_id=deal.order_id, nonce="7K3MX2QP")
        await self._stage.ask(Asker.BUYER, started)
        yield self._in(1, 2)
        await deal.open()

    async def lured(self, deal: Deal) -> Story:
        """The shop leads off the platform; the message is there, and marked."""
        await deal.buy()
        yield self._in(2, 5)
        await deal.open()
        yield self._in(2, 5)
        await deal.complain("not_valid", SAYS)
        yield self._in(5, 9)
        message = SendMessage(shop_id=deal.shop_id, order_id=deal.order_id, by=Writer.SHOP, text=LURE, sure=True)
        await self._stage.ask(Asker.MERCHANT, message)

    async def argued(self, deal: Deal, about: str) -> Story:
        """A review to which the shop objects, or whose words are hidden."""
        await deal.buy()
        yield self._in(2, 20)
        if deal.terms.promise_min:
            await deal.type_codes()
            yield self._in(2, 20)
        await deal.open()
        yield self._in(2, 20)
        await deal.confirm()
        yield self._in(10, 60)
        this: dict[str, Any] = {"shop_id": deal.shop_id, "order_id": deal.order_id}
        if about == "objected":
            await deal.review(1, "太慢了，等了半天。")
            yield self._in(60, 300)
            await self._stage.ask(Asker.MERCHANT, ObjectToReview(**this, text=OBJECTION))
            await self._stage.ask(Asker.OPERATOR, MarkReview(**this, text=NOTE))
        else:
            await deal.review(1, ABUSE, worked=False)
            yield self._in(60, 300)
            hide = HideReviewText(**this, part=Part.REVIEW, ground=Ground.PERSONAL_DATA, reason=HIDDEN_BECAUSE)
            await self._stage.ask(Asker.OPERATOR, hide)
