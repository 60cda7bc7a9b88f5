"""Depositing codes: a file of up to 100,000 lines streamed into the vault, or a few codes typed for an order.

While the database takes one piece, a thread presses the next. Each piece is one transaction: progress, claimed
fingerprints, sealed rows, refused lines; so at every moment another process sees how far it is, and a crash leaves
whole pieces that `clean_abandoned` finds by their standing still. A restarted import writes under the next attempt
number: whoever still runs under the old one finds out at his next piece and stops.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from typing import Final
from uuid import UUID

import asyncpg

from fairkey.adapters.postgres.moments import moment
from fairkey.adapters.vault import import_rows as rows
from fairkey.adapters.vault.import_rows import ClaimedElsewhere
from fairkey.adapters.vault.keys import Keys
from fairkey.adapters.vault.pressing import Press, Pressed, PressedCode
from fairkey.business.basics import MINUTE_MS
from fairkey.business.code_lines import HEAD_BYTES, LineFormat, Reason, RefusedLine, masked, no_text, normalise, problem
from fairkey.engine.vault_port import (
    IMPORT_BYTES_MAX,
    IMPORT_LINES_MAX,
    IMPORTS_AT_ONCE_MAX,
    TYPED_CODES_MAX,
    ImportBrokeOff,
    ImportIsClosed,
    ImportIsNoText,
    ImportIsTooLarge,
    ImportIsUnderWay,
    ImportProgress,
    ImportRecord,
    ImportWasAbandoned,
    RefusedRow,
    Staged,
    TooManyImports,
    TypedCodesAreRefused,
)
from fairkey.proofs.merkle import MerkleRoot

PIECE_BYTES: Final = 128 * 1024  # pressed by the thread in one go, some 50 ms
ROWS_AT_ONCE: Final = 4_000  # written in one transaction
STANDS_STILL_MS: Final = 2 * MINUTE_MS  # an import without a sign of life for so long no longer counts as under way


class ImportDesk:
    """Takes deposits for all shops. Implements `fairkey.engine.vault_port.CodeImports`; see there for what each
    promises.
    """

    def __init__(self, pool: asyncpg.Pool, keys: Keys, now_ms: Callable[[], int]) -> None:
        self._pool = pool
        self._keys = keys
        self._now_ms = now_ms

    async def stage(  # noqa: PLR0913 - everything an import is told about itself
        self,
        *,
        shop_id: str,
        import_id: str,
        listing_id: str,
        chunks: AsyncIterator[bytes],
        file_name: str = "",
        note: str = "",
        source: str = "",
        invoice_sha256: bytes | None = None,
        custody: int = 1,
        by_account: str = "",
        on_progress: Callable[[ImportProgress], None] | None = None,
    ) -> Staged:
        """See `CodeImports.stage`."""
        about = rows.About(
            shop_id=UUID(shop_id),
            import_id=UUID(import_id),
            listing_id=UUID(listing_id),
            file_name=file_name,
            note=note,
            source=source,
            invoice_sha256=invoice_sha256,
            custody=custody,
            by_account=by_account,
        )
        attempt = await self._begin(about)
        staging = _Staging(self._pool, self._keys, self._now_ms, about, attempt, on_progress)
        try:
            return await staging.run(chunks)
        except BaseException as error:
            # Even a cancelled upload is cleaned up at once; if this process dies here, `clean_abandoned` does it later.
            await asyncio.shield(self._give_up(about, attempt, type(error).__name__))
            raise

    async def _begin(self, about: rows.About) -> int:
        """Make the import's row or take over the one of an attempt that ended badly; the number of this attempt."""
        now = moment(self._now_ms())
        async with self._pool.acquire() as connection, connection.transaction():
            # One after the other within the shop, or two starts at once would both find a place free.
            await connection.execute(
                "SELECT pg_advisory_xact_lock(hashtextextended('fairkey.imports ' || $1::text, 0))", str(about.shop_id)
            )
            before = await rows.lock(connection, about.shop_id, about.import_id)
            if before is not None and before["state"] == "receiving":
                raise ImportIsUnderWay(import_id=str(about.import_id))
            if before is not None and before["state"] not in ("failed", "abandoned"):
                raise ImportIsClosed(import_id=str(about.import_id), state=before["state"])
            alive_since = moment(self._now_ms() - STANDS_STILL_MS)
            if await rows.count_under_way(connection, about.shop_id, alive_since) >= IMPORTS_AT_ONCE_MAX:
                raise TooManyImports(limit=IMPORTS_AT_ONCE_MAX)
            attempt = 1 if before is None else before["attempt"] + 1
            await rows.drop_unregistered(connection, about.shop_id, about.import_id)
            await rows.start(connection, about, attempt, now)
        return attempt

    async def _give_up(self, about: rows.About, attempt: int, error: str) -> None:
        # The refusals of a file that came to nothing are kept: they say why.
        with suppress(asyncpg.PostgresError, OSError):
            async with self._pool.acquire() as connection, connection.transaction():
                current = await rows.lock(connection, about.shop_id, about.import_id)
                if current is not None and (current["state"], current["attempt"]) == ("receiving", attempt):
                    await rows.drop_unregistered(connection, about.shop_id, about.import_id)
                    await rows.end(connection, about, "failed", error, moment(self._now_ms()))

    async def put_typed(
        self, shop_id: str, batch_id: str, texts: Sequence[str], *, by_account: str = ""
    ) -> list[tuple[str, str]]:
        """See `CodeImports.put_typed`."""
        lines = [(number, normalise(text)) for number, text in enumerate(texts, 1)]
        refused = [
            RefusedLine(number, reason, masked(text)) for number, text in lines if (reason := problem(text)) is not None
        ]
        if len(lines) > TYPED_CODES_MAX:
            raise ImportIsTooLarge(what="lines", limit=TYPED_CODES_MAX)
        if refused:
            raise TypedCodesAreRefused(lines=_as_rows(refused))
        pressed = await asyncio.to_thread(Press(self._keys).press_lines, lines)
        about = rows.About(
            shop_id=UUID(shop_id), import_id=UUID(batch_id), source=rows.TYPED, custody=2, by_account=by_account
        )
        if pressed.refused:
            raise TypedCodesAreRefused(lines=_as_rows(pressed.refused))
        async with self._pool.acquire() as connection, connection.transaction():
            position = await rows.start_typed(connection, about, moment(self._now_ms()), len(pressed.codes))
            losers = await rows.claim(connection, about.shop_id, pressed.codes)
            if losers:
                waiting = await rows.waiting_typed(connection, about, [one.fingerprint for one in pressed.codes])
                if len(waiting) == len(pressed.codes):
                    # The same codes for the same order, put here by somebody who died (or is faster): theirs are used.
                    return waiting
                # Leaving the block by an exception rolls back what was claimed: all or none.
                raise TypedCodesAreRefused(lines=_as_rows(_refusals_of(losers, pressed.codes, about.shop_id)))
            await rows.put(connection, about, pressed.codes, position)
        return [(str(UUID(bytes=one.code_id)), one.commitment.hex()) for one in pressed.codes]

    async def drop_unregistered(self, shop_id: str, batch_id: str, code_ids: Sequence[str] | None = None) -> int:
        """See `CodeImports.drop_unregistered`."""
        async with self._pool.acquire() as connection, connection.transaction():
            before = await rows.lock(connection, UUID(shop_id), UUID(batch_id))
            if before is None:
                return 0
            if before["state"] == "receiving":
                raise ImportIsUnderWay(import_id=batch_id)
            only = None if code_ids is None else [UUID(code_id) for code_id in code_ids]
            dropped = await rows.drop_unregistered(connection, UUID(shop_id), UUID(batch_id), only)
            await rows.settle(connection, UUID(shop_id), UUID(batch_id), moment(self._now_ms()))
        return dropped

    async def clean_abandoned(self, older_than_ms: int) -> int:
        """See `CodeImports.clean_abandoned`."""
        cleaned = 0
        while True:
            async with self._pool.acquire() as connection, connection.transaction():
                found = await rows.lock_one_standing_still(connection, moment(self._now_ms() - older_than_ms))
                if found is None:
                    return cleaned
                await rows.drop_unregistered(connection, found["shop_id"], found["import_id"])
                await rows.settle(connection, found["shop_id"], found["import_id"], moment(self._now_ms()))
            cleaned += 1

    async def find(self, shop_id: str, import_id: str) -> ImportRecord | None:
        """See `CodeImports.find`."""
        return await rows.find(self._pool, UUID(shop_id), UUID(import_id))

    async def recent(self, shop_id: str, *, listing_id: str | None = None, imports_max: int = 50) -> list[ImportRecord]:
        """See `CodeImports.recent`."""
        return await rows.recent(self._pool, UUID(shop_id), UUID(listing_id) if listing_id else None, imports_max)

    async def refusal_report(
        self, shop_id: str, import_id: str, *, after_line_no: int = 0, rows_max: int = IMPORT_LINES_MAX
    ) -> list[RefusedRow]:
        """See `CodeImports.refusal_report`."""
        return await rows.refusals(self._pool, UUID(shop_id), UUID(import_id), after_line_no, rows_max)


