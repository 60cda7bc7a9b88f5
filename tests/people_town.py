"""A town for tests: real accounts, sessions and keys on a fresh database, with a clock in the test's hand."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg

from fairkey.adapters.passwords import Passwords
from fairkey.adapters.postgres.people import postgres_people
from fairkey.adapters.vault.keys import Keys
from fairkey.adapters.vault.wrapping import LocalKeyWrapper
from fairkey.engine.people import Account, People

SHOP = "01890000-0000-7000-8000-000000000001"
EMAIL = "Li.Wei@Example.COM"
PASSWORD = "meine katze mag tofu"
HERE = "203.0.113.7"


@dataclass
class Clock:
    """A clock that moves when told."""

    now_ms: int = 1_750_000_000_000

    def __call__(self) -> int:
        return self.now_ms


@dataclass
class Town:
    """People on a fresh database, with a clock in the test's hand."""

    people: People
    pool: asyncpg.Pool
    clock: Clock
    keys: Keys

    async def resident(self, email: str = EMAIL, *, is_operator: bool = False) -> Account:
        registration = await self.people.accounts.register(email=email, password=PASSWORD, is_operator=is_operator)
        assert registration.account is not None
        return registration.account

    async def log_in(self, password: str = PASSWORD, email: str = EMAIL, address: str = HERE) -> Account:
        return await self.people.accounts.prove(email=email, password=password, address=address)


@asynccontextmanager
async def a_town(database_url: str) -> AsyncIterator[Town]:
    clock = Clock()
    async with asyncpg.create_pool(database_url, min_size=1, max_size=8) as pool:
        keys = await Keys.load(pool, LocalKeyWrapper(bytes(32)), clock)
        # Real argon2id, small enough to be fast.
        passwords = Passwords(memory_kib=64, rounds=1)
        yield Town(postgres_people(pool, keys, clock, passwords=passwords), pool, clock, keys)
        passwords.stop()
