"""A small world around the engine, over either store: a shop, a listing, codes in the vault, buyers, a clock to turn.
Looks into the tables are the same for both, so that every example of the engine holds for memory and PostgreSQL.
"""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Protocol
from uuid import UUID

import asyncpg
import msgspec
from msgspec.structs import replace

from fairkey.adapters.memory import MemoryStore
from fairkey.adapters.postgres.store import PostgresStore
from fairkey.business import (
    batches,
    codes,
    complaints,
    coupons,
    dispute_events,
    escrow,
    listings,
    orders,
    payments,
    payouts,
    reviews,
    shops,
)
from fairkey.business.askers import Asker
from fairkey.business.basics import MINUTE_MS, PLATFORM, Broken, Command, Stream
from fairkey.business.files import File, OrderFile
from fairkey.engine.answers import Answer
from fairkey.engine.codec import decode_file
from fairkey.engine.event_store import EventStore
from fairkey.engine.perform import Asked, Outcome, Performer, Rules

START_MS = 1_760_000_000_000
TERMS = listings.Terms(
    product="Card 100",
    category="games",
    face_value="100",
    region="CN",
    edition="",
    redeem_by="",
    instructions="Type it in.",
    after_sale="",
    price_fen=1_000,
    delivery="vault",
    promise_min=0,
)


class Looks(Protocol):
    """What an example may look at, and the codes it may put into the vault."""

    store: EventStore

    async def put_in_vault(self, shop_id: str, batch_id: str, code_ids: Sequence[str], *, custody: int = 1) -> None:
        """Codes lie in the vault, as an import or a merchant's typing leaves them."""

    async def file(self, stream: Stream) -> tuple[int, File] | None:
        """Version and state of a stream."""

    async def kinds(self, stream: Stream) -> list[str]:
        """The kinds of its events, in order."""

    async def count_of_events(self) -> int:
        """All events."""

    async def stages(self, shop_id: str, listing_id: str) -> Counter[str]:
        """How many codes of a listing are in which stage."""

    async def stock(self, shop_id: str, listing_id: str) -> int:
        """The number in stock."""

    async def balances(self, shop_id: str) -> dict[str, int]:
        """The shop's accounts in CNY that are not 0."""

    async def effects(self, kind: str) -> list[dict[str, Any]]:
        """Payloads of the effects of a kind, in the order of their keys."""


class PlainSealer:
    """Seals nothing; binds the place all the same."""

    def seal(self, purpose: str, aad: bytes, plaintext: bytes) -> bytes:
        """The value with its place."""
        return hashlib.sha256(purpose.encode() + aad).digest() + plaintext

    def open(self, purpose: str, aad: bytes, sealed: bytes) -> bytes:
        """The value, if it belongs here."""
        assert sealed[:32] == hashlib.sha256(purpose.encode() + aad).digest(), "sealed for another place"
        return sealed[32:]


class MemoryLooks:
    """Looks into the memory store."""

    def __init__(self) -> None:
        self.store = MemoryStore()

    async def put_in_vault(self, shop_id: str, batch_id: str, code_ids: Sequence[str], *, custody: int = 1) -> None:
        self.store.tables.vault.setdefault((shop_id, batch_id), []).extend(code_ids)

    async def file(self, stream: Stream) -> tuple[int, File] | None:
        moved = self.store.tables.streams.get(stream)
        return (moved.version, moved.file) if moved else None

    async def kinds(self, stream: Stream) -> list[str]:
        return [event.kind for event in self.store.tables.events if event.stream == stream]

    async def count_of_events(self) -> int:
        return len(self.store.tables.events)

    async def stages(self, shop_id: str, listing_id: str) -> Counter[str]:
        rows = self.store.tables.kept.codes.items()
        return Counter(row.stage.value for (shop, _), row in rows if shop == shop_id and row.listing_id == listing_id)

    async def stock(self, shop_id: str, listing_id: str) -> int:
        return self.store.tables.kept.stock[shop_id, listing_id]

    async def balances(self, shop_id: str) -> dict[str, int]:
        kept = self.store.tables.kept.balances.items()
        return {name: fen for (shop, name, currency), fen in kept if shop == shop_id and currency == "CNY" and fen}

    async def effects(self, kind: str) -> list[dict[str, Any]]:
        every = sorted(self.store.tables.effects.items())
        return [effect.payload for _, effect in every if effect.kind == kind]


