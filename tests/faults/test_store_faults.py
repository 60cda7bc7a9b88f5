"""The write path of PostgreSQL, statement by statement: the connection dies before it, after it, or the answer to the
commit is lost. Asking again with the same ids gives exactly one effect.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import ClassVar, Never, TypeVar

import asyncpg
import pytest

from engine_world import PlainSealer, PostgresLooks, World
from fairkey.adapters.postgres.audit import audit
from fairkey.adapters.postgres.rebuild import check
from fairkey.adapters.postgres.store import ENGINE_SETTINGS
from fairkey.business import codes, listings, orders
from fairkey.business.askers import Asker
from fairkey.business.basics import Broken
from fairkey.engine.answers import Answer, Conflict, StoreIsAway
from fairkey.engine.perform import Asked

pytestmark = pytest.mark.pg
T = TypeVar("T")


@dataclass
class Plan:
    """What happens to which statement of the engine's connections."""

    at: int = -1
    how: str = ""
    seen: list[str] = field(default_factory=list)
    killer: asyncpg.Pool | None = None
    happened: bool = False


class Fragile(asyncpg.Connection):
    """A connection that dies by plan."""

    plan: ClassVar[Plan] = Plan()

    async def execute(self, query: str, *args: object, **more: object) -> str:
        return await self._through(query, super().execute, args, more)

    async def fetch(self, query: str, *args: object, **more: object) -> list[asyncpg.Record]:
        return await self._through(query, super().fetch, args, more)

    async def fetchval(self, query: str, *args: object, **more: object) -> object:
        return await self._through(query, super().fetchval, args, more)

    async def _through(
        self, query: str, call: Callable[..., Awaitable[T]], args: tuple[object, ...], more: dict[str, object]
    ) -> T:
        plan = self.plan
        if query.startswith("SELECT pg_advisory_unlock_all"):  # the pool tidies up; not ours
            return await call(query, *args, **more)
        plan.seen.append(" ".join(query.split())[:60])
        if plan.killer is None or len(plan.seen) - 1 != plan.at:
            return await call(query, *args, **more)
        plan.happened = True
        match plan.how:
            case "killed before":
                await self._kill()
                return await call(query, *args, **more)
            case "killed after":
                result = await call(query, *args, **more)
                await self._kill()
                if query == "COMMIT;":
                    raise asyncpg.ConnectionDoesNotExistError("the answer to the commit was lost")
                return result
            case _:
                raise asyncpg.DeadlockDetectedError("chosen as the victim")

    async def _kill(self) -> None:
        assert self.plan.killer is not None
        await self.plan.killer.execute("SELECT pg_terminate_backend($1, 5000)", self.get_server_pid())


@dataclass
class Stage:
    world: World
    pool: asyncpg.Pool
    coupon_id: str
    manual_listing: str

    async def act(self) -> tuple[list[Asked], str, str, list[str]]:
        """A batch that uses every statement of the write path: two orders, one of them typed by hand."""
        world = self.world
        vault = world.placing(
            2, world.new_id(), coupon_id=self.coupon_id, coupon_code="SPRING", address_key=world.new_id()
        )
        manual = orders.PlaceOrder(
            shop_id=world.shop_id,
            order_id=world.new_id(),
            listing_id=self.manual_listing,
            revision=1,
            quantity=1,
            contact="a@b.c",
            buyer="p",
            buyer_key=world.new_id(),
        )
        typed = world.new_id()
        await world.looks.put_in_vault(world.shop_id, manual.order_id, [typed], custody=2)
        deliver = codes.DeliverTyped(
            shop_id=world.shop_id, order_id=manual.order_id, codes=(typed,), commitments=("aa" * 32,)
        )
        publish = listings.PublishListing(shop_id=world.shop_id, listing_id=world.new_id(), terms=TERMS)
        batch_id, code_ids = await world.stage(2)
        batch = [
            world.asked(Asker.MERCHANT, publish),
            world.asked(Asker.BUYER, vault),
            world.asked(Asker.BUYER, manual),
            world.asked(Asker.PROVIDER, world.paying(vault.order_id, 1_950)),
            world.asked(Asker.PROVIDER, world.paying(manual.order_id, 1_000)),
            world.asked(Asker.MERCHANT, deliver),
            world.asked(Asker.BUYER, codes.RevealCodes(**world.of_order(vault.order_id))),
            world.asked(Asker.MERCHANT, world.register(batch_id, len(code_ids))),
        ]
        return batch, vault.order_id, manual.order_id, [batch_id]


TERMS = listings.Terms(
    product="Card by hand",
    category="games",
    face_value="100",
    region="CN",
    edition="",
    redeem_by="",
    instructions="Type it in.",
    after_sale="",
    price_fen=1_000,
    delivery="manual",
    promise_min=30,
    per_buyer_max=9,
)


