"""The demo world: its people, shops and four weeks of trade, acted in virtual time and ending now.

The same seed tells the same stories; ids, salts and signatures are new each time.
"""

import datetime
import hashlib
import json
import random
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from fairkey.adapters.payments.sandbox_controls import SandboxControls
from fairkey.app import Opened, publish_standard
from fairkey.business.askers import Asker
from fairkey.business.basics import DAY_MS, HOUR_MS, Broken
from fairkey.business.coupons import CreateCoupon
from fairkey.business.listings import PublishListing, WithdrawListing
from fairkey.business.shops import ChangeShop, OpenShop
from fairkey.engine import trade
from fairkey.engine.people import Actor, ActorKind, Role
from fairkey.web.account.entrance import DEMO_DOORS

from .applicants import apply_all
from .deal import Deal, code_text, minutes
from .goods import COUPON, COUPON_LIMITED, Goods, ShopPlan, shop_plans
from .maker import Maker
from .quarrels import TOP_UPS_FEN, Quarrelling, pay_in, seat_judges
from .stage import Stage, Story, VirtualClock
from .stories import Tell, Telling
from .voices import BUYERS

HISTORY_MS: Final = 28 * DAY_MS
PASSWORD: Final = "moon-lit tea house 7"  # noqa: S105 - printed at the start of the demo
NAMES: Final = {"buyer": "小林", "operator": "平台值班"}
SHANGHAI_MS: Final = 8 * HOUR_MS


@dataclass(kw_only=True)
class OpenedShop:
    """One shop of the world."""

    plan: ShopPlan
    shop_id: str
    shop_no: int
    account_id: str
    listings: dict[str, str] = field(default_factory=dict)


@dataclass(kw_only=True)
class World:
    """What was built. `codes` and `contacts` are every plaintext that ever went in."""

    shops: dict[str, OpenedShop]
    accounts: dict[str, str]
    codes: list[str]
    contacts: set[str]
    orders: int
    maker: Maker


async def build_world(
    opened: Opened, controls: SandboxControls, clock: VirtualClock, *, now_ms: int, seed: int, share: float = 1.0
) -> World:
    """Act four weeks of trade that end at `now_ms`; `share` (0..1) makes the crowd of ordinary orders smaller."""
    stage = Stage(opened=opened, controls=controls, clock=clock, rng=random.Random(seed))  # noqa: S311 - a story
    builder = _Builder(stage, now_ms, share)
    return await builder.build()


