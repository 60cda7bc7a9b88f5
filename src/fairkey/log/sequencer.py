"""The one writer of the log: indexes, tiles, signed heads, cosignatures, the published checkpoint, in this order.

    1. committed events get indexes, durably
    2. bundles and tiles are written, durably
    3. the root is computed from what was read back, and must extend the last signed root
    4. the head is signed and stored, if this process still is the writer and the last head is the one it knows
    5. witnesses are asked; when they are enough, the checkpoint is noted as published, and published

Nothing is undone and nothing is patched: whatever goes wrong, the writer lets go of the lease and begins again at the
top (`starting.py`), where it believes only what database, tiles and witnesses have. Each step before the signature
may have happened or not, any number of times, with the same result, because indexes are never given twice.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial

from fairkey.proofs.checkpoints import Checkpoint, sign_checkpoint
from fairkey.proofs.merkle import EMPTY_ROOT
from fairkey.proofs.notes import read_note, verified_signatures, with_signatures
from fairkey.proofs.policies import Policy
from fairkey.proofs.tiles import TILE_WIDTH, bundles_of, tiles_of

from .ports import (
    Head,
    LogLease,
    LogRefuses,
    LogWriting,
    Lost,
    OwnLog,
    StoreFailed,
    StoreIsBroken,
    TileStore,
    Witnesses,
)
from .starting import begun, publish_again
from .tile_reading import consistency_proof
from .tile_writing import Edge, WrittenIsDifferent, check_written, grow

ENTRIES_AT_ONCE = 4_096
STEPS_BETWEEN_LOOKS = 60
REFUSED_PAUSE_S = 5.0

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSetting:
    """Where a log's tiles lie, who its witnesses are, and how many of them are enough."""

    own: OwnLog
    store: TileStore
    witnesses: Witnesses
    policy: Policy


class LogWriter:
    """Grows one log, step by step, while this process holds the lease. Any exception ends it."""

    def __init__(self, writing: LogWriting, setting: LogSetting, *, rows: int, edge: Edge, head: Head | None) -> None:
        """`starting.begun` says what to begin with. `rows`: entries that have an index."""
        self._writing = writing
        self._setting = setting
        self._rows = rows
        self._edge = edge
        self._head = head
        self._told: tuple[str, Mapping[str, str]] | None = None
        self._steps = 0

    @property
    def size(self) -> int:
        """How many entries the last signed head covers."""
        return self._edge.size

    async def step(self) -> bool:
        """One look at everything: whether there is more to do at once. Raises `Lost`, `StoreFailed`, `LogRefuses`."""
        room = ENTRIES_AT_ONCE - (self._rows - self._edge.size)
        taken = await self._writing.harvest(self._rows, room) if room > 0 else 0
        self._rows += taken
        if self._head is None or self._rows > self._edge.size:
            await self._sign(min(self._rows, self._edge.size + ENTRIES_AT_ONCE))
        if self._head is not None and self._head.cosigned is None:
            await self._publish(self._head)
        self._steps += 1
        if self._steps % STEPS_BETWEEN_LOOKS == 0:
            await publish_again(self._writing, self._setting.store)
        await self._tell("")
        return taken == room or self._rows > self._edge.size

    async def _sign(self, size: int) -> None:
        """Write the tiles up to `size`, and sign what lies in them then."""
        before, head = self._edge, self._head
        entries = await self._writing.entries(before.size, size)
        if [entry.log_index for entry in entries] != list(range(before.size, size)):
            raise LogRefuses(
                f"Entries between {before.size} and {size} are missing from the database: events or rows of the log "
                "were deleted. Bring back a backup that has them."
            )
        root = EMPTY_ROOT
        edge = before
        if entries:
            files, edge = await asyncio.to_thread(grow, before, [entry.body for entry in entries])
            await self._setting.store.put(files)
            found = await self._setting.store.read(list(files))
            written = {path: data for path, data in zip(files, found, strict=True) if data is not None}
            checked = partial(
                check_written,
                before=before,
                root_before=head.root if head else EMPTY_ROOT,
                size=size,
                written=written,
                leaves=[entry.leaf for entry in entries],
            )
            try:
                root = await asyncio.to_thread(checked)
            except WrittenIsDifferent as different:
                raise LogRefuses(
                    f"What lies in the tiles is not what was recorded: {different}. Nothing was signed over it. If it "
                    "comes again, check memory and disk of this machine, and ask fairkey audit about the events."
                ) from different
        note = sign_checkpoint(Checkpoint(self._setting.own.origin, size, root), self._setting.own.key).encode()
        signed = Head(size, root, note, None)
        await self._writing.add_head(signed, size_before=head.size if head else -1)
        self._head, self._edge = signed, edge
        await self._remove_outgrown(before.size, size)

    async def _remove_outgrown(self, size_before: int, size: int) -> None:
        """Partial tiles of tiles that are full now; the full ones begin with the same bytes."""
        if size_before // TILE_WIDTH != size // TILE_WIDTH:
            await self._setting.store.remove_partials(grown_full(size_before, size))

    async def _publish(self, head: Head) -> None:
        """Ask the witnesses, and publish when they are enough."""
        setting = self._setting
        note = read_note(head.note)
        if setting.policy.witnesses:
            prove = partial(self._prove, head.size)
            note = with_signatures(note, await setting.witnesses.cosign(note, prove))
        names = {witness.key: witness.name for witness in setting.policy.witnesses}
        cosigned_by = {names[one.key] for one in verified_signatures(note, names)}
        if not setting.policy.is_met_by(cosigned_by):
            return
        cosigned = note.encode()
        await self._writing.publish(head.size, cosigned)
        await setting.store.publish(cosigned)
        self._head = head._replace(cosigned=cosigned)

    async def _prove(self, size: int, size_before: int) -> list[bytes]:
        return list(await consistency_proof(self._setting.store, size_before, size))

    async def _tell(self, refusal: str) -> None:
        told = (refusal, dict(self._setting.witnesses.answers))
        if told != self._told:
            await self._writing.tell(refusal=refusal, answers=told[1])
            self._told = told


