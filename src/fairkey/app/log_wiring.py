"""The public log, wired: its origin and keys, where its tiles lie, who its witnesses are, and who writes it."""

import asyncio
import logging
from contextlib import AsyncExitStack

import httpx

from fairkey.adapters.log.no_witnesses import NoWitnesses
from fairkey.adapters.log.witnesses import HttpWitnesses
from fairkey.adapters.postgres.log_keys import LogKeys
from fairkey.adapters.postgres.log_writing import PostgresLogLease
from fairkey.app.log_places import log_origin, policy_of, tile_store
from fairkey.app.wiring import Opened
from fairkey.log.ports import OwnLog, StoreIsBroken, Witnesses
from fairkey.log.sequencer import LogSetting, Sequencer
from fairkey.proofs.policies import Policy
from fairkey.settings import Settings

AGAIN_S = 5.0

logger = logging.getLogger(__name__)


async def witnesses_of(
    settings: Settings, own: OwnLog, stack: AsyncExitStack
) -> tuple[Policy, Witnesses]:
    """Who must cosign, and how they are asked. What is opened for that is closed with `stack`."""
    policy = policy_of(settings, own)
    if not policy.witnesses:
        return policy, NoWitnesses()
    http = await stack.enter_async_context(httpx.AsyncClient(trust_env=False))
    return policy, HttpWitnesses(own.key.verifier, policy.witnesses, http)


async def write_log(opened: Opened, dsn: str) -> None:
    """Write the log whenever this process holds the lease, until cancelled; ends with `StoreIsBroken` when the disk
    cannot be believed any more.
    """
    while True:
        try:
            async with AsyncExitStack() as stack:
                sequencer = await make_sequencer(opened, dsn, stack)
                await sequencer.run()
        except StoreIsBroken:
            raise
        except Exception:  # the house opened a moment ago, so this passes: a database that restarts, a key just made
            logger.exception("the log's writer could not begin; it tries again")
        await asyncio.sleep(AGAIN_S)


async def make_sequencer(opened: Opened, dsn: str, stack: AsyncExitStack) -> Sequencer:
    """The writer of the log; the first log is begun when there is none. What it opens is closed with `stack`."""
    settings = opened.house.settings
    logs = LogKeys(opened.pool, opened.keys, opened.house.now_ms)
    newest = await logs.newest(log_origin(settings))
    if settings.log_origin not in ("", newest.origin):
        logger.warning(
            "FAIRKEY_LOG_ORIGIN is %s, but the log of this installation is %s and stays so; fairkey log begin-anew "
            "ends it and begins another",
            settings.log_origin,
            newest.origin,
        )
    lease = PostgresLogLease(dsn, opened.house.now_ms)
    stack.callback(lease.let_go)
    known: dict[int, LogSetting] = {}

    async def setting_of(log_no: int) -> LogSetting:
        if log_no not in known:
            own = await logs.of(log_no)
            policy, witnesses = await witnesses_of(settings, own, stack)
            known[log_no] = LogSetting(
                own=own, store=tile_store(settings, log_no), witnesses=witnesses, policy=policy
            )
        return known[log_no]

    return Sequencer(lease, setting_of, period_s=settings.log_period_ms / 1000)
