"""The evidence store: what comes in is looked at, scanned, hashed and encrypted while it passes, then made durable."""

import hashlib
import secrets
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Sequence
from typing import Final

from fairkey.adapters.files.places import Draft, Place
from fairkey.adapters.files.scanning import Scan
from fairkey.adapters.files.sealing import Opening, Sealing
from fairkey.engine.evidence_port import (
    EvidenceIsChanged,
    EvidenceLimits,
    FileIsRefused,
    Kept,
    WhyRefused,
)
from fairkey.engine.media_types import HEAD_BYTES, Inspection

KEY_BYTES: Final = 32
SCANNER_WAIT_S: Final = 120.0
ASKED_AT_ONCE: Final = 1000


class SealedFiles:
    """Implements `fairkey.engine.evidence_port.EvidenceStore`."""

    def __init__(
        self,
        place: Place,
        limits: EvidenceLimits = EvidenceLimits(),  # noqa: B008 - frozen
        scanner: Sequence[str] = (),
        scanner_wait_s: float = SCANNER_WAIT_S,
    ) -> None:
        """`scanner` is a command with its arguments, or nothing: then nothing is scanned."""
        self._place = place
        self._limits = limits
        self._scanner = scanner
        self._scanner_wait_s = scanner_wait_s

    async def keep(self, chunks: AsyncIterable[bytes], claimed_type: str = "") -> Kept:
        """Take a file."""
        pieces = _pieces(chunks)
        head = await anext(pieces, b"")
        if not head:
            raise FileIsRefused(WhyRefused.EMPTY)
        inspection = Inspection(head[:HEAD_BYTES], claimed_type, self._limits.image_pixels)
        scan = await Scan.begin(self._scanner, self._scanner_wait_s) if self._scanner else None
        try:
            draft = await self._place.begin()
            try:
                return await self._write(draft, head, pieces, inspection, scan)
            except BaseException:
                await draft.abandon()
                raise
        finally:
            if scan is not None:
                await scan.stop()

    async def _write(
        self, draft: Draft, head: bytes, pieces: AsyncIterator[bytes], inspection: Inspection, scan: Scan | None
    ) -> Kept:
        key = secrets.token_bytes(KEY_BYTES)
        sealing = Sealing(key)
        plain, stored = hashlib.sha256(), hashlib.sha256()
        size_bytes, most_bytes = 0, self._limits.bytes_of(inspection.media.media_class)
        piece = head
        while piece:
            size_bytes += len(piece)
            if size_bytes > most_bytes:
                raise FileIsRefused(WhyRefused.TOO_LARGE)
            inspection.feed(piece)
            if scan is not None:
                await scan.feed(piece)
            plain.update(piece)
            sealed = sealing.feed(piece)
            stored.update(sealed)
            await draft.append(sealed)
            piece = await anext(pieces, b"")
        inspection.finish()
        if scan is not None:
            await scan.verdict()
        sealed = sealing.finish()
        stored.update(sealed)
        await draft.append(sealed)
        address = stored.hexdigest()
        await draft.finish(address)
        return Kept(address=address, key=key, sha256=plain.digest(), size_bytes=size_bytes, media=inspection.media)

    async def read(self, kept: Kept) -> AsyncIterator[bytes]:
        """The file's bytes."""
        opening = Opening(kept.key)
        seen = hashlib.sha256()
        async for sealed in self._place.read(kept.address):
            if opened := opening.feed(sealed):
                seen.update(opened)
                yield opened
        last = opening.finish()
        seen.update(last)
        if seen.digest() != kept.sha256:
            raise EvidenceIsChanged
        yield last

    async def remove(self, address: str) -> None:
        """Take the ciphertext away."""
        await self._place.remove(address)

    async def tidy(self, known: Callable[[list[str]], Awaitable[set[str]]], older_than_ms: int) -> int:
        """Remove drafts and files that no fact speaks of."""
        removed = await self._place.remove_drafts(older_than_ms)
        old = sorted(await self._place.older(older_than_ms))
        for begin in range(0, len(old), ASKED_AT_ONCE):
            asked = old[begin : begin + ASKED_AT_ONCE]
            spoken_of = await known(asked)
            for address in asked:
                if address not in spoken_of:
                    await self._place.remove(address)
                    removed += 1
        return removed


async def _pieces(chunks: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    """The same bytes, 64 KiB or more at a time: work is done by the piece, and a sender chooses how small his are."""
    held = bytearray()
    async for chunk in chunks:
        held += chunk
        if len(held) >= HEAD_BYTES:
            yield bytes(held)
            held.clear()
    if held:
        yield bytes(held)
