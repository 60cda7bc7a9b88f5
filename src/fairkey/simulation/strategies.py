"""Each strategy: a market with one way of trading in it, and what its player earned."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from fairkey.business.askers import Asker
from fairkey.business.basics import DAY_MS, MINUTE_MS, Stream
from fairkey.business.codes import CodeStage
from fairkey.business.deposits import TERMS_VERSION, AgreeDeposit, RecordTopUp, TopUpDeposit
from fairkey.business.files import DepositFile

from .juries import Juries
from .ledgers import Tally
from .market import Code, Market
from .people import SETTLE_MS, Buyer, People, Shop
from .scenario import BP, FRAUDS, Scenario, Strategy

SHOPS_ACCOUNTS: Final = ("escrow", "shop_pending", "shop_available", "payout_payable")
SYBILS: Final = 6
FEE_BP: Final = 100
OUTAGE_MS: Final = 4 * DAY_MS
CHEATS_ANSWER_BP: Final = 9_000


@dataclass(slots=True)
class Played:
    """One market after its end.

    `cheating_fen`: what of the profit is left when that is taken away which honest trade would have brought: of the
    orders before an exit, of all orders where good and bad codes are mixed. `tried`: orders that buyers wanted.
    """

    strategy: Strategy
    tally: Tally
    profit_fen: int
    cheating_fen: int
    tried: int


async def play(strategy: Strategy, scenario: Scenario, seed: int) -> Played:
    """Play one market to its end."""
    market, tally = Market(seed), Tally()
    people = People(market, scenario, tally)
    market.jury = Juries(market, scenario, tally, scenario.ring_bp if strategy is Strategy.RING else 0).step
    await market.open()
    stage = _Stage(strategy, scenario, market, people, tally)
    await stage.set_up()
    every_ms = DAY_MS // scenario.orders_a_day
    for number in range(stage.orders):
        market.later(number * every_ms + market.chance.randrange(every_ms), stage.buying(number))
    await market.run(market.now_ms + stage.orders * every_ms + SETTLE_MS)
    profit_fen = stage.profit_fen()
    return Played(
        strategy=strategy,
        tally=tally,
        profit_fen=profit_fen,
        cheating_fen=profit_fen - stage.honest_part_fen(),
        tried=stage.orders,
    )


class _Stage:
    """Who trades in this market."""

    def __init__(self, strategy: Strategy, scenario: Scenario, market: Market, people: People, tally: Tally) -> None:
        self.strategy = strategy
        self.scenario = scenario
        self.market = market
        self.people = people
        self.tally = tally
        self.shops: list[Shop] = []
        self.orders = scenario.orders
        self._own_deposits_fen = 0

    async def set_up(self) -> None:
        """Open the shops, pay the deposits in, stock up."""
        count = SYBILS if self.strategy is Strategy.SYBIL else 1
        for number in range(count):
            shop = await self._open(number)
            self.shops.append(shop)
            if self.strategy is not Strategy.SYBIL:
                await self._deposit(shop.shop_id, self.scenario.deposit_fen)
        if self.strategy is Strategy.OUTAGE:
            self.people.issuer_is_out_until_ms = self.market.now_ms + OUTAGE_MS
            await self.market.say_outage("began")
            self.market.later(OUTAGE_MS, lambda: self.market.say_outage("ended"))

    def buying(self, number: int) -> Callable[[], Awaitable[None]]:
        """What order number `number` is."""
        shop = self.shops[number % len(self.shops)]
        return lambda: self.people.buy(shop, self._buyer(number))

    def profit_fen(self) -> int:
        """What the strategy's player has at the end more than at the beginning."""
        if self.strategy in (Strategy.FRIENDLY, Strategy.FRIENDLY_GANG, Strategy.RING):
            return self.tally.cheat_buyers_fen
        if self.strategy is Strategy.GRIEFER:
            return self.tally.cheat_buyers_fen
        held = self.market.store.tables.kept.balances
        earned_fen = sum(held[shop.shop_id, name, "CNY"] for shop in self.shops for name in SHOPS_ACCOUNTS)
        left_fen = sum(self._deposit_left(shop.shop_id) for shop in self.shops)
        self.tally.deposit_lost_fen = self._own_deposits_fen - left_fen
        unsold_fen = self._unsold_fen()
        own_fen = self.tally.cheat_buyers_fen if self.strategy is Strategy.REVIEW_FARM else 0
        gained_fen = earned_fen + own_fen + self.tally.shop_fen + unsold_fen
        identities_fen = self.scenario.identity_fen * len(self.shops) if self.strategy in NEW_FACES else 0
        return gained_fen - self.tally.cost_fen - self.tally.deposit_lost_fen - identities_fen

    def honest_part_fen(self) -> int:
        """What honest trade would have brought with the orders in which the player did not cheat, or need not have."""
        scenario = self.scenario
        fee_fen = scenario.price_fen * FEE_BP // BP
        margin_fen = scenario.price_fen - scenario.cost_fen - fee_fen
        clean = {
            Strategy.EXIT_SCAM: scenario.clean_orders,
            Strategy.EXIT_SCAM_LATE: scenario.clean_orders_late,
            Strategy.USED_MIXER: self.tally.orders,
            Strategy.FALSE_ATTESTER: self.tally.orders,
        }.get(self.strategy, 0)
        return margin_fen * min(clean, self.tally.orders)

    def _unsold_fen(self) -> int:
        """What lies unsold was not lost: it is worth what it cost."""
        kept, codes = self.market.store.tables.kept.codes, self.market.codes
        return sum(codes[code_id].cost_fen for (_, code_id), row in kept.items() if row.stage is CodeStage.FREE)

    async def _open(self, number: int) -> Shop:
        is_honest = self.strategy not in FRAUDS or self.strategy in BUYERS
        shop_id = await self.market.open_shop(f"shop {number}")
        listing_id = await self.market.list_cards(shop_id, self.scenario.price_fen)
        return Shop(
            shop_id=shop_id,
            listing_id=listing_id,
            is_honest=is_honest,
            make_code=self._maker(),
            contests_bp=self.scenario.answers_bp if is_honest else CHEATS_ANSWER_BP,
            redeems_after_reveal_bp=BP if self.strategy is Strategy.RESALE else 0,
            issuer_lies=self.strategy is Strategy.FALSE_ATTESTER,
        )

    def _maker(self) -> Callable[[int], tuple[Code, int]]:
        scenario, chance = self.scenario, self.market.chance
        bad_bp = {
            Strategy.HONEST_CARELESS: scenario.careless_bp,
            Strategy.USED_MIXER: scenario.mixed_bp,
            Strategy.FALSE_ATTESTER: scenario.mixed_bp,
        }.get(self.strategy, scenario.defects_bp)
        clean = {
            Strategy.EXIT_SCAM: scenario.clean_orders,
            Strategy.EXIT_SCAM_LATE: scenario.clean_orders_late,
            Strategy.REVIEW_FARM: scenario.clean_orders // 2,
        }.get(self.strategy, -1)

        def make(number: int) -> tuple[Code, int]:
            if self.strategy in (Strategy.FAKE_STOCK, Strategy.SYBIL) or (0 <= clean <= number):
                return Code(is_real=False), 0
            if chance.randrange(BP) < bad_bp:
                honest = self.strategy not in FRAUDS or self.strategy in BUYERS
                used = Code(used_at_ms=self.market.now_ms - 10 * MINUTE_MS, used_by="somebody")
                return used, scenario.cost_fen if honest else scenario.used_cost_fen
            return Code(), scenario.cost_fen

        return make

    def _buyer(self, number: int) -> Buyer:
        chance = self.market.chance
        plain = Buyer(name=f"buyer-{chance.randrange(10**6)}")
        match self.strategy:
            case Strategy.FRIENDLY if chance.randrange(BP) < self.scenario.friendly_bp:
                return Buyer(name=f"friendly-{chance.randrange(5)}", cheats=True)
            case Strategy.RING if chance.randrange(BP) < 3 * self.scenario.friendly_bp:
                return Buyer(name=f"ring-{number}", cheats=True)
            case Strategy.FRIENDLY_GANG if chance.randrange(BP) < 3 * self.scenario.friendly_bp:
                return Buyer(name=f"gang-{number}", cheats=True)
            case Strategy.GRIEFER if chance.randrange(BP) < 2 * self.scenario.friendly_bp:
                return Buyer(name=f"rival-{number % 7}", griefs=True)
            case Strategy.REVIEW_FARM if number < self.scenario.clean_orders // 2:
                return Buyer(name=f"own-{number % 9}", is_shops=True)
            case _:
                return plain

    async def _deposit(self, shop_id: str, amount_fen: int) -> None:
        if not amount_fen:
            return
        market = self.market
        top_up_id = market.new_id()
        await market.ask(Asker.MERCHANT, AgreeDeposit(shop_id=shop_id, version=TERMS_VERSION))
        await market.ask(Asker.MERCHANT, TopUpDeposit(shop_id=shop_id, top_up_id=top_up_id, amount_fen=amount_fen))
        await market.ask(
            Asker.PROVIDER,
            RecordTopUp(
                shop_id=shop_id,
                top_up_id=top_up_id,
                provider="played",
                provider_txn=top_up_id,
                amount_fen=amount_fen,
                paid_at_ms=market.now_ms,
            ),
        )
        self._own_deposits_fen += amount_fen

    def _deposit_left(self, shop_id: str) -> int:
        moved = self.market.store.tables.streams.get(Stream(shop_id, "deposit", shop_id))
        if moved is None or not isinstance(moved.file, DepositFile):
            return 0
        deposit = moved.file.deposit
        return deposit.free_fen + deposit.coming_fen + deposit.noticed_fen + deposit.staked_fen


NEW_FACES: Final = frozenset({Strategy.FAKE_STOCK, Strategy.SYBIL})
BUYERS: Final = frozenset({Strategy.FRIENDLY, Strategy.FRIENDLY_GANG, Strategy.GRIEFER, Strategy.RING})
