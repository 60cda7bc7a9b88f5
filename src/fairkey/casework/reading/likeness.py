"""Pictures of the same thing: a copy that was pressed, shrunk or taken twice. Looks alone decide nothing: two bills of
one template look the same, so numbers, amounts and times must be the same as well.
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final, NamedTuple

from msgspec import structs

from fairkey.casework.model import Case, CaseFile, FactKind, ProposedFact

APART_MAX: Final = 12  # of 64 bits
_SIDE: Final = 8
_TELLING: Final = frozenset(
    {FactKind.ORDER_NUMBER, FactKind.TRANSACTION, FactKind.AMOUNT, FactKind.TIME, FactKind.CODE, FactKind.ERROR}
)


class Looks(NamedTuple):
    """A picture: its file's SHA-256, 64 bits of how light goes from left to right, and what it tells."""

    file: str
    bits: int
    says: frozenset[tuple[FactKind, int | str]]


def looks_of(path: Path, file: str, facts: Iterable[ProposedFact]) -> Looks | None:
    """How a picture looks and what it says; None for what cannot be opened."""
    from PIL import Image  # noqa: PLC0415 - of the extra "cases"

    try:
        with Image.open(path) as opened:
            small = opened.convert("L").resize((_SIDE + 1, _SIDE), Image.Resampling.BOX).tobytes()
    except Exception:  # noqa: BLE001 - decoders of many formats, each with errors of its own
        return None
    rows = (small[at : at + _SIDE + 1] for at in range(0, len(small), _SIDE + 1))
    bits = "".join("1" if row[at] > row[at + 1] else "0" for row in rows for at in range(_SIDE))
    says = frozenset((one.kind, one.value) for one in facts if one.kind in _TELLING)
    return Looks(file, int(bits, 2), says)


def near_duplicates(pictures: Iterable[Looks]) -> dict[str, str]:
    """For each picture that repeats an earlier one: which. What says nothing is like nothing."""
    first: list[Looks] = []
    found: dict[str, str] = {}
    for one in pictures:
        like = next((old for old in first if _is_like(old, one)), None)
        if like is not None:
            found[one.file] = like.file
        else:
            first.append(one)
    return found


def folded(case: Case, original: Callable[[CaseFile], Path]) -> Case:
    """The case, in which pictures that look like an earlier one and say the same name it; none is dropped."""
    pictures = [one for one in case.files if one.media_type.startswith("image/") and "reading" not in one.checks]
    looks = [
        looks_of(original(file), file.seal.sha256, (one for one in case.proposed if one.file == file.seal.sha256))
        for file in pictures
    ]
    like = near_duplicates(one for one in looks if one is not None)
    files = (structs.replace(one, near_duplicate_of=like.get(one.seal.sha256, "")) for one in case.files)
    return structs.replace(case, files=tuple(files))


def _is_like(old: Looks, new: Looks) -> bool:
    return bool(new.says) and old.says == new.says and (old.bits ^ new.bits).bit_count() <= APART_MAX
