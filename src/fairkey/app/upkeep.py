"""What an operator does to a house now and then: check it, make kept tables again, move to newer keys."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fairkey.adapters.postgres.audit import audit
from fairkey.adapters.postgres.migrate import migrated
from fairkey.adapters.postgres.rebuild import check, repair
from fairkey.adapters.vault.auditing import audit_vault
from fairkey.adapters.vault.resealing import reseal_everything
from fairkey.app.processes import database
from fairkey.app.wiring import Opened, open_house
from fairkey.cli.entry import Finding
from fairkey.settings import Settings


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Opened]:
    """A house on the configured database, migrated, without a worker."""
    with database(settings) as dsn:
        await migrated(dsn)
        async with open_house(settings, dsn) as house:
            yield house


async def audit_everything(settings: Settings) -> list[Finding]:
    """Every invariant of orders, money, codes and the vault."""
    async with opened(settings) as house:
        findings = [
            Finding(rule=str(one.invariant), what=one.what, where=one.where, is_warning=one.level == "warning")
            for one in await audit(house.pool, house.house.now_ms())
        ]
        in_vault = [
            Finding(rule="vault", what=one.what, where=one.where) async for one in audit_vault(house.pool, house.keys)
        ]
        return [*findings, *in_vault]


async def rebuild(settings: Settings, *, check_only: bool) -> list[Finding]:
    """Fold all events again; compare, or put right what differs (and say what it was)."""
    async with opened(settings) as house:
        differences = await (check if check_only else repair)(house.pool, house.keys)
    return [
        Finding(rule=one.what, what=f"kept {one.kept}, by the events {one.rebuilt}", where=one.where)
        for one in differences
    ]


async def rotate(settings: Settings, purpose: str) -> int:
    """A new data key for `purpose`; its number."""
    async with opened(settings) as house:
        return await house.keys.rotate(purpose)


async def reseal(settings: Settings) -> int:
    """Seal what lies under older data keys anew; how many values."""
    async with opened(settings) as house:
        return sum((await reseal_everything(house.pool, house.keys, house.house.now_ms)).values())
