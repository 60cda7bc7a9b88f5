"""Tiles in a bucket (`s3://`, `gs://`, `az://`, or anything else that obstore opens by its URL).

A bucket stores an object as a whole or not at all, and answers when it is kept: no more is needed for files that never
change. `checkpoint` is replaced only as the one that was read, so that a writer who was replaced unnoticed cannot put
an older one over a newer.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Any, Final

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, NotSupportedError
from obstore.store import ObjectStore, from_url

from fairkey.log.ports import StoreFailed

CHECKPOINT: Final = "checkpoint"
AT_ONCE_MAX: Final = 32
CHECKPOINT_TYPE: Final = {"Content-Type": "text/plain; charset=utf-8", "Cache-Control": "max-age=1"}
TILE_TYPE: Final = {"Content-Type": "application/octet-stream", "Cache-Control": "max-age=31536000, immutable"}
_CANNOT: Final = (NotSupportedError, NotImplementedError)
_FAILURES: Final = (BaseError, OSError, NotImplementedError)

logger = logging.getLogger(__name__)


class BucketTiles:
    """Implements `fairkey.log.ports.TileStore`."""

    def __init__(self, store: ObjectStore, prefix: str = "") -> None:
        """`prefix` (empty, or with a slash at its end) is the log's root in the bucket."""
        self._store = store
        self._prefix = prefix
        self._slots = asyncio.Semaphore(AT_ONCE_MAX)
        self._knows_types = True

    async def read(self, paths: Sequence[str]) -> list[bytes | None]:
        """The objects' bytes."""
        return list(await asyncio.gather(*(self._read(path) for path in paths)))

    async def put(self, files: Mapping[str, bytes]) -> None:
        """Store objects that never change."""
        await asyncio.gather(*(self._write(path, data) for path, data in files.items()))

    async def publish(self, checkpoint: bytes) -> None:
        """Replace the object `checkpoint`."""
        place = self._prefix + CHECKPOINT
        try:
            try:
                there = await obstore.head_async(self._store, place)
            except FileNotFoundError:
                mode: Any = "create"
            else:
                mode = {"e_tag": there["e_tag"]} if there["e_tag"] else "overwrite"
            try:
                await self._store_one(place, checkpoint, CHECKPOINT_TYPE, mode)
            except _CANNOT:  # a store without conditions: whoever holds the lease writes
                await self._store_one(place, checkpoint, CHECKPOINT_TYPE, "overwrite")
        except _FAILURES as error:
            raise StoreFailed(_said(error)) from error

    async def published(self) -> bytes | None:
        """The object `checkpoint`."""
        return await self._read(CHECKPOINT)

    async def tidy(self) -> None:
        """Nothing: a bucket keeps no half objects."""

    async def remove_partials(self, full: Sequence[str]) -> None:
        """Remove the partial tiles of these full ones."""
        try:
            for path in full:
                listed = await obstore.list(self._store, prefix=f"{self._prefix}{path}.p").collect_async()
                for one in listed:
                    await obstore.delete_async(self._store, one["path"])
        except _FAILURES as error:
            raise StoreFailed(_said(error)) from error

    async def _read(self, path: str) -> bytes | None:
        try:
            async with self._slots:
                found = await obstore.get_async(self._store, self._prefix + path)
                return bytes(await found.bytes_async())
        except FileNotFoundError:
            return None
        except _FAILURES as error:
            raise StoreFailed(_said(error)) from error

    async def _write(self, path: str, data: bytes) -> None:
        place = self._prefix + path
        try:
            async with self._slots:
                try:
                    await self._store_one(place, data, TILE_TYPE, "create")
                except AlreadyExistsError:
                    there = await obstore.get_async(self._store, place)
                    if bytes(await there.bytes_async()) != data:
                        logger.warning("%s was damaged in the bucket; it is written again", place)
                        await self._store_one(place, data, TILE_TYPE, "overwrite")
        except _FAILURES as error:
            raise StoreFailed(_said(error)) from error

    async def _store_one(self, place: str, data: bytes, types: Mapping[str, str], mode: Any) -> None:  # noqa: ANN401
        if self._knows_types:
            try:
                await obstore.put_async(
                    self._store, place, data, attributes=dict(types), mode=mode, use_multipart=False
                )
            except _CANNOT:
                self._knows_types = False
            else:
                return
        await obstore.put_async(self._store, place, data, mode=mode, use_multipart=False)


def bucket_of(url: str) -> ObjectStore:
    """The bucket that `url` names; keys and regions come from the environment, as the cloud's own tools read them."""
    return from_url(url)


def _said(error: Exception) -> str:
    return str(error).partition("\n")[0]
