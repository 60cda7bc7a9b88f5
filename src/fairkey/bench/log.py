"""How fast the public log grows, durable, and whether it stays so: events with ten salted commitments each, committed
by one process and sequenced by another (indexes, bundles, tiles, fsync, signature), beside the plain SHA-256 limit.
"""

import argparse
import asyncio
import hashlib
import socket
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import httpx

from fairkey.adapters.log.folder import FolderTiles
from fairkey.adapters.postgres.log_keys import LogKeys
from fairkey.adapters.postgres.log_writing import PostgresLogLease
from fairkey.app import open_house
from fairkey.app.log_places import log_origin, tile_store
from fairkey.app.log_wiring import witnesses_of, write_log
from fairkey.log.sequencer import LogSetting, LogWriter, begin
from fairkey.log.tile_reading import inclusion_proof
from fairkey.proofs.checkpoints import open_checkpoint
from fairkey.proofs.merkle import check_inclusion, leaf_hash
from fairkey.proofs.tiles import ENTRIES, TILE_WIDTH, TileName, decode_bundle
from fairkey.witness.seen import begin as begin_witness

from . import log_source, world
from .parts import Part

MEASURED_AT = (10_000, 1_000_000)
SAMPLE = 10_000
FILL_AT_ONCE = 50_000
COLLECT_S = 0.05
START_S = 60.0
WITNESSES = ("bench-witness-1.example", "bench-witness-2.example")
EVERY_S = 0.237  # no part of a period, so that events come at every moment of it
LIMIT_S = 1.0

# Entries that cost nothing to make, so that a large log is reached soon; what is written of them is the same.
FILL = """
INSERT INTO events (shop_id, stream_kind, stream_id, version, kind, at, body, leaf_hash, command_id)
SELECT $1, 'order', gen_random_uuid(), 1, 'order.placed', now(), body, sha256('\\x00'::bytea || body), 'bench'
FROM generate_series(1, $2::int) AS number, convert_to(rpad(number::text, 900, 'x'), 'UTF8') AS body
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Options of `fairkey bench log`."""
    parser.add_argument("--entries", type=int, default=MEASURED_AT[1], help="size of the log that is grown to")
    parser.add_argument("--events", type=int, default=30_000, help="events that are committed and sequenced at once")
    parser.add_argument("--receipts", type=int, default=60, help="events whose way to a checkpoint is timed")


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """{events_per_s, sha256_per_s, flat_ratio: cost of an event at the full size over that at 10^4, receipt_p50_ms,
    receipt_p99_ms: from the commit to the published checkpoint at a period of 1 s, verify_per_s, ...}.
    """
    with world.ground() as at:
        return asyncio.run(_measure(at, options.entries, options.events, options.receipts))


async def _measure(at: world.Ground, entries: int, events: int, receipts: int) -> dict[str, Any]:
    limit = _sha256_per_s()
    rate = await _events_per_s(at, events)
    receipt_ms = await _receipts_ms(at, receipts)
    growing = await _growing(at, entries)
    return {
        "events_per_s": round(rate, 1),
        "sha256_per_s": round(limit),
        **growing,
        "receipt_p50_ms": round(_quantile(receipt_ms, 0.50), 1),
        "receipt_p99_ms": round(_quantile(receipt_ms, 0.99), 1),
        "events": events,
    }


def _sha256_per_s() -> float:
    """Plain SHA-256 of two hashes and a prefix, as every node of a tree is made, on one core."""
    data, count, started = bytes(65), 0, time.perf_counter()
    while time.perf_counter() - started < LIMIT_S:
        for _ in range(1_000):
            hashlib.sha256(data).digest()
        count += 1_000
    return count / (time.perf_counter() - started)


