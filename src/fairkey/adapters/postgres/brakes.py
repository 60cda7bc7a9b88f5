"""Brakes on guessing passwords: failed log-ins counted per e-mail address and per network, with growing pauses.

An attempt is counted before the password is looked at and given back when it was right, in one atomic statement, so
that a thousand attempts in parallel get no further than five in a row. Both counters stand under keyed hashes, and an
address without an account is braked like any other: a pause tells nobody who has an account.
"""

from dataclasses import dataclass
from typing import Final

import asyncpg

from fairkey.adapters.postgres.moments import moment, ms_of
from fairkey.business.basics import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from fairkey.engine.people import LogInIsBraked


@dataclass(frozen=True, slots=True, kw_only=True)
class BrakeRules:
    """`failures_free` wrong attempts, then a pause that doubles with each further one; all forgotten after
    `memory_ms` of calm.
    """

    failures_free: int
    pause_first_ms: int
    pause_max_ms: int
    memory_ms: int


# Short enough that nobody can lock another person out for long; a password reset by mail lifts it at once.
PER_ACCOUNT: Final = BrakeRules(
    failures_free=5, pause_first_ms=30 * SECOND_MS, pause_max_ms=15 * MINUTE_MS, memory_ms=DAY_MS
)
# Wide enough for an office or a mobile carrier behind one address.
PER_NETWORK: Final = BrakeRules(failures_free=30, pause_first_ms=MINUTE_MS, pause_max_ms=HOUR_MS, memory_ms=HOUR_MS)

_COUNT = """
INSERT INTO log_in_brakes AS brake (brake_key, failures, last_at, locked_until)
VALUES ($1, 1, $2, NULL)
ON CONFLICT (brake_key) DO UPDATE SET
    failures = CASE WHEN brake.last_at < $3 THEN 1 ELSE brake.failures + 1 END,
    last_at = $2,
    locked_until = CASE
        WHEN brake.last_at >= $3 AND brake.failures + 1 >= $4
        THEN $2 + least($6::interval, $5::interval * power(2, least(brake.failures + 1 - $4, 20)))
    END
WHERE brake.locked_until IS NULL OR brake.locked_until <= $2
RETURNING failures
"""


async def count_attempt(connection: asyncpg.Connection, brake_key: bytes, rules: BrakeRules, now_ms: int) -> None:
    """Count one attempt under `brake_key`. Raises `LogInIsBraked` in a pause, whose attempts are not counted."""
    counted = await connection.fetchval(
        _COUNT,
        brake_key,
        moment(now_ms),
        moment(now_ms - rules.memory_ms),
        rules.failures_free,
        moment(rules.pause_first_ms) - moment(0),
        moment(rules.pause_max_ms) - moment(0),
    )
    if counted is None:
        until = await connection.fetchval("SELECT locked_until FROM log_in_brakes WHERE brake_key = $1", brake_key)
        left_ms = ms_of(until) - now_ms if until is not None else 0
        raise LogInIsBraked(wait_s=max(1, -(-left_ms // SECOND_MS)))


async def forget(connection: asyncpg.Connection, brake_key: bytes) -> None:
    """The right person came (or reset the password): no failures, no pause."""
    await connection.execute("DELETE FROM log_in_brakes WHERE brake_key = $1", brake_key)


async def give_back(connection: asyncpg.Connection, brake_key: bytes) -> None:
    """The attempt counted last was a right one; earlier wrong ones of this network stay counted."""
    await connection.execute(
        "UPDATE log_in_brakes SET failures = greatest(failures - 1, 0), locked_until = NULL WHERE brake_key = $1",
        brake_key,
    )


async def sweep(connection: asyncpg.Connection, now_ms: int) -> int:
    """Delete brakes nobody has touched for as long as any rule remembers; how many went."""
    done = await connection.execute(
        "DELETE FROM log_in_brakes WHERE last_at < $1",
        moment(now_ms - max(PER_ACCOUNT.memory_ms, PER_NETWORK.memory_ms)),
    )
    return int(done.split()[-1])
