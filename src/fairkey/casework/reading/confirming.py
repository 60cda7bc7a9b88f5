"""What a confirmed fact says of the purchase."""

import hashlib
from datetime import date, datetime
from typing import Final

from msgspec import structs

from fairkey.casework.folder import CaseFolder, CaseIsRefused
from fairkey.casework.model import Case, CaseFile, ConfirmedFact, FactKind, FactRole, ProposedFact, Purchase
from fairkey.casework.moments import CHINA

_SHA256_CHARS_MIN: Final = 8
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


def said_taken(folder: CaseFolder, name: str, when: str, *, at_ms: int) -> CaseFile:
    """The person says when a picture was taken: a day, or a moment to the minute. `name`: the file's, or the beginning
    of its SHA-256.

    Raises `CaseIsRefused` with a sentence, and as `CaseFolder.change`.
    """
    taken_at = _day_or_moment(when)
    found: list[CaseFile] = []

    def edit(case: Case) -> Case:
        found[:] = [one for one in case.files if one.name == name or _begins(one, name)]
        if len(found) != 1:
            raise CaseIsRefused(f"{len(found)} files of the case are called {name}: name one by its SHA-256.")
        if taken_at > _end_of_day(at_ms):
            raise CaseIsRefused("That lies ahead: nobody took the picture then.")
        found[0] = structs.replace(found[0], taken_at=taken_at)
        files = (found[0] if one.seal.sha256 == found[0].seal.sha256 else one for one in case.files)
        return structs.replace(case, files=tuple(files))

    folder.change("file.taken_said", edit, at_ms=at_ms, facts={"name": name, "taken_at": taken_at})
    return found[0]


def _begins(file: CaseFile, name: str) -> bool:
    return len(name) >= _SHA256_CHARS_MIN and file.seal.sha256.startswith(name.lower())


def _end_of_day(at_ms: int) -> str:
    """To be compared as text with days and moments."""
    return f"{datetime.fromtimestamp(at_ms / 1000, CHINA):%Y-%m-%d}T99"


def _day_or_moment(when: str) -> str:
    from fairkey.casework.reading.values import times_in  # noqa: PLC0415 - only here

    moments = times_in(when)
    if moments:
        return moments[0].iso
    try:
        return date.fromisoformat(when.strip()).isoformat()
    except ValueError:
        raise CaseIsRefused("That is no day: write it as 2026-11-23, or 2026-11-23 14:05, Beijing time.") from None


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