@pytest.fixture
async def stage(database_url: str) -> AsyncIterator[Stage]:
    Fragile.plan = Plan()
    async with (
        asyncpg.create_pool(
            database_url, min_size=1, max_size=1, server_settings=ENGINE_SETTINGS, connection_class=Fragile
        ) as engine_pool,
        asyncpg.create_pool(database_url, min_size=1, max_size=2) as pool,
    ):
        looks = PostgresLooks(engine_pool)
        world = World(looks)
        await world.open_shop(per_buyer_max=9)
        looks.pool = pool  # examples look on with a connection of their own
        await world.deposit(400)
        manual_listing = world.new_id()
        await world.done(
            Asker.MERCHANT, listings.PublishListing(shop_id=world.shop_id, listing_id=manual_listing, terms=TERMS)
        )
        yield Stage(world, pool, await world.create_coupon(off_fen=50), manual_listing)
        Fragile.plan = Plan()


async def perform_until_answered(stage: Stage, batch: list[Asked]) -> int:
    """As `app` does: ask again with the same ids until there is an answer; how often storage was away."""
    away = 0
    while True:
        try:
            outcomes = await stage.world.performer.perform(batch)
        except StoreIsAway:
            away += 1
            assert away < 5
            continue
        assert [outcome.refusal if isinstance(outcome, Answer) else repr(outcome) for outcome in outcomes] == [
            ""
        ] * len(batch)
        return away


ORDER_KINDS = [
    "order.placed",
    "code.reserved",
    "payment.received",
    "order.paid",
    "code.delivered",
    "order.delivered",
    "code.revealed",
]


@pytest.mark.parametrize("how", ["killed before", "killed after", "deadlock"])
async def test_each_statement_may_fail(how: str, stage: Stage) -> None:
    world = stage.world
    for _ in range(2):  # the first time sums are started; the second time is the usual one
        batch, *_ = await stage.act()
        Fragile.plan = Plan()
        await perform_until_answered(stage, batch)
    statements = Fragile.plan.seen
    events_written = sum(one.startswith("INSERT INTO events") for one in statements)
    assert events_written == 2, "two transactions: a batch of codes goes alone"
    assert len(statements) > 25
    stock = await world.stock()
    for at, statement in enumerate(statements):
        frame = statement.startswith(("BEGIN", "COMMIT"))
        if frame if how == "deadlock" else how == "killed before" and not frame:
            continue  # before a statement within a transaction is after the one before it
        batch, vault, manual, _ = await stage.act()
        Fragile.plan = Plan(at=at, how=how, killer=stage.pool)
        away = await perform_until_answered(stage, batch)
        assert Fragile.plan.happened, statement
        # A connection that is killed after its last statement of a transaction is only noticed by the next.
        assert away <= 1, statement
        assert await world.looks.kinds(world.stream("order", vault)) == ORDER_KINDS, statement
        assert await world.stage_of(manual) == "delivered", statement
        assert await perform_until_answered(stage, batch) == 0, "and the same answers again"
        assert await world.stock() == stock, "two sold, two put on sale"
    assert await stage.pool.fetchval("SELECT count(*) FROM effects WHERE kind = 'refund'") == 0
    assert await audit(stage.pool, world.now_ms) == []
    assert await check(stage.pool, PlainSealer()) == []


async def test_a_server_that_is_not_there_is_away(stage: Stage) -> None:
    class Nobody:
        error: Exception

        def acquire(self) -> Never:
            raise self.error

    stage.world.looks.store._pool = Nobody()
    for error in (
        OSError("no route"),
        asyncpg.TooManyConnectionsError("sorry"),
        asyncpg.CannotConnectNowError("starting"),
    ):
        Nobody.error = error
        with pytest.raises(StoreIsAway):
            await stage.world.performer.perform([stage.world.asked(Asker.BUYER, stage.world.placing())])


async def test_what_the_database_refuses_is_told_as_our_own_bug(stage: Stage) -> None:
    """A promise that only the database saw broken: the command is `Broken`, nothing is written."""
    world = stage.world
    await stage.pool.execute("UPDATE listing_stock SET free = 0")
    before = await world.looks.count_of_events()
    with pytest.raises(Broken, match="the database refused it"):
        await world.ask(Asker.BUYER, world.placing())
    assert await world.looks.count_of_events() == before


async def test_typed_codes_that_are_gone_are_a_conflict(stage: Stage) -> None:
    world = stage.world
    order_id = world.new_id()
    place = orders.PlaceOrder(
        shop_id=world.shop_id, order_id=order_id, listing_id=stage.manual_listing, revision=1, quantity=1,
        contact="a@b.c", buyer="p", buyer_key="k",
    )  # fmt: skip
    await world.done(Asker.BUYER, place)
    await world.pay(order_id, 1_000)
    deliver = codes.DeliverTyped(
        shop_id=world.shop_id, order_id=order_id, codes=(world.new_id(),), commitments=("aa" * 32,)
    )
    with pytest.raises(Conflict):
        await world.ask(Asker.MERCHANT, deliver)
    assert await world.stage_of(order_id) == "paid"
