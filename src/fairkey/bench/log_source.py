"""Events for the benchmark of the log: a process that makes leaves of ten salted commitments and commits them."""

import asyncio
import secrets
import uuid
from collections.abc import Mapping
from typing import Any

import asyncpg
import msgspec

from fairkey.proofs.commitments import commitment
from fairkey.proofs.leaf import salt_of
from fairkey.proofs.merkle import leaf_hash

from .parts import answer_questions

COMMITMENTS = 10
AT_ONCE = 64
CONNECTIONS = 3

INSERT = """
INSERT INTO events (shop_id, stream_kind, stream_id, version, kind, at, body, leaf_hash, command_id)
SELECT $1, 'order', stream_id, 1, 'order.placed', now(), body, leaf_hash, 'bench'
FROM unnest($2::uuid[], $3::bytea[], $4::bytea[]) AS new (stream_id, body, leaf_hash)
"""
SHOP = uuid.UUID(int=1)


def body_of(stream_id: uuid.UUID) -> bytes:
    """The bytes of an event with ten sealed fields, each under a salt of its own."""
    key = secrets.token_bytes(32)
    names = [f"field_{number}" for number in range(COMMITMENTS)]
    return msgspec.json.encode(
        {
            "at": 1_760_000_000_000,
            "kind": "order.placed",
            "prev": "00" * 32,
            "public": {"quantity": 1},
            "sealed": {name: commitment(salt_of(key, name), name, f"value of {name}")[0].hex() for name in names},
            "shop": str(SHOP),
            "stream": f"order:{stream_id}",
            "v": 1,
            "version": 1,
        },
        order="sorted",
    )


async def commit(connection: asyncpg.Connection, count: int) -> None:
    """`count` events in one durable transaction."""
    streams = [uuid.uuid4() for _ in range(count)]
    bodies = [body_of(stream) for stream in streams]
    await connection.execute(INSERT, SHOP, streams, bodies, [leaf_hash(body) for body in bodies])


async def _commit_all(dsn: str, total: int) -> None:
    connections = [await asyncpg.connect(dsn) for _ in range(CONNECTIONS)]
    left = iter(range(0, total, AT_ONCE))

    async def work(connection: asyncpg.Connection) -> None:
        for first in left:
            await commit(connection, min(AT_ONCE, total - first))
        await connection.close()

    await asyncio.gather(*(work(connection) for connection in connections))


def _answer(question: dict[str, Any]) -> Mapping[str, Any]:
    asyncio.run(_commit_all(question["dsn"], question["events"]))
    return {"events": question["events"]}


if __name__ == "__main__":
    answer_questions(_answer)
