"""A house whose log is written when a test says so."""

from fairkey.adapters.log.no_witnesses import NoWitnesses
from fairkey.adapters.postgres.log_keys import LogKeys
from fairkey.adapters.postgres.log_writing import PostgresLogLease
from fairkey.app import Opened
from fairkey.app.log_places import log_origin, policy_of, tile_store
from fairkey.log.ports import OwnLog
from fairkey.log.sequencer import LogSetting, begin
from fairkey.proofs.policies import Policy


async def own_log(opened: Opened) -> OwnLog:
    """The log of this house."""
    return await LogKeys(opened.pool, opened.keys, opened.house.now_ms).newest(log_origin(opened.house.settings))


async def policy(opened: Opened) -> Policy:
    """What a stranger would be given to verify with."""
    return policy_of(opened.house.settings, await own_log(opened))


async def write_log(opened: Opened, dsn: str) -> None:
    """Put everything that is committed into the log, and publish."""
    own = await own_log(opened)
    settings = opened.house.settings
    setting = LogSetting(
        own=own,
        store=tile_store(settings, own.log_no),
        witnesses=NoWitnesses(),
        policy=policy_of(settings, own),
    )
    lease = PostgresLogLease(dsn, opened.house.now_ms)
    async with lease.held() as writing:
        assert writing is not None
        writer = await begin(writing, setting)
        while await writer.step():
            pass