@asynccontextmanager
async def _writer(at: world.Ground, name: str, dsn: str) -> AsyncIterator[tuple[LogWriter, LogSetting]]:
    """A writer of the log of this database, and what it writes to."""
    settings = at.settings(dsn, FAIRKEY_STATE_DIR=str(at.folder / name))
    async with AsyncExitStack() as stack:
        opened = await stack.enter_async_context(open_house(settings, dsn))
        own = await LogKeys(opened.pool, opened.keys, opened.house.now_ms).newest(log_origin(settings))
        policy, witnesses = await witnesses_of(settings, own, stack)
        setting = LogSetting(own=own, store=tile_store(settings, own.log_no), witnesses=witnesses, policy=policy)
        writing = await stack.enter_async_context(PostgresLogLease(dsn, opened.house.now_ms).held())
        if writing is None:
            raise RuntimeError("somebody else writes the log of a benchmark")
        yield await begin(writing, setting), setting


async def _events_per_s(at: world.Ground, events: int) -> float:
    """From the first commit until a signed head covers the last event."""
    dsn = await world.make_database(at, "bench_log")
    async with _writer(at, "events", dsn) as (writer, _):
        await writer.step()
        with Part("fairkey.bench.log_source", {}) as source:
            await asyncio.to_thread(source.ask, {"dsn": dsn, "events": log_source.AT_ONCE})  # it is awake now
            started = time.perf_counter()
            committing = asyncio.create_task(asyncio.to_thread(source.ask, {"dsn": dsn, "events": events}))
            while writer.size < events + log_source.AT_ONCE:
                if not await writer.step() and not committing.done():
                    await asyncio.sleep(COLLECT_S)
            took_s = time.perf_counter() - started
            await committing
    return events / took_s


@asynccontextmanager
async def _witnesses(folder: Path, log_vkey: str) -> AsyncIterator[Path]:
    """Two witnesses, each a process of its own, both of whom must cosign; the policy file that names them."""
    lines = [f"log {log_vkey}"]
    async with AsyncExitStack() as stack:
        for name in WITNESSES:
            key = begin_witness(folder / name, name)
            with socket.create_server(("127.0.0.1", 0)) as free:
                port = str(free.getsockname()[1])
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "fairkey.main", "witness", "serve", "--state", str(folder / name)),
                *("--log", log_vkey, "--port", port),
                stderr=asyncio.subprocess.DEVNULL,
            )
            stack.push_async_callback(_end, process)
            await _until_it_answers(f"http://127.0.0.1:{port}/", process)
            lines.append(f"witness {name} {key.verifier} http://127.0.0.1:{port}")
        policy = folder / "policy"
        text = "\n".join([*lines, f"group both all {' '.join(WITNESSES)}", "quorum both", ""])
        await asyncio.to_thread(policy.write_text, text, encoding="utf-8")
        yield policy


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()
    await process.wait()


async def _until_it_answers(url: str, process: asyncio.subprocess.Process) -> None:
    async with asyncio.timeout(START_S), httpx.AsyncClient(trust_env=False) as http:
        while process.returncode is None:
            try:
                await http.get(url)
            except httpx.TransportError:
                await asyncio.sleep(0.05)
            else:
                return
    msg = f"a witness ended at once, with {process.returncode}"
    raise RuntimeError(msg)


async def _receipts_ms(at: world.Ground, count: int) -> list[float]:
    """How long after its commit each of `count` events is covered by the published checkpoint, which two witnesses have
    cosigned; a period is 1 s.
    """
    dsn = await world.make_database(at, "bench_receipts")
    settings = at.settings(dsn, FAIRKEY_STATE_DIR=str(at.folder / "receipts"))
    waits_ms: list[float] = []
    async with AsyncExitStack() as stack:
        async with open_house(settings, dsn) as opened:
            own = await LogKeys(opened.pool, opened.keys, opened.house.now_ms).newest(log_origin(settings))
        policy = await stack.enter_async_context(_witnesses(at.folder / "witnesses", str(own.key.verifier)))
        settings = at.settings(dsn, FAIRKEY_STATE_DIR=str(at.folder / "receipts"), FAIRKEY_WITNESSES=str(policy))
        opened = await stack.enter_async_context(open_house(settings, dsn))
        writing = asyncio.create_task(write_log(opened, dsn))
        try:
            every = (_receipt(opened.pool, number * EVERY_S, waits_ms) for number in range(count))
            await asyncio.gather(*every)
        finally:
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)
    return waits_ms


