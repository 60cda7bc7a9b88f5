"""What a confirmed fact says of the purchase."""

from datetime import datetime
from typing import Final

from msgspec import structs

from fairkey.casework.model import ConfirmedFact, FactKind, FactRole, Purchase

_TEXTS: Final = {
    FactKind.ORDER_NUMBER: "order_number",
    FactKind.SHOP: "shop",
    FactKind.PLATFORM: "platform",
    FactKind.TRANSACTION: "transaction",
    FactKind.PRODUCT: "product",
}
_TIMES: Final = {
    FactRole.ORDERED: "ordered_at_ms",
    FactRole.PAID: "paid_at_ms",
    FactRole.DELIVERED: "delivered_at_ms",
    FactRole.PROBLEM: "problem_at_ms",
}


def purchase_with(purchase: Purchase, fact: ConfirmedFact) -> Purchase:
    """The purchase with what the fact tells of it; facts that tell nothing of it leave it as it is."""
    if fact.kind in _TEXTS:
        return structs.replace(purchase, **{_TEXTS[fact.kind]: str(fact.value)})
    if fact.kind is FactKind.AMOUNT and fact.role is FactRole.PAID:
        return structs.replace(purchase, amount_fen=int(fact.value))
    if fact.kind is FactKind.TIME and fact.role in _TIMES:
        at_ms = round(datetime.fromisoformat(str(fact.value)).timestamp() * 1000)
        return structs.replace(purchase, **{_TIMES[fact.role]: at_ms})
    return purchase
