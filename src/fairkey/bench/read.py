"""How well files are read: the corpus of rendered cases, kind by kind, clean and worn, and seconds for a picture.

Odd cases were looked at while the parsers were written; even ones were held out.
"""

import argparse
import hashlib
import json
import statistics
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any, Final, NamedTuple

from fairkey.casework.model import FactKind, ProposedFact
from fairkey.casework.reading import missing_for, read_facts
from fairkey.casework.reading.gate import admitted, follows, squeezed

_ERROR_LIKE: Final = 0.9
_WITH_ROLES: Final = frozenset({"amount_fen", "time"})


class Scored(NamedTuple):
    """One file: proposals right, proposals made, and facts there, for each kind."""

    group: str
    is_held_out: bool
    right: Counter[str]
    made: Counter[str]
    there: Counter[str]
    invented: int
    misread: int
    speakers: tuple[int, int]
    took_s: float
    is_picture: bool
    wrong: tuple[str, ...]


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `./run bench read`."""
    parser.add_argument("--corpus", type=Path, default=Path("tests/corpus/cases"), help="folder of cases")
    parser.add_argument("--case", default="*", help="only this case, as 03")
    parser.add_argument("--wrong", action="store_true", help="name every wrong and every missed fact")


def measure(options: argparse.Namespace) -> Mapping[str, Any]:
    """Precision and recall in percent. `invented`: values that do not follow from their own region as it was read;
    `misread`: values that are not in the file's true text, letters taken for others.
    """
    missing = next(filter(None, map(missing_for, ("image/png", "video/mp4", "application/pdf"))), "")
    if missing:
        raise SystemExit(missing)
    if any(options.corpus.glob("*/*.png")):
        read_facts(next(options.corpus.glob("*/*.png")), "", "image/png")  # the engine is warm from the second on
    scored = [one for place in sorted(options.corpus.glob(options.case)) for one in _case(place)]
    figures: dict[str, Any] = {}
    for group in ("clean", "worn", "other"):
        figures |= _figures(group, [one for one in scored if one.group == group])
    for group in ("clean", "worn"):
        figures |= _figures(f"{group} held out", [one for one in scored if one.group == group and one.is_held_out])
    took = [one.took_s for one in scored if one.is_picture]
    speakers = [sum(counts) for counts in zip(*(one.speakers for one in scored), strict=True)]
    figures |= {
        "files": len(scored),
        "invented": sum(one.invented for one in scored),
        "misread clean": sum(one.misread for one in scored if one.group == "clean"),
        "misread worn": sum(one.misread for one in scored if one.group == "worn"),
        "said by, right": f"{speakers[0]} of {speakers[1]}",
        "seconds a picture, median": statistics.median(took),
        "seconds a picture, most": max(took),
    }
    if options.wrong:
        figures["wrong"] = "\n  " + "\n  ".join(line for one in scored for line in one.wrong)
    return figures


def _figures(group: str, scored: Sequence[Scored]) -> dict[str, str]:
    right, made, there = (
        sum((getattr(one, name) for one in scored), Counter[str]()) for name in ("right", "made", "there")
    )
    return {
        f"{group} {kind.value}": f"precision {_percent(right[kind], made[kind])}  recall "
        f"{_percent(right[kind], there[kind])}  of {there[kind]}"
        for kind in FactKind
        if made[kind] or there[kind]
    }


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:5.1f}%" if whole else "    –"


def _case(place: Path) -> Iterator[Scored]:
    truth = json.loads((place / "truth.json").read_text("utf-8"))
    for name, told in truth.items():
        path = place / name
        began = time.perf_counter()
        facts = read_facts(path, hashlib.sha256(path.read_bytes()).hexdigest(), told["media_type"])
        took_s = time.perf_counter() - began
        yield scored_file(f"{place.name}/{name}", facts, told, took_s)


def scored_file(name: str, facts: Sequence[ProposedFact], told: Mapping[str, Any], took_s: float = 0) -> Scored:
    """Compare proposals with the truth about a file: amounts and times with their roles."""
    left = list(told["facts"])
    right: Counter[str] = Counter()
    speakers = [0, 0]
    wrong = []
    for fact in facts:
        match = next((one for one in left if _is_same(fact, one)), None)
        if match is None:
            wrong.append(f"{name}: {fact.kind.value} {fact.role.value} {fact.value!r} is not there")
            continue
        left.remove(match)
        right[fact.kind.value] += 1
        if "said_by" in match:
            speakers[0] += match["said_by"] == fact.said_by
            speakers[1] += 1
    wrong += [f"{name}: {one['kind']} {one['role']} {one['value']!r} was missed" for one in left]
    words = "\n".join(told["words"])
    is_picture = told["media_type"].startswith("image/")
    group = ("worn" if told["worn"] else "clean") if is_picture else "other"
    return Scored(
        group,
        int(name.partition("/")[0]) % 2 == 0,
        right,
        Counter(fact.kind.value for fact in facts),
        Counter(str(one["kind"]) for one in told["facts"]),
        sum(not admitted(fact) for fact in facts),
        sum(not follows(fact.kind, fact.value, words) for fact in facts),
        (speakers[0], speakers[1]),
        took_s,
        is_picture,
        tuple(wrong),
    )


def _is_same(fact: ProposedFact, true: Mapping[str, Any]) -> bool:
    if fact.kind != true["kind"] or (fact.kind in _WITH_ROLES and fact.role != true["role"]):
        return False
    if isinstance(fact.value, int):
        return fact.value == int(true["value"])
    one, other = squeezed(fact.value), squeezed(str(true["value"]))
    if fact.kind is FactKind.ERROR:
        return SequenceMatcher(None, one, other, autojunk=False).ratio() >= _ERROR_LIKE
    return one == other
