"""Whether the vault holds what it must: every code for sale is in it, every fingerprint is claimed once and by the
right code, every batch still has the root it was registered under, and every code opens to what was committed to.
"""

from collections.abc import AsyncIterator
from typing import Final, NamedTuple
from uuid import UUID

import asyncpg

from fairkey.adapters.vault.keys import Keys
from fairkey.adapters.vault.opening import Vault
from fairkey.engine.vault_port import VaultIsCorrupt
from fairkey.proofs.merkle import MerkleRoot, leaf_hash

OPENED_AT_ONCE: Final = 1_000
NAMED_AT_MOST: Final = 100  # of each kind: who has more wants the count, not the list


class VaultFinding(NamedTuple):
    """Something that must not be. `where` names shop and code or batch, never a text."""

    what: str
    where: str


_CHECKS: Final = (
    (
        "a code is not in the vault",
        """
        SELECT c.shop_id, c.code_id AS id FROM codes c LEFT JOIN vault v USING (shop_id, code_id)
        WHERE v.code_id IS NULL LIMIT $1
        """,
    ),
    (
        "the fingerprint of a code is not claimed for it",
        """
        SELECT v.shop_id, v.code_id AS id FROM vault v LEFT JOIN fingerprints f USING (fingerprint)
        WHERE (f.shop_id, f.code_id) IS DISTINCT FROM (v.shop_id, v.code_id) LIMIT $1
        """,
    ),
    (
        "a fingerprint is claimed for a code that is not in the vault",
        """
        SELECT f.shop_id, f.code_id AS id FROM fingerprints f LEFT JOIN vault v USING (shop_id, code_id)
        WHERE v.fingerprint IS DISTINCT FROM f.fingerprint LIMIT $1
        """,
    ),
    (
        "a code is for sale whose import was never registered",
        """
        SELECT i.shop_id, i.import_id AS id FROM imports i
        WHERE i.state IN ('receiving', 'failed', 'abandoned') AND i.listing_id IS NOT NULL AND EXISTS (
            SELECT FROM codes c WHERE c.shop_id = i.shop_id AND c.batch_id = i.import_id
        ) LIMIT $1
        """,
    ),
)


async def audit_vault(pool: asyncpg.Pool, keys: Keys, *, open_all: bool = False) -> AsyncIterator[VaultFinding]:
    """What is off, in one consistent view of the tables. `open_all` also opens every code (about 20,000 a second)."""
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        for what, query in _CHECKS:
            for row in await connection.fetch(query, NAMED_AT_MOST):
                yield VaultFinding(what, f"{row['shop_id']}/{row['id']}")
        async for finding in _other_roots(connection):
            yield finding
    if open_all:
        async for finding in _unopenable(pool, keys):
            yield finding


async def _other_roots(connection: asyncpg.pool.PoolConnectionProxy) -> AsyncIterator[VaultFinding]:
    """Batches whose commitments no longer have the root under which they were staged, or whose positions have gaps."""
    batch: tuple[UUID, UUID] | None = None
    tree, root, gap = MerkleRoot(), b"", False
    query = """
        SELECT i.shop_id, i.import_id, i.root, v.position, v.commitment
        FROM imports i JOIN vault v ON v.shop_id = i.shop_id AND v.batch_id = i.import_id
        WHERE i.state IN ('staged', 'registered') AND i.root IS NOT NULL
        ORDER BY i.shop_id, i.import_id, v.position
    """
    async for row in connection.cursor(query, prefetch=OPENED_AT_ONCE):
        if (row["shop_id"], row["import_id"]) != batch:
            if batch is not None and (gap or tree.root() != root):
                yield VaultFinding("a batch no longer has its root", f"{batch[0]}/{batch[1]}")
            batch, tree, root, gap = (row["shop_id"], row["import_id"]), MerkleRoot(), row["root"], False
        gap = gap or row["position"] != tree.size
        tree.add(leaf_hash(row["commitment"]))
    if batch is not None and (gap or tree.root() != root):
        yield VaultFinding("a batch no longer has its root", f"{batch[0]}/{batch[1]}")


async def _unopenable(pool: asyncpg.Pool, keys: Keys) -> AsyncIterator[VaultFinding]:
    vault = Vault(pool, keys)
    after = (UUID(int=0), UUID(int=0))
    while page := await pool.fetch(
        "SELECT shop_id, code_id FROM vault WHERE (shop_id, code_id) > ($1, $2) ORDER BY shop_id, code_id LIMIT $3",
        *after,
        OPENED_AT_ONCE,
    ):
        after = (page[-1]["shop_id"], page[-1]["code_id"])
        of_shop: dict[str, list[str]] = {}
        for row in page:
            of_shop.setdefault(str(row["shop_id"]), []).append(str(row["code_id"]))
        for shop_id, code_ids in of_shop.items():
            async for finding in _try_all(vault, shop_id, code_ids):
                yield finding


async def _try_all(vault: Vault, shop_id: str, code_ids: list[str]) -> AsyncIterator[VaultFinding]:
    """All together; only when that fails one by one, to name each that is off."""
    try:
        await vault.open_codes(shop_id, code_ids)
    except VaultIsCorrupt:
        for code_id in code_ids:
            try:
                await vault.open_codes(shop_id, [code_id])
            except VaultIsCorrupt as corrupt:
                # Dropped since the page was read: an unregistered import that was cleaned up.
                if corrupt.why != "it is not in the vault":
                    yield VaultFinding(corrupt.why, f"{shop_id}/{code_id}")
