"""From rows to proposed facts. Each parser looks for one kind; what they find goes through the gate."""

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import Final, NamedTuple

from msgspec import Struct

from fairkey.casework.model import FactKind, FactRole, ProposedFact

from .gate import admitted, squeezed
from .lines import Row, Spot, joined
from .relative import CONFIDENCE, placed_in
from .tables import (
    AMOUNT_ROLES,
    CODE,
    CONFUSABLE,
    ERROR,
    FULL_SENTENCE,
    ORDER,
    PLATFORMS,
    PRODUCT,
    PROMISE,
    SHOP,
    SHOP_NAME,
    TIME_ROLES,
    TRANSACTION,
    issuers_texts,
)
from .values import amounts_in, plain_width, times_in

FACTS_MAX: Final = 500  # of one file: no honest picture shows more
ROW_CHARS_MAX: Final = 2000
TRANSACTION_DIGITS: Final = range(28, 33)
CUT_DIGITS_MIN: Final = 16
_NUMBER: Final = re.compile(r"[A-Z]{0,4}\d[\dA-Z-]{6,34}(?![\dA-Za-z])")
_DIGITS: Final = re.compile(r"\d{4,20}(?![\dA-Za-z])")
_MONEY_WORD: Final = re.compile(r"(?:付|花|共|价|退|赔|了|是|款|额|收|[:=¥]|^)\s*$")
_GROUPED: Final = re.compile(r"(?<![A-Za-z0-9-])[A-Z0-9]{4,7}(?:-[A-Z0-9]{3,7}){2,5}(?![A-Za-z0-9-])")
_LOOSE: Final = re.compile(r"(?<![A-Za-z0-9])[A-Z0-9]{8,32}(?![A-Za-z0-9])")
_CUT: Final = re.compile(r"(?<![A-Za-z0-9-])[A-Z0-9]{4,7}(?:-[A-Z0-9]{3,7}){0,4}-?\s*$")
_REST: Final = re.compile(r"\s*[A-Z0-9]{3,7}(?:-[A-Z0-9]{3,7}){0,4}(?![A-Za-z0-9-])")
_NOTHING: Final = re.compile(r"[\s:#.]*")
_END: Final = re.compile(r"\s{2,}|\s*(?:复制|已复制|进店|关注|查看|联系卖家|[>›》|])\s*")
NAME_CHARS: Final = range(2, 61)
_BLOCK_ROWS: Final = 4
_LENGTHS: Final = (0.8, 1.25)
_LIKE: Final = 0.84


class Found(NamedTuple):
    """Before the gate: a value at a spot."""

    kind: FactKind
    value: int | str
    spot: Spot
    confidence: float
    role: FactRole = FactRole.NONE
    row: int = 0
    anchor: str = ""


class FileRead(Struct, frozen=True):
    """What a file says. `undated`: times that name no date, of which nobody knows from when they count. `note`: what of
    it was not read, and why.
    """

    facts: tuple[ProposedFact, ...] = ()
    undated: tuple[str, ...] = ()
    note: str = ""


def undated_in(rows: Sequence[Row], said_by: Sequence[str] = (), taken: str = "") -> list[str]:
    """Stamps that name no date, as they stand there, where no anchor is known."""
    rows, said_by = _bounded(rows, said_by)
    return [rows[one.row].text[one.start : one.end] for one in placed_in(rows, said_by, taken) if one.anchor is None]


def _bounded(rows: Sequence[Row], said_by: Sequence[str]) -> tuple[list[Row], list[str]]:
    kept = [number for number, row in enumerate(rows) if len(row.text) <= ROW_CHARS_MAX]
    return [rows[one] for one in kept], [said_by[one] for one in kept if one < len(said_by)]


def facts_in(rows: Sequence[Row], file: str, said_by: Sequence[str] = (), taken: str = "") -> list[ProposedFact]:
    """Facts that rows propose, in reading order, each once per place. `said_by`: who says each row, in chats. `taken`:
    when the picture was taken, as the person says.
    """
    rows, said_by = _bounded(rows, said_by)
    facts: list[ProposedFact] = []
    seen: set[tuple[FactKind, int | str, FactRole]] = set()
    for found in sorted((*_all(rows), *_undated(rows, said_by, taken)), key=lambda one: one.row):
        who = said_by[found.row] if found.row < len(said_by) else ""
        fact = ProposedFact(
            file=file,
            kind=found.kind,
            value=found.value,
            region=found.spot.region,
            confidence=round(max(0.01, min(found.confidence, found.confidence * found.spot.score)), 3),
            text=found.spot.text,
            role=found.role,
            said_by=who,
            anchor=found.anchor,
        )
        key = (fact.kind, fact.value, fact.role)
        if key not in seen and admitted(fact):
            seen.add(key)
            facts.append(fact)
        if len(facts) >= FACTS_MAX:
            break
    return facts


