"""Opening codes. Every opened code is checked against its commitment, so nobody is ever shown another code than the
one deposited.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import asyncpg

from fairkey.adapters.vault.keys import KeyIsUnknown, Keys, SealIsBroken
from fairkey.adapters.vault.pressing import is_committed
from fairkey.engine.vault_port import ExportedCode, OpenedCode, VaultIsCorrupt
from fairkey.proofs.commitments import SALT_BYTES

EXPORTED_AT_ONCE: Final = 1_000


@dataclass(slots=True)
class _Call:
    shop_id: str
    code_ids: list[UUID]
    answer: asyncio.Future[dict[str, OpenedCode]]


class Vault:
    """Opens codes for one process. Implements `fairkey.engine.vault_port.CodeVault`."""

    def __init__(self, pool: asyncpg.Pool, keys: Keys) -> None:
        self._pool = pool
        self._keys = keys
        self._calls: list[_Call] = []
        self._answering: set[asyncio.Task[None]] = set()

    async def open_codes(self, shop_id: str, code_ids: Sequence[str]) -> dict[str, OpenedCode]:
        """See `CodeVault.open_codes`. Waits for the other callers of this turn of the event loop, then one query
        answers all.
        """
        if not code_ids:
            return {}
        loop = asyncio.get_running_loop()
        call = _Call(str(UUID(shop_id)), [UUID(code_id) for code_id in code_ids], loop.create_future())
        self._calls.append(call)
        if len(self._calls) == 1:
            loop.call_soon(self._answer_all)
        return await call.answer

    def _answer_all(self) -> None:
        calls, self._calls = self._calls, []
        task = asyncio.get_running_loop().create_task(self._answer(calls))
        self._answering.add(task)  # the loop itself holds tasks only weakly
        task.add_done_callback(self._answering.discard)

    async def _answer(self, calls: list[_Call]) -> None:
        try:
            wanted = sorted({(call.shop_id, str(code_id)) for call in calls for code_id in call.code_ids})
            found = await self._pool.fetch(
                """
                SELECT v.shop_id, v.code_id, v.sealed, v.commitment
                FROM unnest($1::uuid[], $2::uuid[]) AS w (shop_id, code_id) JOIN vault v USING (shop_id, code_id)
                """,
                [shop_id for shop_id, _ in wanted],
                [code_id for _, code_id in wanted],
            )
            if not all(self._keys.knows_key_of(row["sealed"]) for row in found if row["sealed"] is not None):
                await self._keys.refresh()
            sealed_of = {(str(row["shop_id"]), str(row["code_id"])): row for row in found}
            for call in calls:
                _settle(call, self._keys, sealed_of)
        except Exception as error:  # noqa: BLE001 - handed to every caller; here it would be lost
            for call in calls:
                if not call.answer.done():
                    call.answer.set_exception(error)

    async def export_unsold(
        self, shop_id: str, *, listing_id: str, batch_id: str | None = None
    ) -> AsyncIterator[ExportedCode]:
        """See `CodeVault.export_unsold`. Read in pages, each as of its own moment: no long transaction holds the
        tables.
        """
        after = UUID(int=0)
        while True:
            page = await self._pool.fetch(
                """
                SELECT v.code_id, v.batch_id, v.position, v.sealed, v.commitment
                FROM codes c JOIN vault v USING (shop_id, code_id)
                WHERE c.shop_id = $1 AND c.listing_id = $2 AND c.is_free AND c.code_id > $3
                    AND ($4::uuid IS NULL OR c.batch_id = $4)
                ORDER BY c.code_id LIMIT $5
                """,
                UUID(shop_id),
                UUID(listing_id),
                after,
                UUID(batch_id) if batch_id else None,
                EXPORTED_AT_ONCE,
            )
            if not all(self._keys.knows_key_of(row["sealed"]) for row in page):
                await self._keys.refresh()
            for row in page:
                opened = _open(self._keys, shop_id, str(row["code_id"]), row)
                yield ExportedCode(str(row["code_id"]), str(row["batch_id"]), row["position"], opened.text)
            if len(page) < EXPORTED_AT_ONCE:
                return
            after = page[-1]["code_id"]


def _settle(call: _Call, keys: Keys, sealed_of: dict[tuple[str, str], asyncpg.Record]) -> None:
    """One caller's answer; a code that is corrupt fails its own caller and no other."""
    if call.answer.done():  # the caller was cancelled meanwhile
        return
    opened = {}
    try:
        for code_id in map(str, call.code_ids):
            opened[code_id] = _open(keys, call.shop_id, code_id, sealed_of.get((call.shop_id, code_id)))
    except VaultIsCorrupt as error:
        call.answer.set_exception(error)
    else:
        call.answer.set_result(opened)


def _open(keys: Keys, shop_id: str, code_id: str, row: asyncpg.Record | None) -> OpenedCode:
    if row is None:
        raise VaultIsCorrupt(shop_id, code_id, "it is not in the vault")
    if row["sealed"] is None:
        return OpenedCode("", b"", row["commitment"])
    try:
        plaintext = keys.open("codes", row["code_id"].bytes, row["sealed"])
        salt, text = plaintext[:SALT_BYTES], plaintext[SALT_BYTES:].decode("utf-8")
    except KeyIsUnknown as error:
        raise VaultIsCorrupt(shop_id, code_id, "its data key is missing") from error
    except SealIsBroken as error:
        raise VaultIsCorrupt(shop_id, code_id, "its seal is broken") from error
    if not is_committed(row["commitment"], salt, row["code_id"], text):
        raise VaultIsCorrupt(shop_id, code_id, "it is not the code that was committed to")
    return OpenedCode(text, salt, row["commitment"])