class PostgresLooks:
    """Looks into the tables of PostgreSQL."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self.pool = pool
        self.store = PostgresStore(pool, PlainSealer())

    async def put_in_vault(self, shop_id: str, batch_id: str, code_ids: Sequence[str], *, custody: int = 1) -> None:
        digests = [hashlib.sha256(code_id.encode()).digest() for code_id in code_ids]
        async with self.pool.acquire() as connection, connection.transaction():
            await connection.execute(
                """
                INSERT INTO imports (shop_id, import_id, state, attempt, file_name, note, source, custody, by_account,
                                     accepted, started_at, touched_at)
                VALUES ($1, $2, 'staged', 1, '', '', 'typed', $4, '', $3, now(), now()) ON CONFLICT DO NOTHING
                """,
                shop_id,
                batch_id,
                len(code_ids),
                custody,
            )
            first = await connection.fetchval(
                "SELECT count(*) FROM vault WHERE shop_id = $1 AND batch_id = $2", shop_id, batch_id
            )
            await connection.executemany(
                "INSERT INTO vault VALUES ($1, $2, $3, $4, 'sealed', $5, $5, $6)",
                [
                    (shop_id, code_id, batch_id, first + place, digest, custody)
                    for place, (code_id, digest) in enumerate(zip(code_ids, digests, strict=True))
                ],
            )
            await connection.executemany(
                "INSERT INTO fingerprints VALUES ($2, $3, $1)",
                [(code_id, digest, shop_id) for code_id, digest in zip(code_ids, digests, strict=True)],
            )

    async def file(self, stream: Stream) -> tuple[int, File] | None:
        row = await self.pool.fetchrow(
            "SELECT version, state FROM streams WHERE (shop_id, kind, id) = ($1, $2, $3)", *stream
        )
        return (row["version"], decode_file(stream.kind, row["state"])) if row else None

    async def kinds(self, stream: Stream) -> list[str]:
        rows = await self.pool.fetch(
            "SELECT kind FROM events WHERE (shop_id, stream_kind, stream_id) = ($1, $2, $3) ORDER BY version", *stream
        )
        return [row["kind"] for row in rows]

    async def count_of_events(self) -> int:
        return int(await self.pool.fetchval("SELECT count(*) FROM events"))

    async def stages(self, shop_id: str, listing_id: str) -> Counter[str]:
        rows = await self.pool.fetch(
            "SELECT stage, count(*) FROM codes WHERE shop_id = $1 AND listing_id = $2 GROUP BY stage",
            shop_id,
            listing_id,
        )
        return Counter(dict(rows))

    async def stock(self, shop_id: str, listing_id: str) -> int:
        free = await self.pool.fetchval(
            "SELECT free FROM listing_stock WHERE shop_id = $1 AND listing_id = $2", shop_id, listing_id
        )
        return int(free or 0)

    async def balances(self, shop_id: str) -> dict[str, int]:
        return dict(
            await self.pool.fetch(
                "SELECT account, balance_fen FROM ledger_accounts"
                " WHERE shop_id = $1 AND currency = 'CNY' AND balance_fen <> 0",
                shop_id,
            )
        )

    async def effects(self, kind: str) -> list[dict[str, Any]]:
        rows = await self.pool.fetch('SELECT payload FROM effects WHERE kind = $1 ORDER BY key COLLATE "C"', kind)
        return [decode_json(row["payload"]) for row in rows]


def decode_json(text: str) -> dict[str, Any]:
    """A JSON object."""
    return msgspec.json.decode(text, type=dict[str, Any])


@dataclass
class World:
    """One shop and what happens there. `now_ms` is the clock; ids are counted, so that examples repeat exactly."""

    looks: Looks
    now_ms: int = START_MS
    rules: Rules = field(default_factory=Rules)
    _ids: count = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        self.performer = self.another_performer()
        self.shop_id = self.new_id()
        self.listing_id = self.new_id()

    def another_performer(self, store: EventStore | None = None) -> Performer:
        """A performer of another process."""
        return Performer(store or self.looks.store, lambda: self.now_ms, bytes, self.rules)

    def new_id(self) -> str:
        """The next id."""
        return str(UUID(int=(0x0199 << 112) | (7 << 76) | (2 << 62) | next(self._ids)))

    # Asking.

    def asked(self, by: Asker, command: Command, command_id: str = "", body_hash: bytes = b"") -> Asked:
        """A command with an id of its own."""
        return Asked(command_id=command_id or self.new_id(), by=by, command=command, body_hash=body_hash)

    async def ask(self, by: Asker, command: Command, command_id: str = "") -> Answer:
        """Ask one command and get its answer."""
        outcome = (await self.performer.perform([self.asked(by, command, command_id)]))[0]
        if isinstance(outcome, Broken):
            raise outcome
        return outcome

    async def done(self, by: Asker, command: Command) -> Answer:
        """Ask one command that must not be refused."""
        answer = await self.ask(by, command)
        assert not answer.refusal, (type(command).__name__, answer.refusal, answer.details)
        return answer

    async def batch(self, *asked: Asked) -> list[Outcome]:
        """Perform a batch."""
        return await self.performer.perform(asked)

    # The usual beginnings.

    async def open_shop(self, **terms: Any) -> "World":  # noqa: ANN401
        """An open shop with one listing on sale."""
        await self.done(
            Asker.MERCHANT,
            shops.OpenShop(
                shop_id=self.shop_id,
                shop_no=101,
                name="Shop",
                contact="a@b.c",
                payout_account="bank",
                fee_bp=200,
                admitted=True,
            ),
        )
        await self.publish(**terms)
        return self

    async def publish(self, **terms: Any) -> Answer:  # noqa: ANN401
        """A revision of the listing."""
        return await self.done(
            Asker.MERCHANT,
            listings.PublishListing(shop_id=self.shop_id, listing_id=self.listing_id, terms=replace(TERMS, **terms)),
        )

    async def stage(self, codes_count: int) -> tuple[str, list[str]]:
        """Codes in the vault, not yet on sale: batch id and code ids."""
        batch_id, code_ids = self.new_id(), [self.new_id() for _ in range(codes_count)]
        await self.looks.put_in_vault(self.shop_id, batch_id, code_ids)
        return batch_id, code_ids

    def register(self, batch_id: str, codes_count: int) -> batches.RegisterBatch:
        """The command that puts them on sale."""
        return batches.RegisterBatch(
            shop_id=self.shop_id,
            batch_id=batch_id,
            listing_id=self.listing_id,
            count=codes_count,
            root="00" * 32,
            source="invoice",
        )

    async def deposit(self, codes_count: int) -> str:
        """Codes on sale; the batch id."""
        batch_id, _ = await self.stage(codes_count)
        await self.done(Asker.MERCHANT, self.register(batch_id, codes_count))
        return batch_id

    def placing(self, quantity: int = 1, buyer: str = "li", **wish: Any) -> orders.PlaceOrder:  # noqa: ANN401
        """A wish of `buyer`."""
        wish = {"revision": 1, "address_key": "", "order_id": self.new_id()} | wish
        return orders.PlaceOrder(
            shop_id=self.shop_id,
            listing_id=self.listing_id,
            quantity=quantity,
            contact=f"{buyer}@example.com",
            buyer=f"p-{buyer}",
            buyer_key=f"k-{buyer}",
            **wish,
        )

    async def place(self, quantity: int = 1, buyer: str = "li", **wish: Any) -> str:  # noqa: ANN401
        """A placed order's id."""
        command = self.placing(quantity, buyer, **wish)
        await self.done(Asker.BUYER, command)
        return command.order_id

    def paying(self, order_id: str, amount_fen: int, txn: str = "") -> escrow.RecordPayment:
        """The provider's report of money for an order."""
        return escrow.RecordPayment(
            shop_id=self.shop_id,
            order_id=order_id,
            provider="sandbox",
            provider_txn=txn or self.new_id(),
            amount_fen=amount_fen,
            paid_at_ms=self.now_ms,
        )

    async def pay(self, order_id: str, amount_fen: int, txn: str = "") -> Answer:
        """The provider reports money."""
        return await self.done(Asker.PROVIDER, self.paying(order_id, amount_fen, txn))

    async def paid(self, quantity: int = 1, buyer: str = "li", **wish: Any) -> str:  # noqa: ANN401
        """A paid order's id."""
        order_id = await self.place(quantity, buyer, **wish)
        await self.pay(order_id, (await self.order(order_id)).order.amount_fen)
        return order_id

    async def create_coupon(self, **terms: Any) -> str:  # noqa: ANN401
        """A coupon's id."""
        coupon_id = self.new_id()
        await self.done(
            Asker.MERCHANT, coupons.CreateCoupon(shop_id=self.shop_id, coupon_id=coupon_id, code="SPRING", **terms)
        )
        return coupon_id

    async def type_codes(self, order_id: str, codes_count: int) -> Answer:
        """The merchant types codes for a manual order."""
        code_ids = [self.new_id() for _ in range(codes_count)]
        await self.looks.put_in_vault(self.shop_id, order_id, code_ids, custody=2)
        command = codes.DeliverTyped(
            shop_id=self.shop_id, order_id=order_id, codes=tuple(code_ids), commitments=("aa" * 32,) * codes_count
        )
        return await self.ask(Asker.MERCHANT, command)

    async def reveal(self, order_id: str, *code_ids: str) -> Answer:
        """The buyer opens codes."""
        return await self.ask(
            Asker.BUYER, codes.RevealCodes(shop_id=self.shop_id, order_id=order_id, codes=tuple(code_ids))
        )

    # Looking.

    def of_order(self, order_id: str) -> dict[str, str]:
        """The address of an order, for commands about it."""
        return {"shop_id": self.shop_id, "order_id": order_id}

    def stream(self, kind: str, id_: str) -> Stream:
        """A stream of the shop."""
        return Stream(self.shop_id, kind, id_)

    async def order(self, order_id: str) -> OrderFile:
        """The order's file."""
        found = await self.looks.file(self.stream("order", order_id))
        assert found is not None
        file = found[1]
        assert isinstance(file, OrderFile)
        return file

    async def stage_of(self, order_id: str) -> str:
        """The order's stage."""
        return (await self.order(order_id)).order.stage.value

    async def stages(self) -> Counter[str]:
        """Stages of the listing's codes."""
        return await self.looks.stages(self.shop_id, self.listing_id)

    async def stock(self) -> int:
        """Number in stock; it is always the number of free codes."""
        free = (await self.stages())["free"]
        stock = await self.looks.stock(self.shop_id, self.listing_id)
        assert stock == free, "stock shown is the number of free codes"
        return stock

    async def money(self) -> dict[str, int]:
        """The shop's balances that are not 0."""
        return await self.looks.balances(self.shop_id)