class _Staging:
    """One attempt at one file."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        keys: Keys,
        now_ms: Callable[[], int],
        about: rows.About,
        attempt: int,
        on_progress: Callable[[ImportProgress], None] | None,
    ) -> None:
        self._pool = pool
        self._press = Press(keys)
        self._now_ms = now_ms
        self._about = about
        self._attempt = attempt
        self._on_progress = on_progress
        self._tree = MerkleRoot()
        self._bytes_read = 0
        self._refused = 0
        self._duplicate_in_file = 0
        self._duplicate_elsewhere = 0
        self._writing: asyncio.Task[None] | None = None
        self._looked_at = False

    def _require_text(self, head: bytearray) -> None:
        self._looked_at = True
        what = no_text(bytes(head[:HEAD_BYTES]))
        if what:
            raise ImportIsNoText(what=what)

    async def run(self, chunks: AsyncIterator[bytes]) -> Staged:
        try:
            waiting = bytearray()
            async for chunk in self._arriving(chunks):
                self._bytes_read += len(chunk)
                if self._bytes_read > IMPORT_BYTES_MAX:
                    raise ImportIsTooLarge(what="bytes", limit=IMPORT_BYTES_MAX)
                waiting += chunk
                if not self._looked_at and len(waiting) >= HEAD_BYTES:
                    self._require_text(waiting)
                while len(waiting) >= PIECE_BYTES:
                    piece = bytes(waiting[:PIECE_BYTES])
                    del waiting[:PIECE_BYTES]
                    await self._hand_on(await asyncio.to_thread(self._press.feed, piece))
            if not self._looked_at:
                self._require_text(waiting)
            await self._hand_on(await asyncio.to_thread(self._press.feed, bytes(waiting)))
            await self._hand_on(await asyncio.to_thread(self._press.finish))
            await self._written()
        finally:
            if self._writing is not None:
                self._writing.cancel()
                await asyncio.gather(self._writing, return_exceptions=True)
        return await self._end()

    async def _arriving(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        try:
            async for chunk in chunks:
                yield chunk
        except (OSError, EOFError) as error:
            raise ImportBrokeOff(import_id=str(self._about.import_id)) from error

    async def _hand_on(self, pressed: Pressed) -> None:
        """Start writing this piece once the one before is written."""
        if self._press.lines.lines_read > IMPORT_LINES_MAX:
            raise ImportIsTooLarge(what="lines", limit=IMPORT_LINES_MAX)
        if not pressed.codes and not pressed.refused:
            return
        await self._written()
        # The progress of the moment belongs to this piece; the thread reads on meanwhile.
        counted = (self._bytes_read, self._press.lines.lines_read, self._press.lines.empty)
        self._writing = asyncio.create_task(self._write(pressed, counted))

    async def _written(self) -> None:
        if self._writing is not None:
            writing, self._writing = self._writing, None
            await writing

    async def _write(self, pressed: Pressed, counted: tuple[int, int, int]) -> None:
        starts = range(0, max(len(pressed.codes), 1), ROWS_AT_ONCE)
        for start in starts:
            codes = pressed.codes[start : start + ROWS_AT_ONCE]
            await self._write_piece(codes, pressed.refused if start == 0 else [], counted)
        if self._on_progress is not None:
            self._on_progress(self._progress(counted))

    async def _write_piece(
        self, codes: list[PressedCode], refused: list[RefusedLine], counted: tuple[int, int, int]
    ) -> None:
        async with self._pool.acquire() as connection, connection.transaction():
            # Losing the last pieces in a crash is harmless, the import is cleaned up either way; its end waits for
            # the disk.
            await connection.execute("SET LOCAL synchronous_commit = off")
            hopeful = not self._duplicate_elsewhere
            losers = await rows.claim(connection, self._about.shop_id, codes, hopeful=hopeful) if codes else []
            if losers:
                refused = refused + _refusals_of(losers, codes, self._about.shop_id)
                lost = {one.code_id for one in losers}
                codes = [one for one in codes if one.code_id not in lost]
            position = self._tree.size
            await asyncio.to_thread(self._grow, codes)
            await rows.put(connection, self._about, codes, position)
            await rows.refuse(connection, self._about, refused)
            self._refused += len(refused)
            in_file = sum(line.reason is Reason.DUPLICATE_IN_FILE for line in refused)
            self._duplicate_in_file += in_file
            self._duplicate_elsewhere += len(losers)
            now = moment(self._now_ms())
            if not await rows.go_on(connection, self._about, self._attempt, self._progress(counted), now):
                raise ImportWasAbandoned(import_id=str(self._about.import_id))

    def _grow(self, codes: list[PressedCode]) -> None:
        for one in codes:
            self._tree.add(one.leaf)

    def _progress(self, counted: tuple[int, int, int]) -> ImportProgress:
        bytes_read, lines_read, empty = counted
        return ImportProgress(
            bytes_read=bytes_read,
            lines_read=lines_read,
            empty=empty,
            accepted=self._tree.size,
            refused=self._refused,
            duplicate_in_file=self._duplicate_in_file,
            duplicate_elsewhere=self._duplicate_elsewhere,
        )

    async def _end(self) -> Staged:
        lines = self._press.lines
        shape = lines.format or LineFormat()
        staged = Staged(
            import_id=str(self._about.import_id),
            count=self._tree.size,
            root=self._tree.root(),
            progress=self._progress((self._bytes_read, lines.lines_read, lines.empty)),
            encoding=lines.encoding,
            delimiter=shape.delimiter,
            columns_taken=shape.taken,
            columns_ignored=shape.ignored,
        )
        async with self._pool.acquire() as connection, connection.transaction():
            if not await rows.staged(connection, self._about, self._attempt, staged, moment(self._now_ms())):
                raise ImportWasAbandoned(import_id=str(self._about.import_id))
        return staged


def _refusals_of(losers: Sequence[ClaimedElsewhere], codes: Sequence[PressedCode], shop_id: UUID) -> list[RefusedLine]:
    owner_of = {loser.code_id: loser.owner for loser in losers}
    return [
        RefusedLine(
            one.line_no,
            Reason.ALREADY_IN_YOUR_VAULT if owner_of[one.code_id] == shop_id else Reason.ALREADY_DEPOSITED,
            masked(one.text),
        )
        for one in codes
        if one.code_id in owner_of
    ]


def _as_rows(refused: Sequence[RefusedLine]) -> list[RefusedRow]:
    return [RefusedRow(*line) for line in sorted(refused)]