def _all(rows: Sequence[Row]) -> Iterator[Found]:
    taken: list[list[tuple[int, int]]] = [[] for _ in rows]
    for parse in (_numbers, _codes):
        for found, spans in parse(rows, taken):
            for number, start, end in spans:
                taken[number].append((start, end))
            yield found
    yield from _money(rows, taken)
    yield from _moments(rows)
    yield from _named(rows)
    yield from _sentences(rows)


Spans = tuple[tuple[int, int, int], ...]
Taken = Sequence[Sequence[tuple[int, int]]]


def _numbers(rows: Sequence[Row], _: Taken) -> Iterator[tuple[Found, Spans]]:
    """Order and transaction numbers: after their label, or alone in the row below it."""
    for number, row in enumerate(rows):
        text = plain_width(row.text)
        for label, kind in ((TRANSACTION, FactKind.TRANSACTION), (ORDER, FactKind.ORDER_NUMBER)):
            for match in label.finditer(text):
                value = _value_after(rows, number, match.end(), _NUMBER)
                if value is None or (label is ORDER and TRANSACTION.match(text, max(0, match.start() - 2))):
                    continue
                at, start, end = value
                digits, spot, spans = _whole_number(rows, at, start, end)
                if not digits.endswith("-"):
                    yield _number(kind, match[0], digits, spot, number), spans


def _number(kind: FactKind, label: str, digits: str, spot: Spot, row: int) -> Found:
    is_long = digits.isdigit() and len(digits) in TRANSACTION_DIGITS
    confidence = 0.97
    if kind is FactKind.ORDER_NUMBER and is_long and not label.startswith("商户"):
        kind, confidence = FactKind.TRANSACTION, 0.9
    elif label == "商户单号" and not is_long:
        kind, confidence = FactKind.ORDER_NUMBER, 0.8
    return Found(kind, digits, spot, confidence, row=row)


def _whole_number(rows: Sequence[Row], at: int, start: int, end: int) -> tuple[str, Spot, Spans]:
    """A number, with its rest from the row below where a narrow bill breaks it."""
    text = plain_width(rows[at].text)
    digits, spot = text[start:end], rows[at].spot(start, end)
    if digits.endswith("-") and at + 1 < len(rows):
        rest = _DIGITS.match(plain_width(rows[at + 1].text))
        if rest is not None and not text[end:].strip():
            spans: Spans = ((at, start, end), (at + 1, 0, rest.end()))
            return digits + rest[0], joined(spot, rows[at + 1].spot(0, rest.end())), spans
    if digits.isdigit() and len(digits) >= CUT_DIGITS_MIN and not text[end:].strip() and at + 1 < len(rows):
        below = plain_width(rows[at + 1].text).strip()
        if re.fullmatch(r"\d{1,14}", below) and len(digits) + len(below) in TRANSACTION_DIGITS:
            whole = len(rows[at + 1].text)
            return digits + below, joined(spot, rows[at + 1].spot(0, whole)), ((at, start, end), (at + 1, 0, whole))
    return digits, spot, ((at, start, end),)


def _value_after(rows: Sequence[Row], number: int, end: int, pattern: re.Pattern[str]) -> tuple[int, int, int] | None:
    text = plain_width(rows[number].text)
    at = _NOTHING.match(text, end)
    value = pattern.match(text, at.end() if at else end)
    if value is not None:
        return number, value.start(), value.end()
    if not text[end:].strip(" :") and number + 1 < len(rows):
        below = plain_width(rows[number + 1].text)
        value = pattern.match(below)
        if value is not None:
            return number + 1, value.start(), value.end()
    return None