PUBLISHED = """
SELECT max(size) FROM log_heads WHERE published_at IS NOT NULL
"""
INDEX_OF = "SELECT log_index FROM log_entries JOIN events USING (recorded) WHERE body = $1"


async def _receipt(pool: asyncpg.Pool, after_s: float, waits_ms: list[float]) -> None:
    await asyncio.sleep(after_s)
    stream = uuid4()
    body = log_source.body_of(stream)
    await pool.execute(log_source.INSERT, log_source.SHOP, [stream], [body], [leaf_hash(body)])
    committed = time.perf_counter()
    while True:
        index = await pool.fetchval(INDEX_OF, body)
        if index is not None and ((await pool.fetchval(PUBLISHED)) or 0) > index:
            waits_ms.append((time.perf_counter() - committed) * 1000)
            return
        await asyncio.sleep(0.01)


async def _growing(at: world.Ground, entries: int) -> dict[str, Any]:
    """Cost of an event while the log is small and when it has `entries`; proofs and their checks at the end."""
    dsn = await world.make_database(at, "bench_large")
    connection = await asyncpg.connect(dsn)
    costs_us = []
    try:
        async with _writer(at, "large", dsn) as (writer, setting):
            await writer.step()
            for size in (min(MEASURED_AT[0], entries), entries):
                while writer.size < size - SAMPLE:
                    await connection.execute(FILL, log_source.SHOP, min(FILL_AT_ONCE, size - SAMPLE - writer.size))
                    await _all(writer)
                await log_source.commit(connection, SAMPLE)
                await connection.execute("CHECKPOINT")  # what the filling left to be written does not count
                started = time.perf_counter()
                await _all(writer)
                costs_us.append((time.perf_counter() - started) / SAMPLE * 1e6)
            verified = await _verify_per_s(writer, setting)
        await log_source.commit(connection, 1)
        started = time.perf_counter()
        async with _writer(at, "large", dsn) as (writer, _):
            await _all(writer)
            taken_over_ms = (time.perf_counter() - started) * 1000
    finally:
        await connection.close()
    return {
        "flat_ratio": round(costs_us[1] / costs_us[0], 3),
        "entries": writer.size,
        "small_us": round(costs_us[0], 1),
        "large_us": round(costs_us[1], 1),
        "takeover_ms": round(taken_over_ms, 1),
        **verified,
    }


async def _all(writer: LogWriter) -> None:
    while await writer.step():
        pass


async def _verify_per_s(writer: LogWriter, setting: LogSetting) -> dict[str, Any]:
    """How many proofs a core checks in a second, the checkpoint's signature each time; how many files one needs."""
    data = await setting.store.published()
    if data is None:
        raise RuntimeError("nothing was published")
    size = writer.size
    read: list[int] = []

    class Counting(FolderTiles):
        async def read(self, paths: Sequence[str]) -> list[bytes | None]:
            read.append(len(paths))
            return await super().read(paths)

    assert isinstance(setting.store, FolderTiles)
    store = Counting(setting.store.folder)
    cases = []
    for index in range(0, size, max(1, size // 50)):
        name = TileName(ENTRIES, index // TILE_WIDTH, min(TILE_WIDTH, size - index // TILE_WIDTH * TILE_WIDTH))
        (bundle,) = await setting.store.read([name.path])
        entry = decode_bundle(bundle or b"", index % TILE_WIDTH + 1)[index % TILE_WIDTH]
        cases.append((index, entry, await inclusion_proof(store, index, size)))
    count, started = 0, time.perf_counter()
    while time.perf_counter() - started < LIMIT_S:
        for index, entry, proof in cases:
            checkpoint, _ = open_checkpoint(data, setting.own.key.verifier)
            check_inclusion(leaf=leaf_hash(entry), index=index, size=size, proof=proof, root=checkpoint.root)
        count += len(cases)
    return {"verify_per_s": round(count / (time.perf_counter() - started)), "files_a_proof": max(read)}


def _quantile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
