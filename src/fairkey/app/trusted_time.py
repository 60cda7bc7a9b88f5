"""Trusted time, wired: the authorities of the settings, and the task that has the log's checkpoints stamped."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from fairkey.adapters.postgres.clockwork import PostgresClockwork
from fairkey.adapters.postgres.log_tokens import PostgresLogTokens
from fairkey.adapters.tsa.http_tsa import HttpTsa
from fairkey.app.wiring import Opened
from fairkey.log.stamping import Stamper
from fairkey.proofs.timestamps import RootsAreUnreadable, TsaRoots, read_roots
from fairkey.settings import Settings, SettingsRefused


def pinned_roots(settings: Settings) -> TsaRoots | None:
    """The roots that the settings pin; None without authorities. Raises `SettingsRefused` with the reason."""
    if settings.tsa_roots is None:
        return None
    try:
        return read_roots(settings.tsa_roots.read_bytes())
    except OSError as error:
        raise SettingsRefused([f"FAIRKEY_TSA_ROOTS cannot be read: {error.strerror}."]) from error
    except RootsAreUnreadable as error:
        raise SettingsRefused([f"FAIRKEY_TSA_ROOTS cannot be used: {error}."]) from error


@asynccontextmanager
async def stamper(opened: Opened) -> AsyncIterator[Stamper]:
    """The stamper of an opened house; with no authority in the settings it has nothing to do."""
    settings = opened.house.settings
    roots = pinned_roots(settings)
    async with httpx.AsyncClient(follow_redirects=False, trust_env=False) as client:
        yield Stamper(
            PostgresLogTokens(opened.pool),
            [HttpTsa(name, url, roots, client) for name, url in settings.tsa_urls] if roots else [],
            lease=PostgresClockwork(opened.pool).lease,
            now_ms=opened.house.now_ms,
            every_s=settings.tsa_every_s,
        )


async def stamp_for_ever(opened: Opened) -> None:
    """Have checkpoints stamped until cancelled."""
    async with stamper(opened) as one:
        await one.run()