def _codes(rows: Sequence[Row], taken: Taken) -> Iterator[tuple[Found, Spans]]:
    """Codes: in groups with dashes anywhere; in one piece only after a label."""
    spans: Spans
    for number, row in enumerate(rows):
        text = _dashed(row.text)
        whole = [match for match in _GROUPED.finditer(text) if _is_code(match[0])]
        for match in whole:
            if _is_free(taken[number], match.start(), match.end()):
                spot = row.spot(match.start(), match.end())
                spans = ((number, match.start(), match.end()),)
                yield Found(FactKind.CODE, match[0], spot, _sure(match[0], 0.92), row=number), spans
        cut = _CUT.search(text)
        if cut is not None and not whole and "-" in cut[0] and number + 1 < len(rows):
            rest = _REST.match(_dashed(rows[number + 1].text))
            value = cut[0].strip() + rest[0].strip() if rest is not None else ""
            if rest is not None and _GROUPED.fullmatch(value) and _is_code(value):
                spot = joined(row.spot(*cut.span()), rows[number + 1].spot(0, rest.end()))
                spans = ((number, *cut.span()), (number + 1, 0, rest.end()))
                yield Found(FactKind.CODE, value, spot, _sure(value, 0.8), row=number), spans
        for label in CODE.finditer(text):
            place = _value_after(rows, number, label.end(), _LOOSE)
            if place is not None and _is_free(taken[place[0]], place[1], place[2]):
                at, start, end = place
                value = _dashed(rows[at].text)[start:end]
                if any(one.isdigit() for one in value):
                    found = Found(FactKind.CODE, value, rows[at].spot(start, end), _sure(value, 0.85), row=number)
                    yield found, ((at, start, end),)


def _dashed(text: str) -> str:
    return re.sub("[‐‑‒–—―−]", "-", plain_width(text))


def _is_code(text: str) -> bool:
    """Dates, phones and order numbers with dashes are no codes."""
    groups = text.split("-")
    return (any(one.isalpha() for one in text) and any(one.isdigit() for one in text)) or (
        len({len(one) for one in groups}) == 1 and not text.replace("-", "").isdigit()
    )


def _sure(code: str, confidence: float) -> float:
    return min(confidence, 0.6) if CONFUSABLE & set(code) else confidence


def _is_free(taken: Sequence[tuple[int, int]], start: int, end: int) -> bool:
    return all(end <= one or other <= start for one, other in taken)


def _money(rows: Sequence[Row], taken: Taken) -> Iterator[Found]:
    for number, row in enumerate(rows):
        text = plain_width(row.text)
        for one in amounts_in(text):
            if not _is_free(taken[number], one.start, one.end):
                continue
            before = text[: one.start]
            role, confidence = _role_of_amount(before)
            if not before.strip() and not role and number and not amounts_in(rows[number - 1].text):
                role, confidence = _role_of_amount(plain_width(rows[number - 1].text))
            is_alone = not (before + text[one.end :]).strip()
            if one.is_minus and is_alone and not role:
                role, confidence = FactRole.PAID, 0.85
            if not role and not is_alone and (not one.is_marked or _is_face_value(text, one.start, one.end)):
                continue
            yield Found(FactKind.AMOUNT, one.fen, row.spot(one.start, one.end), confidence, role, number)


def _is_face_value(text: str, start: int, end: int) -> bool:
    """Yuan in a product's name ("card of 100 yuan"): nobody paid them."""
    return text[start:end].endswith("元") and _MONEY_WORD.search(text[:start]) is None


def _role_of_amount(before: str) -> tuple[FactRole, float]:
    best, at = (FactRole.NONE, 0.7), -1
    for pattern, role, confidence in AMOUNT_ROLES:
        for match in pattern.finditer(before):
            if match.start() > at:
                best, at = (role, confidence), match.start()
    return best


def _moments(rows: Sequence[Row]) -> Iterator[Found]:
    for number, row in enumerate(rows):
        text = plain_width(row.text)
        last = 0
        for one in times_in(text):
            before = text[last : one.start]
            last = one.end
            role = next((role for pattern, role in TIME_ROLES if pattern.search(before[-16:])), FactRole.NONE)
            confidence = 0.95 if role else 0.85
            yield Found(FactKind.TIME, one.iso, row.spot(one.start, one.end), confidence, role, number)


def _undated(rows: Sequence[Row], said_by: Sequence[str], taken: str) -> Iterator[Found]:
    """Times that name no date, where it is known from when they count."""
    for one in placed_in(rows, said_by, taken):
        if one.anchor is None or not one.value:
            continue
        spot = rows[one.row].spot(one.start, one.end)
        spot = spot if one.anchor.spot is None else joined(one.anchor.spot, spot)
        confidence = CONFIDENCE[one.anchor.how]
        yield Found(FactKind.TIME, one.value, spot, confidence, row=one.row, anchor=str(one.anchor))


