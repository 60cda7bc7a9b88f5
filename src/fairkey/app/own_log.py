"""A house's own log for an audit or an export: its files, and beside them what its tables say."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager
from typing import Final, TypeVar

from fairkey.adapters.postgres.log_keys import LogKeys
from fairkey.adapters.postgres.log_reading import PostgresLogReading
from fairkey.adapters.postgres.log_tokens import PostgresLogTokens
from fairkey.app.log_places import log_origin, policy_of, tile_store
from fairkey.app.upkeep import opened
from fairkey.app.wiring import Opened
from fairkey.cli.entry import OwnLogFiles
from fairkey.log.ports import StoreFailed, TileStore
from fairkey.proofs.merkle import leaf_hash
from fairkey.settings import Settings
from fairkey.verifying.reading import FileCannotBeRead, FileIsMissing, FileIsTooLong
from fairkey.verifying.sources import CHECKPOINT, STAMPS_MAX

PUBLISHED_WITHIN: Final = 50  # looks at the file, each a tenth of a second after the last
LOOK_S: Final = 0.1
T = TypeVar("T")


class HouseLog:
    """Implements `fairkey.verifying.sources.LogSource`. Asked in a thread; what it asks runs on the house's loop."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        store: TileStore,
        tables: PostgresLogReading,
        *,
        where: str,
        checkpoint: bytes | None,
        sizes: Sequence[int],
        stamps: dict[int, list[bytes]],
    ) -> None:
        self.where = where
        self._loop = loop
        self._store = store
        self._tables = tables
        self._checkpoint = checkpoint
        self._sizes = sizes
        self._stamps = stamps

    def read(self, path: str, bytes_max: int) -> bytes:
        """A file's bytes, as an export of this log would have it."""
        data = self._read(path)
        if data is None:
            raise FileIsMissing(path)
        if len(data) > bytes_max:
            raise FileIsTooLong(f"has more than {bytes_max} bytes")
        return data

    def _read(self, path: str) -> bytes | None:
        if path == CHECKPOINT:
            return self._checkpoint
        if path.startswith("checkpoints/"):
            size, *stamp = path.removeprefix("checkpoints/").split(".")
            return self._stamps[int(size)][int(stamp[0]) - 1] if stamp else self._ask(self._tables.head(int(size)))
        try:
            return self._ask(self._store.read([path]))[0]
        except StoreFailed as error:
            raise FileCannotBeRead(f"cannot be read ({error})") from error

    def heads(self) -> dict[int, int] | None:
        """Every head up to the checkpoint, or beyond when it was published."""
        return {size: len(self._stamps.get(size, ())) for size in self._sizes}

    def compare(self, first: int, entries: Sequence[bytes]) -> Sequence[str]:
        """Where these entries of the files are not what the tables have."""
        rows = {row.log_index: row for row in self._ask(self._tables.entries(first, first + len(entries)))}
        faults = []
        for number, entry in enumerate(entries, first):
            row = rows.get(number)
            if row is None or row.body is None:
                faults.append(f"Entry {number} is in the log and not in the tables.")
            elif row.body != entry or row.leaf != leaf_hash(entry):
                faults.append(f"Entry {number} is another in the log than in the tables.")
        return faults

    def _ask(self, question: Awaitable[T]) -> T:
        async def ask() -> T:
            return await question

        return asyncio.run_coroutine_threadsafe(ask(), self._loop).result()


@asynccontextmanager
async def own_log(settings: Settings, *, published_only: bool) -> AsyncIterator[OwnLogFiles]:
    """The newest log of this installation; heads that were signed and never published as well, unless told."""
    async with opened(settings) as house:
        yield await files_of(house, published_only=published_only)


async def files_of(house: Opened, *, published_only: bool) -> OwnLogFiles:
    """The same, of a house that is open."""
    settings = house.house.settings
    own = await LogKeys(house.pool, house.keys, house.house.now_ms).newest(log_origin(settings))
    store, tables = tile_store(settings, own.log_no), PostgresLogReading(house.pool, own.log_no)
    known = await tables.head_sizes()
    published = max((size for size, is_published in known.items() if is_published), default=0)
    checkpoint = await _published(store, published)
    stamps: dict[int, list[bytes]] = defaultdict(list)
    for token in await PostgresLogTokens(house.pool).all_tokens(own.log_no):
        if len(stamps[token.size]) < STAMPS_MAX:
            stamps[token.size].append(token.token)
    log = HouseLog(
        asyncio.get_running_loop(),
        store,
        tables,
        where=settings.log_store or str(settings.state / "log" / str(own.log_no)),
        checkpoint=checkpoint,
        sizes=[one for one, is_published in known.items() if is_published or (one < published and not published_only)],
        stamps=dict(stamps),
    )
    return OwnLogFiles(
        source=log, policy=str(policy_of(settings, own)), vkey=str(own.key.verifier), compare=log.compare
    )


async def _published(store: TileStore, size: int) -> bytes | None:
    """The file `checkpoint`. The tables know of a head a moment before the file does, so that moment is waited for."""
    data = None
    for _ in range(PUBLISHED_WITHIN):
        data = await store.published()
        if data is not None and _size_in(data) >= size:
            break
        if size == 0:
            break
        await asyncio.sleep(LOOK_S)
    return data


def _size_in(note: bytes) -> int:
    line = note.split(b"\n", 2)[1:2]
    return int(line[0]) if line and line[0].isdigit() and len(line[0]) < 20 else -1  # noqa: PLR2004 - digits of 2^63
