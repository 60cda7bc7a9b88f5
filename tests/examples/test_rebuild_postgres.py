"""`fairkey rebuild` and `fairkey audit` on PostgreSQL: clean on what the engine wrote; each broken promise is named."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg
import pytest

from engine_world import PlainSealer, PostgresLooks, World, make_lively
from fairkey.adapters.postgres.audit import CHECKS, SHOWN_EACH_MAX, Violation, audit, is_clean
from fairkey.adapters.postgres.rebuild import RepairFailed, check, repair
from fairkey.adapters.postgres.store import ENGINE_SETTINGS, PostgresStore, PostgresTransaction
from fairkey.business import batches, orders
from fairkey.business.askers import Asker
from fairkey.engine.rebuild import EventsAreBroken


@dataclass
class Town:
    world: World
    pool: asyncpg.Pool
    dsn: str
    ids: dict[str, str]

    async def tamper(self, *statements: str) -> None:
        """Change what nobody may change: triggers and checks are out of the way for the moment."""
        async with self.pool.acquire() as db, db.transaction():
            await db.execute("SET LOCAL session_replication_role = replica")
            for statement in statements:
                names = {**self.ids, "shop": self.world.shop_id, "listing": self.world.listing_id}
                await db.execute(statement.format_map({name: f"'{value}'" for name, value in names.items()}))

    async def audit(self) -> list[Violation]:
        return await audit(self.pool, self.world.now_ms)


@pytest.fixture
async def town(database_url: str) -> AsyncIterator[Town]:
    async with (
        asyncpg.create_pool(database_url, min_size=1, max_size=3, server_settings=ENGINE_SETTINGS) as engine_pool,
        asyncpg.create_pool(database_url, min_size=1, max_size=2) as pool,
    ):
        world = World(PostgresLooks(engine_pool))
        yield Town(world, pool, database_url, await make_lively(world))


async def test_what_the_engine_wrote_is_clean(town: Town) -> None:
    assert await town.audit() == []
    assert await check(town.pool, PlainSealer()) == []
    assert await repair(town.pool, PlainSealer()) == []


async def test_an_empty_database_is_clean(database_url: str) -> None:
    async with asyncpg.create_pool(database_url, min_size=1, max_size=2) as pool:
        assert await audit(pool, 0) == []
        assert await check(pool, PlainSealer()) == []


ONE_CODE = "(SELECT code_id FROM codes WHERE order_id = {placed})"
STATE = "UPDATE streams SET state = jsonb_set(state::jsonb, '{{{{{path}}}}}', '{value}')::json WHERE id = {{{order}}}"


def state(order: str, path: str, value: str) -> str:
    return STATE.format(order=order, path=path, value=value)


STOOD = (
    '[{{"clock": "sealed", "since_ms": 1, "issuer_id": "x", "outage_no": 1, "from_ms": 1, "until_ms": 2, "by_ms": 1,'
    ' "due_at_ms": 3}}]'
)
LOG = (
    "INSERT INTO logs (log_no, origin, vkey, seed_sealed, why, created_at)"
    " VALUES (1, 'shop.example/log', '', '', '', now())"
)
LOGGED = "INSERT INTO log_entries SELECT 1, row_number() OVER (ORDER BY recorded) - 1, recorded"
TAMPERED: dict[str, list[str]] = {
    "an order holds a code whose row says something else": [
        "UPDATE codes SET stage = 'delivered' WHERE order_id = {placed}"
    ],
    "a code's row names an order that does not hold it": [
        (
            "UPDATE codes SET order_id = {placed}, stage = 'reserved', is_free = false"
            " WHERE code_id = (SELECT code_id FROM codes WHERE is_free LIMIT 1)"
        )
    ],
    "two live orders hold one code": [
        (
            "UPDATE streams SET state = jsonb_set(state::jsonb, '{{codes,held}}', (SELECT"
            " state::jsonb #> '{{codes,held}}'"
            " FROM streams WHERE id = {placed}))::json WHERE id = {disputed}"
        )
    ],
    "a code that was opened is not kept as opened": [
        "UPDATE codes SET stage = 'free', is_free = true, order_id = NULL WHERE order_id = {completed}"
    ],
    "a code is not in the vault": [f"DELETE FROM vault WHERE code_id = {ONE_CODE}"],
    "a code in the vault has no fingerprint of its own": [f"DELETE FROM fingerprints WHERE code_id = {ONE_CODE}"],
    "the number in stock is not the number of free codes": ["UPDATE listing_stock SET free = free + 1"],
    "a code of a batch that a ruling took off sale is for sale, and nothing let it back": [
        "UPDATE events SET kind = 'batch.quarantined' WHERE kind = 'batch.registered'"
    ],
    "a code that its shop took out for good is for sale": [
        "UPDATE codes SET stage = 'free', is_free = true WHERE stage = 'withdrawn'"
    ],
    "the codes that wait after a ruling are not those that their batch says": [
        (
            "UPDATE codes SET stage = 'quarantined', is_free = false"
            " WHERE code_id = (SELECT code_id FROM codes WHERE is_free LIMIT 1)"
        )
    ],
    "an order that has not ended has no deadline": [
        "ALTER TABLE streams DROP CONSTRAINT every_order_ends",
        "UPDATE streams SET due_at = NULL WHERE id = {placed}",
    ],
    "a deadline has passed and nothing happened: is a worker running?": [
        "UPDATE streams SET due_at = due_at - interval '30 days' WHERE id = {placed}"
    ],
    "an order's money is not what it held, gave back, released and took as fee": [
        state("opened", "escrow,received,0,left_fen", "1")
    ],
    "more went back or to the shop than came in": [state("opened", "escrow,received,0,left_fen", "999999")],
    "a balance is below zero": [
        "ALTER TABLE ledger_accounts DROP CONSTRAINT no_account_below_zero",
        "UPDATE ledger_accounts SET balance_fen = -1 WHERE account = 'escrow'",
    ],
    "a balance is not the sum of its rows": [
        "UPDATE ledger_accounts SET balance_fen = balance_fen + 1 WHERE account = 'escrow'"
    ],
    "a deposit's or the pool's own state is not what its accounts hold": [
        "INSERT INTO ledger_accounts (shop_id, account, currency, balance_fen) VALUES ({shop}, 'stake', 'CNY', 1)"
    ],
    "what stands for arbitrators is not what buyers lost of their stakes": [
        "INSERT INTO ledger_accounts (shop_id, account, currency, balance_fen) VALUES ({shop}, 'arbitration', 'CNY', 1)"
    ],
    "what is open at a shop is not the sum of its open orders": [
        "UPDATE shop_sums SET fen = fen + 1 WHERE name = 'open'"
    ],
    "a ledger row is no pair of two accounts with an amount, or comes from no event": [
        "INSERT INTO ledger VALUES ({shop}, 'order', {placed}, 99, 0, 'escrow', 'shop_pending', 1, 'CNY', now())"
    ],
    "codes were delivered for an order that nobody paid": [
        "UPDATE codes SET stage = 'delivered' WHERE order_id = {placed}",
        state("placed", "codes,held,0,stage", '"delivered"'),
    ],
    "an order that was delivered has fewer codes than units": [state("delivered", "codes,held,0,stage", '"reserved"')],
    "an open order that was paid does not hold its price": [
        "UPDATE streams SET amount_fen = amount_fen + 1 WHERE id = {delivered}"
    ],
    "an order has ended and money is still held for it": [
        "UPDATE streams SET stage = 'completed', due_at = NULL WHERE id = {delivered}"
    ],
    "the price is there and the order was not taken as paid": ["UPDATE streams SET amount_fen = 1 WHERE id = {placed}"],
    "a stream's versions have a gap": ["DELETE FROM events WHERE stream_id = {placed} AND version = 2"],
    "an event does not name the one before it": [
        (
            "UPDATE events SET body = convert_to(replace(convert_from(body, 'UTF8'), '\"prev\":\"', '\"prev\":\"00'),"
            " 'UTF8')"
            " WHERE stream_id = {placed} AND version = 2"
        )
    ],
    "a leaf hash is not that of the event's bytes": [
        (
            "UPDATE events SET body = convert_to(replace(convert_from(body, 'UTF8'), '\"amount_fen\":1000',"
            " '\"amount_fen\":1'),"
            " 'UTF8') WHERE stream_id = {placed} AND version = 1"
        )
    ],
    "an entry of the public log is not the event it was made from": [LOG, f"{LOGGED}, sha256('other') FROM events"],
    "the public log has a gap, or a head covers more than it has": [
        LOG,
        f"{LOGGED}, leaf_hash FROM events",
        "INSERT INTO log_heads (log_no, size, root, note, epoch, signed_at) VALUES (1, 9999, sha256(''), '', 1, now())",
    ],
    "the public log has passed over an event": [
        LOG,
        f"{LOGGED}, leaf_hash FROM events WHERE stream_id <> {{placed}}",
        "UPDATE events SET at = at - interval '1 hour' WHERE stream_id = {placed}",
    ],
    "a row is not where its last event left it": ["UPDATE streams SET version = version + 1 WHERE id = {placed}"],
    "a sealed text is gone that nobody erased": [
        "DELETE FROM sealed_fields WHERE stream_id = {placed} AND version = 1"
    ],
    "more goes back of a payment than it was": [state("withdrawn", "escrow,refunds,0,amount_fen", "1001")],
    "money that was told to move has no instruction to the provider, or another than was told": [
        "DELETE FROM effects WHERE kind = 'refund' AND stream_id = {withdrawn}"
    ],
    "the provider has an instruction that no event gave": [
        (
            "INSERT INTO effects (shop_id, key, kind, stream_kind, stream_id, payload, next_at, created_at)"
            " SELECT shop_id, replace(key, ':1:1', ':2:1'), kind, stream_kind, stream_id, payload, next_at, created_at"
            " FROM effects WHERE kind = 'refund' AND stream_id = {withdrawn}"
        )
    ],
    "a clock stood in no outage of its issuer, or clocks of an order for more than 72 hours": [
        state("delivered", "order,stops", STOOD)
    ],
    "what was written for a command was never answered": [
        "DELETE FROM answers WHERE command_id = (SELECT command_id FROM events WHERE stream_id = {cut} AND version = 1)"
    ],
    "an answer tells of something that is not there": [
        "UPDATE events SET command_id = 'x' WHERE stream_id = {manual} AND version = 1"
    ],
}


def test_every_check_is_provoked_once() -> None:
    assert [check.what for check in CHECKS] == list(TAMPERED)


@pytest.mark.parametrize("what", TAMPERED)
async def test_audit_names(what: str, town: Town) -> None:
    await town.tamper(*TAMPERED[what])
    found = await town.audit()
    assert what in {one.what for one in found}
    assert all(one.where for one in found)
    assert is_clean(found) is all(one.level == "warning" for one in found)
    (its_check,) = (check for check in CHECKS if check.what == what)
    assert is_clean(found) is (its_check.level == "warning")


async def test_audit_is_not_drowned(town: Town) -> None:
    await town.tamper(
        "INSERT INTO listing_stock SELECT gen_random_uuid(), gen_random_uuid(), 1 FROM generate_series(1, 60)"
    )
    assert len(await town.audit()) == SHOWN_EACH_MAX


async def test_an_old_answer_may_be_forgotten(town: Town) -> None:
    await town.tamper("DELETE FROM answers WHERE at < (SELECT max(at) FROM answers)")
    assert await town.audit() == []


TO_REPAIR = [
    "UPDATE streams SET state = '{{}}' WHERE id = {placed}",
    "UPDATE streams SET version = 1, head = '\\x00', stage = 'paid', buyer_key = 'x' WHERE id = {delivered}",
    "UPDATE streams SET due_at = due_at + interval '1 day' WHERE id = {disputed}",
    "DELETE FROM streams WHERE id = {completed}",
    (
        "INSERT INTO streams SELECT shop_id, kind, gen_random_uuid(), version, head, state, stage, due_at, due_what,"
        " listing_id,"
        " buyer_key, address_key, account_id, amount_fen, quantity, created_at, changed_at FROM"
        " streams WHERE id = {expired}"
    ),
    "UPDATE codes SET stage = 'free', is_free = true, order_id = NULL WHERE order_id = {opened}",
    "DELETE FROM codes WHERE order_id = {delivered}",
    "UPDATE listing_stock SET free = free + 7",
    "UPDATE ledger_accounts SET balance_fen = balance_fen + 3",
    "INSERT INTO ledger_accounts VALUES ({shop}, 'escrow', 'USD', 5)",
    "DELETE FROM ledger WHERE stream_id = {opened} AND version < 4",
    "UPDATE ledger SET amount_fen = amount_fen + 1 WHERE stream_id = {withdrawn}",
    "DELETE FROM listing_revisions WHERE revision = 1",
    "UPDATE listing_revisions SET terms = '{{}}', revision_hash = sha256('{{}}') WHERE revision = 2",
    "DELETE FROM effects WHERE kind = 'refund' AND stream_id = {withdrawn}",
]


async def test_repair_makes_everything_as_the_events_tell(town: Town) -> None:
    await town.tamper(*TO_REPAIR)
    found = await check(town.pool, PlainSealer())
    assert {one.what.partition(" ")[0] for one in found} == {
        "stream", "code", "stock", "balance", "ledger", "revision", "instruction",
    }  # fmt: skip
    assert await repair(town.pool, PlainSealer()) == found
    assert await check(town.pool, PlainSealer()) == []
    assert await town.audit() == []
    with pytest.raises(asyncpg.CheckViolationError, match="never changed"):
        await town.pool.execute("DELETE FROM ledger")
    await town.world.done(Asker.BUYER, orders.GiveUpOrder(**town.world.of_order(town.ids["placed"])))


async def test_repair_keeps_texts_whose_events_were_erased(town: Town) -> None:
    before = await town.pool.fetchrow("SELECT state, buyer_key FROM streams WHERE id = $1", town.ids["placed"])
    await town.tamper("DELETE FROM sealed_fields", "UPDATE streams SET version = 9, stage = 'paid' WHERE id = {placed}")
    assert {one.what for one in await check(town.pool, PlainSealer())} == {"stream version", "stream stage"}
    await repair(town.pool, PlainSealer())
    after = await town.pool.fetchrow(
        "SELECT state::jsonb = $2::jsonb AS same, buyer_key FROM streams WHERE id = $1",
        town.ids["placed"],
        before["state"],
    )
    assert after["same"]
    assert after["buyer_key"] == before["buyer_key"] == "k-waiting"


async def test_codes_that_come_free_while_their_batch_is_taken_off_sale(town: Town) -> None:
    """What was recorded first need not be seen first: the event of the taking names the codes that it took."""
    world, pool = town.world, town.pool
    await world.publish()
    await world.deposit(3)
    order_id = await world.place(1, "wavering", revision=3)
    code_id = await pool.fetchval("SELECT code_id FROM codes WHERE order_id = $1", order_id)
    batch_id = str(await pool.fetchval("SELECT batch_id FROM codes WHERE code_id = $1", code_id))
    rivals: list[asyncio.Task[object]] = []

    class Slow(PostgresStore):
        """Has written that the codes come free, and commits when the other one waits for it."""

        @asynccontextmanager
        async def transaction(self) -> AsyncIterator[PostgresTransaction]:
            async with super().transaction() as inside:
                yield inside
                take = batches.WithdrawCodes(shop_id=world.shop_id, batch_id=batch_id)
                rivals.append(asyncio.create_task(world.ask(Asker.MERCHANT, take)))
                while not await pool.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
                    pass

    async with asyncpg.create_pool(town.dsn, min_size=1, max_size=1, server_settings=ENGINE_SETTINGS) as slow_pool:
        performer = world.another_performer(Slow(slow_pool, PlainSealer()))
        await performer.perform([world.asked(Asker.BUYER, orders.GiveUpOrder(**world.of_order(order_id)))])
        await asyncio.gather(*rivals)
    assert await pool.fetchval("SELECT stage FROM codes WHERE code_id = $1", code_id) == "withdrawn"
    assert await check(pool, PlainSealer()) == []
    assert await town.audit() == []


async def test_nothing_is_made_again_from_events_that_were_changed(town: Town) -> None:
    await town.tamper(*TAMPERED["a leaf hash is not that of the event's bytes"], "UPDATE listing_stock SET free = 0")
    for work in (check, repair):
        with pytest.raises(EventsAreBroken) as raised:
            await work(town.pool, PlainSealer())
        assert "event leaf_hash" in {one.what for one in raised.value.differences}
    assert await town.pool.fetchval("SELECT free FROM listing_stock") == 0


async def test_a_repair_that_does_not_help_changes_nothing(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    async def nothing(*_: object) -> None:
        pass

    await town.tamper("UPDATE listing_stock SET free = 0", "UPDATE streams SET version = 9 WHERE id = {placed}")
    monkeypatch.setattr("fairkey.adapters.postgres.rebuild._rewrite_sums", nothing)
    with pytest.raises(RepairFailed):
        await repair(town.pool, PlainSealer())
    assert await town.pool.fetchval("SELECT version FROM streams WHERE id = $1", town.ids["placed"]) == 9