def _named(rows: Sequence[Row]) -> Iterator[Found]:
    """Platform, shop and product."""
    for number, row in enumerate(rows):
        for name, aliases in PLATFORMS.items():
            for alias in aliases:
                at = row.text.lower().find(alias.lower())
                if at >= 0:
                    yield Found(FactKind.PLATFORM, name, row.spot(at, at + len(alias)), 0.8, row=number)
                    break
        text = plain_width(row.text)
        for label, kind in ((SHOP, FactKind.SHOP), (PRODUCT, FactKind.PRODUCT)):
            match = label.match(text)
            if match is None:
                continue
            end = _END.search(text, match.end())
            stop = end.start() if end is not None else len(text)
            value = text[match.end() : stop].strip()
            if len(value) in NAME_CHARS and not _is_amount(value):
                yield Found(kind, value, row.spot(match.end(), stop), 0.85, row=number)
        named = SHOP_NAME.search(text)
        if named is not None and SHOP.match(text) is None:
            yield Found(FactKind.SHOP, named[0], row.spot(*named.span()), 0.75, row=number)


def _is_amount(value: str) -> bool:
    return any(value[: one.start].strip("- ") + value[one.end :].strip() == "" for one in amounts_in(value))


def _sentences(rows: Sequence[Row]) -> Iterator[Found]:
    for number, row in enumerate(rows):
        for match in PROMISE.finditer(plain_width(row.text)):
            value = match[0].strip(",，")
            yield Found(FactKind.PROMISE, value, row.spot(*match.span()), 0.85, row=number)
        if number + 1 < len(rows) and _goes_on(row, rows[number + 1]):
            yield from _over_two_rows(row, rows[number + 1], number)
    yield from _errors(rows)


def _goes_on(row: Row, below: Row) -> bool:
    """Whether a row in a picture is the rest of the sentence above it: one column, close below."""
    if len(row.lines) != 1 or len(below.lines) != 1:
        return False
    one, other = row.lines[0].region, below.lines[0].region
    is_close = 0 <= other.top - one.top < 2 * one.height
    return bool(one.width) and one.page == other.page and is_close and abs(one.left - other.left) < one.height


def _over_two_rows(row: Row, below: Row, number: int) -> Iterator[Found]:
    cut = len(row.text)
    for match in PROMISE.finditer(plain_width(row.text + below.text)):
        if match.start() < cut < match.end():
            spot = joined(row.spot(match.start(), cut), below.spot(0, match.end() - cut))
            yield Found(FactKind.PROMISE, match[0].strip(",，"), spot, 0.8, row=number)


def _errors(rows: Sequence[Row]) -> Iterator[Found]:
    number = 0
    while number < len(rows):
        count = _issuers_rows(rows, number)
        if count:
            block = rows[number : number + count]
            spots = [one.spot(0, len(one.text)) for one in block]
            value = "\n".join(one.text for one in block)
            yield Found(FactKind.ERROR, value.replace("\n", " "), joined(*spots), 0.92, row=number)
        elif ERROR.search(plain_width(rows[number].text)):
            row = rows[number]
            yield Found(FactKind.ERROR, row.text, row.spot(0, len(row.text)), 0.7, row=number)
        number += count or 1


def _issuers_rows(rows: Sequence[Row], number: int) -> int:
    """How many rows from here on are a sentence that an issuer shows; 0: none."""
    block = ""
    for count, row in enumerate(rows[number : number + _BLOCK_ROWS], 1):
        block += squeezed(row.text).lower()
        for text in issuers_texts():
            whole = squeezed(text).lower()
            is_short = len(whole) < FULL_SENTENCE
            if (count == 1 and whole in block) if is_short else _is_like(whole, block, alone=count > 1):
                return count
    return 0


def _is_like(whole: str, block: str, *, alone: bool) -> bool:
    if whole in block:
        return not alone or block.startswith(whole[:4])
    if not _LENGTHS[0] < len(block) / len(whole) < _LENGTHS[1]:
        return False
    matcher = SequenceMatcher(None, whole, block, autojunk=False)
    return matcher.quick_ratio() > _LIKE and matcher.ratio() > _LIKE
