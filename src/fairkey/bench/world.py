"""A durable PostgreSQL of the benchmark's own, with one shop, one listing and as many codes as wanted in it."""

import base64
import hashlib
import os
import secrets
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import asyncpg

from fairkey.adapters.postgres.embedded import EmbeddedPostgres
from fairkey.adapters.postgres.migrate import migrated
from fairkey.app import open_house
from fairkey.business.askers import Asker
from fairkey.business.listings import PublishListing, Terms
from fairkey.business.shops import OpenShop
from fairkey.engine import trade
from fairkey.engine.house import House
from fairkey.settings import Settings

PRICE_FEN = 1_500
SANDBOX_SECRET = "the sandbox of a benchmark"  # noqa: S105 - of a provider that moves no money
NOBODY = "http://127.0.0.1:9"
IMPORT_MAX = 100_000
LINES_A_CHUNK = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """Where a benchmark runs."""

    folder: Path
    server: EmbeddedPostgres
    environment: dict[str, str]

    def settings(self, dsn: str, **more: str) -> Settings:
        """Settings of a house on this ground."""
        return Settings.from_environment(self.environment_for(dsn, **more))

    def environment_for(self, dsn: str, **more: str) -> dict[str, str]:
        """The same as the environment of a process."""
        return {**self.environment, "FAIRKEY_DATABASE_URL": dsn, **more}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """The shop that sells."""

    shop_id: str
    shop_no: int
    listing_id: str


@contextmanager
def ground() -> Iterator[Ground]:
    """A fresh server in a folder that is removed afterwards; durable, like the one that serves."""
    with tempfile.TemporaryDirectory(prefix="fairkey-bench-") as folder_name:
        folder = Path(folder_name)
        with EmbeddedPostgres(folder / "postgres") as server:
            environment = {
                "FAIRKEY_MODE": "test",
                "FAIRKEY_SMALL_TRIAL_FEN": "0",
                "FAIRKEY_STATE_DIR": str(folder),
                "FAIRKEY_MASTER_KEY": base64.b64encode(secrets.token_bytes(32)).decode(),
                "FAIRKEY_LIMIT_PERCENT": "0",
                "FAIRKEY_LOG_LEVEL": "error",
                "FAIRKEY_PAYMENT_PROVIDER": "sandbox",
                "FAIRKEY_SANDBOX_URL": NOBODY,
                "FAIRKEY_SANDBOX_SECRET": SANDBOX_SECRET,
            }
            yield Ground(folder=folder, server=server, environment=environment)


async def make_database(at: Ground, name: str, template: str | None = None) -> str:
    """A migrated database, or a copy of `template`; its DSN."""
    connection = await asyncpg.connect(at.server.dsn("postgres"))
    try:
        copied = f' TEMPLATE "{template}" STRATEGY FILE_COPY' if template else ""
        await connection.execute(f'CREATE DATABASE "{name}"{copied}')
    finally:
        await connection.close()
    dsn = at.server.dsn(name)
    await migrated(dsn)
    return dsn


def id_of(what: str, number: int) -> str:
    """An id that pgbench can compute as well: `md5('shop1')::uuid`."""
    return str(UUID(hashlib.md5(f"{what}{number}".encode(), usedforsecurity=False).hexdigest()))


async def open_shop(house: House, codes: int, *, number: int = 1, delivery: str = "vault") -> Shop:
    """Open shop `number` with one listing and `codes` codes on sale, all through the product's own doors."""
    shop_id, listing_id = id_of("shop", number), id_of("listing", number)
    shop_no = await house.numbers.number_for(shop_id)
    opened = await house.ask(
        Asker.MERCHANT,
        OpenShop(
            shop_id=shop_id,
            shop_no=shop_no,
            name="Bench",
            contact="bench@example.com",
            payout_account="bench",
            fee_bp=100,
            admitted=True,
        ),
    )
    assert not opened.refusal, opened
    published = await house.ask(
        Asker.MERCHANT, PublishListing(shop_id=shop_id, listing_id=listing_id, terms=terms(delivery))
    )
    assert not published.refusal, published
    for start in range(0, codes, IMPORT_MAX):
        await deposit(house, shop_id, listing_id, start, min(codes - start, IMPORT_MAX))
    return Shop(shop_id=shop_id, shop_no=shop_no, listing_id=listing_id)


def terms(delivery: str = "vault") -> Terms:
    """What the benchmark sells."""
    return Terms(
        product="Bench card ¥15",
        category="game",
        face_value="15",
        region="CN",
        edition="",
        redeem_by="",
        instructions="Redeem it.",
        after_sale="",
        price_fen=PRICE_FEN,
        delivery=delivery,
        promise_min=0 if delivery == "vault" else 30,
    )


async def deposit(house: House, shop_id: str, listing_id: str, start: int, count: int) -> None:
    """Import `count` codes, numbered from `start`."""
    _, answer = await trade.deposit(
        house,
        shop_id=shop_id,
        import_id=house.new_id(),
        listing_id=listing_id,
        chunks=lines(start, count),
        file_name="bench.txt",
        note="",
        source="typed",
        invoice_sha256="",
        by_account="",
    )
    assert answer is not None, "the import took no line"
    assert not answer.refusal, answer


async def lines(start: int, count: int) -> AsyncIterator[bytes]:
    """Codes as a merchant's file has them, sixteen characters in four groups."""
    run = secrets.token_hex(2).upper()
    for first in range(start, start + count, LINES_A_CHUNK):
        numbers = range(first, min(first + LINES_A_CHUNK, start + count))
        text = "".join(f"{run}-{os.urandom(2).hex().upper()}-{n:010d}\n" for n in numbers)
        yield text.encode()


async def open_shops(at: Ground, dsn: str, codes: int, shops: int) -> list[Shop]:
    """`shops` shops that share `codes` codes; then statistics and a checkpoint, as on a server that has run a while."""
    async with open_house(at.settings(dsn), dsn) as opened:
        made = [await open_shop(opened.house, codes // shops, number=number) for number in range(1, shops + 1)]
    await settle(dsn)
    return made


async def settle(dsn: str) -> None:
    """Vacuum, analyse, checkpoint: no run pays for the one before."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("VACUUM ANALYZE")
        await connection.execute("CHECKPOINT")
    finally:
        await connection.close()
