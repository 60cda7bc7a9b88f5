"""What a confirmed fact says of the purchase."""

import hashlib
from datetime import datetime
from typing import Final

from msgspec import structs

from fairkey.casework.folder import CaseIsRefused
from fairkey.casework.model import Case, ConfirmedFact, FactKind, FactRole, ProposedFact, Purchase

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


def confirmed(case: Case, fact: ProposedFact, value: str | None, role: str | None, at_ms: int) -> ConfirmedFact:
    """What the person says is so; the same fact in other files is confirmed with it. `value`: a correction, as typed.

    Raises `CaseIsRefused` with a sentence.
    """
    same = [one for one in case.proposed if (one.kind, one.value) == (fact.kind, fact.value)]
    said: int | str = fact.value if value is None else _as_kind(fact.kind, value)
    name = f"{fact.kind.value}\n{fact.value}\n{role or fact.role.value}".encode()
    return ConfirmedFact(
        fact_id=hashlib.sha256(name).hexdigest()[:16],
        kind=fact.kind,
        value=said,
        role=FactRole(role) if role else fact.role,
        files=tuple(dict.fromkeys([fact.file, *(one.file for one in same)])),
        regions=tuple(dict.fromkeys([fact.region, *(one.region for one in same)])),
        read=fact.value if said != fact.value else None,
        confirmed_at_ms=at_ms,
    )


def _as_kind(kind: FactKind, value: str) -> int | str:
    from fairkey.casework.reading.values import amounts_in, times_in  # noqa: PLC0415 - only here

    if kind is FactKind.AMOUNT:
        amounts = amounts_in(value)
        if value.isascii() and value.isdigit():
            return int(value)
        if not amounts:
            raise CaseIsRefused("That is no amount: write fen (1234) or ¥12.34.")
        return amounts[0].fen
    if kind is FactKind.TIME:
        moments = times_in(value.removesuffix("+08:00"))
        if not moments:
            raise CaseIsRefused("That is no moment: write it as 2026-11-23 14:05, Beijing time.")
        return moments[0].iso
    if not value.strip():
        raise CaseIsRefused("An empty value says nothing.")
    return value.strip()