def grown_full(size_before: int, size: int) -> list[str]:
    """The paths of tiles and bundles that were not full at `size_before` and are at `size`."""
    names = [*tiles_of(size, above=size_before), *bundles_of(size, above=size_before)]
    return [name.path for name in names if name.width == TILE_WIDTH]


class Sequencer:
    """Holds the lease when it can, and writes while it does."""

    def __init__(
        self,
        lease: LogLease,
        setting_of: Callable[[int], Awaitable[LogSetting]],
        *,
        period_s: float,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`setting_of` gives what belongs to the log of a number; `period_s` is how long new events are collected."""
        self._lease = lease
        self._setting_of = setting_of
        self._period_s = period_s
        self._pause = pause
        self._said = ""

    async def run(self) -> None:
        """Write until cancelled, or until the disk cannot be believed any more (`StoreIsBroken`)."""
        while True:
            pause_s = self._period_s
            try:
                await self._hold()
            except Lost as lost:
                self._say(logging.INFO, f"the log is not written by this process now: {lost}")
            except StoreIsBroken as broken:
                self._say(
                    logging.CRITICAL,
                    f"{broken}. This process writes no more of the log; look after the disk, then start it again.",
                )
                raise
            except (LogRefuses, StoreFailed):
                pause_s = max(REFUSED_PAUSE_S, self._period_s)
            except Exception:  # the writer outlives any failure: it begins again from what lies in tables and tiles
                logger.exception("the log's writer failed; it begins again")
            await self._pause(pause_s)

    async def _hold(self) -> None:
        async with self._lease.held() as writing:
            if writing is None:
                return
            try:
                setting = await self._setting_of(writing.log_no)
                writer = await begin(writing, setting)
                await self._write(writer, f"this process writes the log {setting.own.origin}")
            except (LogRefuses, StoreFailed) as refused:
                why = str(refused)
                if isinstance(refused, StoreFailed):
                    why = f"The tiles of the log could not be read or written: {refused}."
                self._say(logging.ERROR, f"nothing is signed in the log: {why}")
                await writing.tell(refusal=why, answers={})
                raise

    async def _write(self, writer: LogWriter, sentence: str) -> None:
        loop = asyncio.get_running_loop()
        while True:
            started_s = loop.time()
            has_more = await writer.step()
            self._say(logging.INFO, sentence)
            if not has_more:
                await self._pause(max(0.0, self._period_s - (loop.time() - started_s)))

    def _say(self, level: int, sentence: str) -> None:
        """Once, until something else is to be said."""
        if sentence != self._said:
            self._said = sentence
            logger.log(level, "%s", sentence)


async def begin(writing: LogWriting, setting: LogSetting) -> LogWriter:
    """The writer, when the log may be written. Raises `LogRefuses`."""
    rows, edge, head = await begun(writing, setting.own, setting.store, setting.witnesses, setting.policy)
    return LogWriter(writing, setting, rows=rows, edge=edge, head=head)
