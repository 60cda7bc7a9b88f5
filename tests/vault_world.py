"""A vault with its desk on a fresh database, and the few statements by which the engine registers a batch."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID, uuid4

import asyncpg

from fairkey.adapters.vault.importing import ImportDesk
from fairkey.adapters.vault.keys import Keys
from fairkey.adapters.vault.opening import Vault
from fairkey.adapters.vault.wrapping import LocalKeyWrapper
from fairkey.engine.vault_port import Staged

MASTER = LocalKeyWrapper(b"m" * 32)
SHOP, OTHER_SHOP, LISTING = (str(UUID(int=number)) for number in (11, 12, 13))


@dataclass
class Clock:
    at_ms: int = 1_800_000_000_000

    def __call__(self) -> int:
        return self.at_ms


@dataclass
class VaultWorld:
    pool: asyncpg.Pool
    keys: Keys
    clock: Clock
    desk: ImportDesk
    vault: Vault
    imports: list[str] = field(default_factory=list)

    async def stage(
        self, data: bytes | AsyncIterator[bytes], *, shop_id: str = SHOP, import_id: str | None = None
    ) -> Staged:
        import_id = import_id or str(uuid4())
        self.imports.append(import_id)
        return await self.desk.stage(
            shop_id=shop_id,
            import_id=import_id,
            listing_id=LISTING,
            chunks=pieces(data) if isinstance(data, bytes) else data,
            file_name="codes.txt",
        )

    async def register(self, batch_id: str, *, shop_id: str = SHOP, listing_id: str = LISTING) -> int:
        """What the engine does when a batch is registered."""
        async with self.pool.acquire() as connection, connection.transaction():
            await connection.execute(
                "UPDATE imports SET state = 'registered' WHERE shop_id = $1 AND import_id = $2 AND state = 'staged'",
                shop_id,
                batch_id,
            )
            status: str = await connection.execute(
                """
                INSERT INTO codes (shop_id, code_id, listing_id, batch_id, is_free, stage, changed_at)
                SELECT shop_id, code_id, $3, batch_id, true, 'free', now() FROM vault
                WHERE shop_id = $1 AND batch_id = $2
                """,
                shop_id,
                batch_id,
                listing_id,
            )
        return int(status.rsplit(maxsplit=1)[-1])

    async def counts(self) -> tuple[int, int]:
        """How many rows the vault and the fingerprints have."""
        return (
            await self.pool.fetchval("SELECT count(*) FROM vault"),
            await self.pool.fetchval("SELECT count(*) FROM fingerprints"),
        )


async def pieces(data: bytes, piece: int = 65_536) -> AsyncIterator[bytes]:
    for start in range(0, len(data), piece):
        yield data[start : start + piece]


def file_of(texts: Iterable[str]) -> bytes:
    return "\n".join(texts).encode()


@asynccontextmanager
async def vault_world(database_url: str) -> AsyncIterator[VaultWorld]:
    clock = Clock()
    async with asyncpg.create_pool(database_url, min_size=1, max_size=8) as pool:
        keys = await Keys.load(pool, MASTER, clock)
        yield VaultWorld(pool, keys, clock, ImportDesk(pool, keys, clock), Vault(pool, keys))
