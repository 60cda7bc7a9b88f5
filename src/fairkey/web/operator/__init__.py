"""The operator's floor: what waits for him, shops, complaints, money without a home, audit trail, health."""

from typing import Any

from fairkey.web.operator import admission, batches, deposits, erasure, floor, issuers, money, quarrels, shops

HANDLERS: list[Any] = [
    *floor.HANDLERS,
    *shops.HANDLERS,
    *admission.HANDLERS,
    *quarrels.HANDLERS,
    *batches.HANDLERS,
    *money.HANDLERS,
    *deposits.HANDLERS,
    *issuers.HANDLERS,
    *erasure.HANDLERS,
]
