"""What an operator does to a house now and then: check it, make kept tables again, move to newer keys."""

from base64 import b64decode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from fairkey.adapters.postgres.audit import audit
from fairkey.adapters.postgres.log_keys import LogKeys, OriginIsTaken
from fairkey.adapters.postgres.migrate import migrated
from fairkey.adapters.postgres.rebuild import check, repair
from fairkey.adapters.vault.auditing import audit_vault
from fairkey.adapters.vault.keys import Keys
from fairkey.adapters.vault.resealing import reseal_everything
from fairkey.adapters.vault.wrapping import LocalKeyWrapper, MasterKeyDoesNotFit, MasterKeyIsMalformed
from fairkey.app.processes import database
from fairkey.app.wiring import Opened, master_key_of, open_house, wall_clock_ms
from fairkey.cli.entry import Finding, LogIsNotBegun, MasterKeyIsRefused
from fairkey.proofs.notes import KeyIsMalformed
from fairkey.settings import FEWEST_DISTINCT_KEY_BYTES, Settings


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


async def rewrap(settings: Settings, new_key: str) -> int:
    """Wrap every data key by `new_key` (base64); how many. One transaction: killed on the way, all are as before.

    0 when they lie under `new_key` already, so asking again after an answer that got lost does no harm. Raises
    `MasterKeyIsRefused`.
    """
    try:
        new = LocalKeyWrapper.from_base64(new_key)
    except MasterKeyIsMalformed:
        raise MasterKeyIsRefused(
            "The new master key must be 32 random bytes in base64 (openssl rand -base64 32)."
        ) from None
    if len(set(b64decode(new_key))) < FEWEST_DISTINCT_KEY_BYTES:
        raise MasterKeyIsRefused("The new master key is not random; make one with openssl rand -base64 32.")
    with database(settings) as dsn:
        await migrated(dsn)
        async with asyncpg.create_pool(dsn, min_size=1, max_size=2) as pool:
            try:
                keys = await Keys.load(pool, LocalKeyWrapper.from_base64(master_key_of(settings)), wall_clock_ms)
            except MasterKeyDoesNotFit:
                await _loaded_under(pool, new)
                return 0
            return await keys.rewrap(new)


async def _loaded_under(pool: asyncpg.Pool, wrapper: LocalKeyWrapper) -> None:
    try:
        await Keys.load(pool, wrapper, wall_clock_ms)
    except MasterKeyDoesNotFit:
        raise MasterKeyIsRefused(
            "The data keys lie under neither the master key of the settings nor the new one."
        ) from None


async def reseal(settings: Settings) -> int:
    """Seal what lies under older data keys anew; how many values."""
    async with opened(settings) as house:
        return sum((await reseal_everything(house.pool, house.keys, house.house.now_ms)).values())


async def begin_log_anew(settings: Settings, origin: str, why: str) -> dict[str, str]:
    """End the log that is written now and begin another; its origin and verifier key. Raises `LogIsNotBegun`."""
    async with opened(settings) as house:
        try:
            own = await LogKeys(house.pool, house.keys, house.house.now_ms).begin_anew(origin, why)
        except OriginIsTaken:
            raise LogIsNotBegun(f"{origin} is or was a log of this installation; choose another name.") from None
        except KeyIsMalformed as error:
            raise LogIsNotBegun(f"{origin} cannot be the name of a log: {error}.") from None
    return {"origin": own.origin, "vkey": str(own.key.verifier)}