async def make_lively(world: World) -> dict[str, str]:
    """Orders in every stage, money in every account; the orders' ids by what became of them."""
    await world.open_shop()
    await world.deposit(20)
    unsold = await world.deposit(3)
    coupon_id = await world.create_coupon(off_fen=100, uses_max=3)
    ids: dict[str, str] = {"coupon": coupon_id}
    ids["late"] = await world.place(2, "late", coupon_id=coupon_id, coupon_code="SPRING")
    ids["expired"] = await world.place(1, "slow")
    await world.pay(ids["expired"], 400, "short")
    world.now_ms += orders.PAYMENT_WINDOW_MS
    for name in ("late", "expired"):
        await world.done(Asker.CLOCK, orders.ExpireOrder(**world.of_order(ids[name])))
    await world.pay(ids["late"], 1_900, "late")
    ids["placed"] = await world.place(1, "waiting")
    await world.pay(ids["placed"], 1, "start")
    ids["delivered"] = await world.paid(3, "sealed")
    ids["opened"] = await world.paid(2, "opened")
    await world.pay(ids["opened"], 2_000, "double")
    await world.reveal(ids["opened"], (await world.order(ids["opened"])).codes.held[0].code_id)
    ids["completed"] = await world.paid(1, "happy")
    await world.reveal(ids["completed"])
    await world.done(Asker.BUYER, orders.ConfirmOrder(**world.of_order(ids["completed"])))
    settled = escrow.RecordRelease(**world.of_order(ids["completed"]), release_no=1, attempt=1, succeeded=True)
    await world.done(Asker.PROVIDER, settled)
    review = reviews.PostReview(**world.of_order(ids["completed"]), speed=5, code_worked=True, text="quick")
    await world.done(Asker.BUYER, review)
    ids["payout"] = world.new_id()
    await world.done(
        Asker.MERCHANT, payouts.RequestPayout(shop_id=world.shop_id, payout_id=ids["payout"], amount_fen=500)
    )
    ids["withdrawn"] = await world.paid(1, "doubting")
    await world.done(Asker.BUYER, orders.WithdrawOrder(**world.of_order(ids["withdrawn"])))
    refunded = escrow.RecordRefund(**world.of_order(ids["withdrawn"]), refund_no=1, attempt=1, succeeded=True)
    await world.done(Asker.PROVIDER, refunded)
    ids["disputed"] = await world.paid(1, "angry")
    complain = complaints.OpenComplaint(
        **world.of_order(ids["disputed"]), reason=dispute_events.Reason.NOT_VALID, text="Not valid."
    )
    await world.done(Asker.BUYER, complain)
    await world.done(Asker.MERCHANT, batches.WithdrawCodes(shop_id=world.shop_id, batch_id=unsold))
    unmatched = payments.RecordUnmatched(
        shop_id=PLATFORM,
        payment_id=world.new_id(),
        provider="sandbox",
        provider_txn="astray",
        reference="?",
        amount_fen=77,
        currency="CNY",
        paid_at_ms=world.now_ms,
    )
    await world.done(Asker.PROVIDER, unmatched)
    await world.publish(delivery="manual", promise_min=1)
    ids["manual"] = await world.paid(2, "patient", revision=2)
    await world.type_codes(ids["manual"], 1)
    ids["cut"] = await world.paid(2, "hasty", revision=2)
    await world.type_codes(ids["cut"], 1)
    await world.reveal(ids["cut"])
    await world.done(Asker.BUYER, orders.AgreeToWait(**world.of_order(ids["manual"])))
    world.now_ms += MINUTE_MS
    await world.done(Asker.CLOCK, orders.CancelLateOrder(**world.of_order(ids["cut"])))
    about = world.of_order(ids["cut"])
    half = complaints.OpenComplaint(
        **about, reason=dispute_events.Reason.WRONG_PRODUCT, text="It is worth half of it.", demand_fen=500
    )
    await world.done(Asker.BUYER, half)
    await world.done(Asker.MERCHANT, complaints.AcceptComplaint(**about))
    return ids