class _Builder:
    def __init__(self, stage: Stage, now_ms: int, share: float) -> None:
        self._stage = stage
        self._now_ms = now_ms
        self._share = share
        self._rng = stage.rng
        self._accounts: dict[str, str] = {}
        self._shops: dict[str, OpenedShop] = {}
        self._goods: dict[str, tuple[OpenedShop, Goods]] = {}
        self._deals = 0
        self._maker = Maker(stage, stage.house.new_id())

    async def build(self) -> World:
        stage = self._stage
        await stage.move_to(self._now_ms - HISTORY_MS - DAY_MS)
        await publish_standard(stage.house)
        await self._people()
        await self._maker.register()
        day = datetime.datetime.fromtimestamp(self._now_ms / 1000, datetime.UTC).date()
        soon, later = (day + datetime.timedelta(days=days) for days in (45, 400))
        plans = shop_plans(soon.isoformat(), later.isoformat())
        await seat_judges(stage)
        for plan in plans:
            await self._open_shop(plan)
            shop = self._shops[plan.door]
            await pay_in(stage, shop.shop_id, shop.shop_no, TOP_UPS_FEN[plan.door])
        await self._coupons()
        await stage.play(self._stories(), self._now_ms)
        await self._withdrawals()
        await apply_all(stage, {door: (shop.shop_id, shop.account_id) for door, shop in self._shops.items()})
        await stage.settle()
        await stage.told()
        await stage.controls.go_well()
        return World(
            shops=self._shops,
            accounts=self._accounts,
            codes=stage.codes,
            contacts=stage.contacts | set(DEMO_DOORS.values()) | {plan.contact for plan in plans},
            orders=self._deals,
            maker=self._maker,
        )

    # People and shops.

    async def _people(self) -> None:
        accounts = self._stage.house.people.accounts
        for door, address in DEMO_DOORS.items():
            owner = NAMES.get(door, "")
            registered = await accounts.register(email=address, password=PASSWORD, display_name=owner)
            if registered.account is None:
                raise Broken("the demo's people live here already")
            await accounts.verify_email(registered.errand.token)
            if door == "operator":
                await accounts.make_operator(registered.account.account_id)
            self._accounts[door] = registered.account.account_id

    async def _open_shop(self, plan: ShopPlan) -> None:
        house = self._stage.house
        shop_id = house.new_id()
        shop_no = await house.numbers.number_for(shop_id)
        account_id = self._accounts[plan.door]
        await house.people.accounts.change_profile(account_id, display_name=plan.owner, locale="zh_CN")
        await self._stage.ask(
            Asker.MERCHANT,
            OpenShop(
                shop_id=shop_id,
                shop_no=shop_no,
                name=plan.name,
                contact=plan.contact,
                payout_account=plan.payout_account,
                fee_bp=house.settings.fee_bp,
                admitted=True,
            ),
        )
        await house.people.staff.add(shop_id, account_id, Role.OWNER)
        await self._stage.ask(
            Asker.MERCHANT,
            ChangeShop(
                shop_id=shop_id, name=plan.name, announcement=plan.announcement, payout_account=plan.payout_account,
                account_is_new=False,
            ),
        )
        actor = Actor(kind=ActorKind.ACCOUNT, account_id=account_id, shop_roles={shop_id: Role.OWNER})
        await house.people.audit.write(actor, "shop.opened", target=f"shop:{shop_no}")
        shop = OpenedShop(plan=plan, shop_id=shop_id, shop_no=shop_no, account_id=account_id)
        self._shops[plan.door] = shop
        for goods in plan.goods:
            await self._publish(shop, goods)

    async def _publish(self, shop: OpenedShop, goods: Goods) -> None:
        listing_id = self._stage.house.new_id()
        await self._stage.ask(
            Asker.MERCHANT, PublishListing(shop_id=shop.shop_id, listing_id=listing_id, terms=goods.terms)
        )
        shop.listings[goods.word] = listing_id
        self._goods[goods.word] = (shop, goods)
        for number, size in enumerate(goods.stock, 1):
            await self._deposit(shop, goods, listing_id, number, size)

    async def _deposit(self, shop: OpenedShop, goods: Goods, listing_id: str, number: int, size: int) -> None:
        """One file; every second one has lines that cannot be taken, as files of the trade do."""
        texts = [code_text(self._stage, goods.prefix) for _ in range(size)]
        self._stage.codes += texts
        lines = list(texts)
        if number % 2 or size < 50:  # noqa: PLR2004 - small files are careless ones
            lines[size // 3 : size // 3] = [texts[0], "", f"{texts[1][:7]}\x07{texts[1][8:]}"]
            if shop.plan.door == "crooked":
                lines += self._stage.codes[:3]  # somebody else's codes: refused, they lie in the vault already
        invoice = hashlib.sha256(f"invoice {goods.word} {number}".encode()).hexdigest()
        staged, answer = await trade.deposit(
            self._stage.house,
            shop_id=shop.shop_id,
            import_id=self._stage.house.new_id(),
            listing_id=listing_id,
            chunks=_in_one_piece("\n".join(lines)),
            file_name=f"{goods.word}-{number}.txt",
            note=goods.note,
            source=goods.source,
            invoice_sha256=invoice if goods.source == "invoice" else "",
            attestation=self._attestation(shop, goods, number, size) if goods.source == "issuer" else "",
            by_account=shop.account_id,
        )
        if answer is None or answer.refusal or staged.count != size:
            raise Broken(f"the demo's deposit of {goods.word} went wrong: {staged.progress}")

    def _attestation(self, shop: OpenedShop, goods: Goods, number: int, size: int) -> str:
        statement, signature = self._maker.list_for(
            product=goods.terms.product, count=size, shop_no=shop.shop_no, list_id=f"XH-{goods.word}-{number}"
        )
        return json.dumps({"statement": statement, "signature": signature})

    async def _coupons(self) -> None:
        honest, careless = self._shops["merchant"], self._shops["careless"]
        for coupon in (
            CreateCoupon(
                shop_id=honest.shop_id,
                coupon_id=trade.coupon_id_of(honest.shop_id, COUPON),
                code=COUPON,
                off_bp=500,
                least_fen=5_000,
                ends_at_ms=self._now_ms + 20 * DAY_MS,
            ),
            CreateCoupon(
                shop_id=careless.shop_id,
                coupon_id=trade.coupon_id_of(careless.shop_id, COUPON_LIMITED),
                code=COUPON_LIMITED,
                off_fen=1_000,
                least_fen=3_000,
                uses_max=2,
            ),
        ):
            await self._stage.ask(Asker.MERCHANT, coupon)

    async def _withdrawals(self) -> None:
        for shop, goods in self._goods.values():
            if goods.ends:
                await self._stage.ask(
                    Asker(goods.ends),
                    WithdrawListing(shop_id=shop.shop_id, listing_id=shop.listings[goods.word], by=goods.ends),
                )

    # Stories.

    def _stories(self) -> list[tuple[int, Story]]:
        ordinary = [*self._of_honest(), *self._of_careless(), *self._of_crooked(), *self._of_buyer()]
        return [*ordinary, *self._of_money(), *self._of_justice()]

    def _of_honest(self) -> list[tuple[int, Story]]:
        tell = Telling(self._stage, self._maker)
        crowd = ("steam100", "eshop3000", "apple200", "video")
        stories = [self._past(tell.smooth, word, 27, 4) for word in self._some(crowd, 22)]
        stories += [self._past(tell.smooth, "steam100", 20, 5, quantity=many) for many in (5, 10)]
        stories += [self._past(tell.smooth, "video", 25, 5, quantity=3) for _ in range(2)]
        stories += [self._past(tell.typed, "office", 24, 2) for _ in self._some((1,), 4)]
        stories += [self._past(tell.never_opened, word, 20, 9) for word in ("apple200", "video")]
        stories += [self._past(tell.unpaid, word, 20, 1) for word in ("steam100", "eshop3000", "video")]
        stories += [
            self._past(tell.given_up, "apple200", 6, 2),
            self._past(tell.withdrawn, "steam100", 12, 3),
            self._past(tell.withdrawn, "eshop3000", 4, 2),
            self._past(tell.paid_late, "steam100", 18, 4),
            self._past(tell.paid_short, "eshop3000", 9, 3),
            self._past(tell.paid_in_two, "video", 2, 1),
            self._past(tell.paid_too_much, "steam100", 2.5, 1),
            self._past(tell.paid_twice, "apple200", 2.8, 1),
            self._past(tell.complained("half"), "steam100", 15, 9, quantity=2),
            self._past(tell.complained("ruled_for_merchant"), "eshop3000", 21, 12),
            self._ago(tell.refund_failed, "video", 380),
            self._ago(tell.waiting, "office", 22),
            self._ago(tell.waiting, "office", 47),
            self._ago(tell.unpaid, "apple200", 6),
            self._ago(tell.opened, "eshop3000", 190),
            self._ago(tell.half_opened, "steam100", 95, quantity=3),
            self._ago(tell.never_opened, "video", 33, quantity=2),
        ]
        return stories

    def _of_careless(self) -> list[tuple[int, Story]]:
        tell = Telling(self._stage, self._maker)
        stories = [self._past(tell.smooth, "pass", 26, 4) for _ in self._some((1,), 5)]
        stories += [self._past(tell.smooth, "music", 26, 8) for _ in range(7)]
        stories += [self._past(tell.smooth, "music", 7, 5, coupon=COUPON_LIMITED)]
        stories += [self._past(tell.typed, "qq100", 25, 3) for _ in self._some((1,), 5)]
        stories += [self._past(tell.waiting, "qq100", 24, 1.5) for _ in range(4)]
        stories += [self._past(tell.waiting, "point", 18, 6) for _ in range(2)]
        stories += [
            self._past(tell.waited_and_got, "qq100", 14, 4),
            self._past(tell.typed_too_few, "qq100", 8, 2, quantity=3),
            self._past(tell.smooth, "pass", 12, 6, coupon=COUPON_LIMITED),
            self._past(tell.complained("accepted"), "pass", 17, 6),
            self._past(tell.complained(), "pass", 19, 6),
            self._past(tell.disappointed, "pass", 10, 4),
            self._ago(tell.complained(), "pass", 700),
            self._ago(tell.waiting, "qq100", 41),
            self._ago(tell.waiting_longer, "qq100", 66, quantity=2),
            self._ago(tell.opened, "pass", 320),
        ]
        return stories

    def _of_crooked(self) -> list[tuple[int, Story]]:
        tell = Telling(self._stage, self._maker)
        stories = [self._past(tell.smooth, "random", 26, 4) for _ in self._some((1,), 6)]
        stories += [self._past(tell.disappointed, word, 24, 3) for word in ("random", "random", "cloud")]
        stories += [
            self._past(tell.complained("ruled_for_buyer"), word, 22, 7) for word in ("cloud", "random", "cloud")
        ]
        stories += [self._past(tell.complained(), word, 20, 5) for word in ("random", "random", "cloud")]
        stories += [self._past(tell.waiting, "windows", 20, 2) for _ in range(4)]
        stories += [
            self._past(tell.complained("ruled_in_part"), "random", 14, 8, quantity=2),
            self._ago(tell.complained("contested"), "cloud", 1_560),
            self._ago(tell.complained("contested"), "random", 1_620),
            self._ago(tell.complained(), "cloud", 240),
            self._ago(tell.opened, "random", 150),
        ]
        return stories

    def _of_buyer(self) -> list[tuple[int, Story]]:
        """What the account behind the buyer's door bought."""
        tell = Telling(self._stage, self._maker)
        mine = {"contact": DEMO_DOORS["buyer"], "account_id": self._accounts["buyer"]}
        return [
            self._past(tell.smooth, "steam100", 19, 12, coupon=COUPON, **mine),
            self._past(tell.smooth, "video", 11, 8, **mine),
            self._past(tell.withdrawn, "apple200", 7, 5, **mine),
            self._past(tell.waiting, "qq100", 6, 5, **mine),
            self._past(tell.complained("ruled_for_buyer"), "random", 9, 8, **mine),
            self._ago(tell.complained("contested"), "eshop3000", 1_580, **mine),
            self._ago(tell.opened, "eshop3000", 260, **mine),
            self._ago(tell.never_opened, "steam100", 52, quantity=2, **mine),
            self._ago(tell.waiting, "office", 38, **mine),
            self._ago(tell.unpaid, "video", 3, **mine),
        ]

    def _of_justice(self) -> list[tuple[int, Story]]:
        """Disputes in every stage, reviews that are argued about, a lure, a recording."""
        tell = Quarrelling(self._stage)
        mine = {"contact": DEMO_DOORS["buyer"], "account_id": self._accounts["buyer"]}

        def standing(end: str) -> Tell:
            return lambda deal: tell.standing(deal, end)

        return [
            self._ago(standing("asked"), "steam100", 130, **mine),
            self._ago(standing("offered"), "pass", 120, **mine),
            self._ago(standing("ruled"), "eshop3000", 100, **mine),
            self._ago(standing("appealed"), "apple200", 110, **mine),
            self._ago(standing("appealed"), "video", 140),
            self._ago(tell.lured, "pass", 75, **mine),
            self._ago(tell.recording, "steam100", 20, **mine),
            self._past(lambda deal: tell.argued(deal, "objected"), "office", 8, 4),
            self._past(lambda deal: tell.argued(deal, "hidden"), "pass", 8, 4),
        ]

    def _of_money(self) -> list[tuple[int, Story]]:
        tell = Telling(self._stage, self._maker)
        honest, careless = self._shops["merchant"].shop_id, self._shops["careless"].shop_id
        crooked = self._shops["crooked"].shop_id
        now_ms = self._now_ms
        return [
            *((now_ms - HISTORY_MS, tell.at_the_desk(shop.shop_id)) for shop in self._shops.values()),
            *((now_ms - int(days * DAY_MS), tell.watched(crooked)) for days in (12, 1.9)),
            (now_ms - 2 * DAY_MS, tell.watched(careless)),
            (now_ms - 16 * DAY_MS, tell.unmatched(6_600)),
            (now_ms - 2 * DAY_MS, tell.unmatched(9_650)),
            (now_ms - 5 * HOUR_MS, tell.unmatched(1_400, "USD")),
            (now_ms - 11 * DAY_MS, tell.payout(honest, 12_000)),
            (now_ms - 4 * DAY_MS, tell.payout(honest, 20_000)),
            (now_ms - 3 * HOUR_MS, tell.payout(honest, 15_000, {"kind": "stay_pending"})),
            (now_ms - 5 * DAY_MS, tell.payout(careless, 5_000)),
            (now_ms - 3 * DAY_MS, tell.payout(crooked, 500, {"kind": "fail", "reason": "account_name_differs"})),
        ]

    def _some(self, words: Sequence[object], number: int) -> list[str]:
        """So many of a crowd, fewer in a small world; the words by turns."""
        size = max(1, round(number * self._share))
        return [str(words[index % len(words)]) for index in range(size)]

    def _past(
        self,
        tell: Tell,
        word: str,
        most_days: float,
        least_days: float,
        **more: Any,  # noqa: ANN401 - as `_deal` takes them
    ) -> tuple[int, Story]:
        """A story that began between so many days ago, at an hour at which people buy."""
        at_ms = self._now_ms - int(self._rng.uniform(least_days, most_days) * DAY_MS)
        hour = (at_ms + SHANGHAI_MS) % DAY_MS // HOUR_MS
        if hour < 9:  # noqa: PLR2004 - the night: buy in the evening before
            at_ms -= 10 * HOUR_MS
        return at_ms, tell(self._deal(word, **more))

    def _ago(self, tell: Tell, word: str, minutes_ago: float, **more: Any) -> tuple[int, Story]:  # noqa: ANN401
        """A story that began so many minutes ago."""
        return self._now_ms - minutes(minutes_ago), tell(self._deal(word, **more))

    def _deal(self, word: str, *, quantity: int = 1, contact: str = "", account_id: str = "", coupon: str = "") -> Deal:
        shop, goods = self._goods[word]
        self._deals += 1
        name = BUYERS[self._deals % len(BUYERS)]
        return Deal(
            self._stage,
            shop_id=shop.shop_id,
            listing_id=shop.listings[goods.word],
            terms=goods.terms,
            contact=contact or f"{name}{self._deals}@mail.example",
            quantity=quantity,
            account_id=account_id,
            coupon=coupon,
        )


async def _in_one_piece(text: str) -> AsyncIterator[bytes]:
    yield text.encode()
