"""What the tools of outside cases tell has both languages, and no Chinese shows in the English but names and quotes."""

import ast
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from msgspec import json

from fairkey.casework.channels import CHANNELS
from fairkey.casework.clocks import _CLOCKS
from fairkey.casework.completeness import checklist
from fairkey.casework.demand import compute
from fairkey.casework.law import law_data
from fairkey.casework.letters.composing import compose
from fairkey.casework.letters.language_words import RULES, WHY
from fairkey.casework.letters.summary import summary
from fairkey.casework.model import Case, FactKind, FactRole, Party, Problem, Purchase, Purpose
from fairkey.casework.path import steps
from fairkey.casework.texts import Words, data, sentence, words
from letter_cases import CASES, ON, RESALE
from repo.tree import ROOT, text_of

HAN = re.compile(r"[\u3400-\u9fff\u3000-\u303f\uff01-\uff5e]")
# What may stand in Chinese within English: official names in brackets after their English, and quoted evidence.
NAMED = re.compile(r"\((?:[^()]|\([^()]*\))*\)|“[^”]*”")
CASEWORK = Path("src/fairkey/casework")
COMMANDS = Path("src/fairkey/cli/case")


def texts() -> Iterator[tuple[str, Words]]:
    for group, these in data().texts.items():
        for name, one in these.items():
            yield f"{group}.{name}", one
    for number, one in enumerate(data().sentences):
        yield f"sentence {number}", one
    for piece in checklist().pieces:
        yield from ((f"{piece.id} {number}", one) for number, one in enumerate((piece.name, piece.adds, piece.get)))
    for rule in law_data().rules:
        yield from ((rule.id, Words(rule.zh, rule.en)), (rule.id, rule.cited))
    for why in WHY.values():
        yield why[0], Words(*why)
    for one in RULES:
        yield one.pattern, Words(one.instead_zh, one.instead_en)


@pytest.mark.parametrize(("name", "text"), list(texts()))
def test_every_text_has_both_languages(name: str, text: Words) -> None:
    assert text.zh.strip(), name
    assert text.en.strip() or set(text.zh) <= set("（）"), name
    assert not HAN.search(NAMED.sub("", text.en)), text.en
    assert gaps(text.zh) == gaps(text.en)


def gaps(text: str) -> set[str]:
    return set(re.findall(r"\{(\w*)\}", text))


def test_chinese_texts_are_chinese() -> None:
    bad = [name for name, one in texts() if not HAN.search(re.sub(r"\{\w*\}", "", one.zh))]
    assert [name for name in bad if name not in {"demand.with_sum", "cli.show_head"}] == []


def test_every_name_that_the_program_makes_up_is_in_the_data() -> None:
    told = data().texts
    assert set(told["problems"]) == {one.value for one in Problem}
    assert set(told["purposes"]) == {one.value for one in Purpose}
    assert set(told["kinds"]) == {one.value for one in FactKind}
    assert set(told["roles"]) == {one.value for one in FactRole if one is not FactRole.NONE}
    assert set(told["channels"]) == set(told["says"]) == set(CHANNELS)
    for channel, stage in _CLOCKS:
        assert words(f"clock.{channel}_{stage}").en
        assert words(f"clock.{channel}_{stage}_then").en
    for channel in CHANNELS.values():
        assert channel.next_steps


def sources() -> Iterator[tuple[Path, ast.AST]]:
    for folder in (CASEWORK, COMMANDS, Path("src/fairkey/web/cases")):
        for path in sorted((ROOT / folder).rglob("*.py")):
            relative = path.relative_to(ROOT)
            yield relative, ast.parse(text_of(relative))


def called(tree: ast.AST, *names: str) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names:
            yield node


def test_every_text_that_the_sources_name_is_there_and_every_one_is_named() -> None:
    known = {f"{group}.{name}" for group, these in data().texts.items() for name in these}
    made_up = {
        "problems",
        "purposes",
        "kinds",
        "roles",
        "channels",
        "says",
        "next",
        "clock",
        "stages",
        "states",
        "path",
    }
    made_up |= {"blanks", "recording", "checks", "demand", "warns", "running", "reckoned", "gaps"}
    named = {"cli.holds", "cli.broken", "cli.cannot_tell", "cli.due", "cli.from_"}  # by the exit code
    for path, tree in sources():
        for call in called(tree, "words", "words_of", "told", "tell_of"):
            first = call.args[0] if call.args else None
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                name = first.value if "." in first.value else f"cli.{first.value}"
                assert name in known, f"{path}: {name}"
                named.add(name)
            elif isinstance(first, ast.IfExp):
                named |= {f"cli.{one.value}" for one in (first.body, first.orelse) if isinstance(one, ast.Constant)}
    assert {one for one in known - named if one.partition(".")[0] not in made_up} == set()


def template(node: ast.expr) -> str:
    """A sentence with `0` for what is filled in."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        parts = (one.value if isinstance(one, ast.Constant) else "0" for one in node.values)
        return "".join(str(one) for one in parts)
    return ""


def is_found(call: ast.Call) -> bool:
    """Of `fairkey case verify`: step, state, sentence."""
    return isinstance(call.func, ast.Name) and call.func.id == "Found"


REFUSED = (
    "BrowserIsAway",
    "CaseIsDamaged",
    "CaseIsMissing",
    "CaseIsRefused",
    "FileIsRefused",
    "FolderIsTaken",
    "Found",
    "JointIsRefused",
    "NoRecordingBegan",
    "PackIsRefused",
    "TsaIsAway",
)


def test_every_refusal_has_its_chinese() -> None:
    bad = []
    for path, tree in sources():
        if path.name == "checking.py" and path.parent.name == "pack":
            continue  # of `fairkey verify`, which speaks to experts in English
        for call in called(tree, *REFUSED):
            told = template(call.args[2 if is_found(call) else 0]) if len(call.args) > 2 * is_found(call) else ""
            # What is put together from a name and another refusal is told by `about`; nothing else is without words.
            if told and told not in {"0 0.", "0 0"}:
                told = told.replace("'0'", "0").replace("word 0", "word '0'")
                bad += [f"{path}: {told}"] if sentence(told).zh == told else []
    assert bad == []


def cases() -> Iterator[tuple[str, Case]]:
    yield from CASES.items()
    yield "resale", RESALE
    yield "empty", Case(case_id="x", created_at_ms=1, asserts_fraud=True, wishes=("refund", "resend", "damages"))
    bare = Case(
        case_id="x", created_at_ms=1, buyer=Party(address="浙江省杭州市"), purchase=Purchase(amount_fen=6_000_000)
    )
    yield "dear", bare


@pytest.mark.parametrize("channel", list(CHANNELS))
@pytest.mark.parametrize(("name", "case"), list(cases()), ids=[name for name, _ in cases()])
def test_what_stands_beside_a_letter_is_english_in_english(name: str, case: Case, channel: str) -> None:
    own = {case.purchase.shop, case.purchase.platform, case.purchase.product} - {""}
    demand = compute(case, date.fromisoformat(ON))
    letter = compose(case, demand, channel)
    shown = [*letter.warnings, *summary(case, demand, CHANNELS[channel]), *CHANNELS[channel].next_steps]
    shown += [one.field for one in CHANNELS[channel].limits] + [one.source for one in CHANNELS[channel].limits]
    for one in shown:
        english = NAMED.sub("", one.en)
        for said in own:
            english = english.replace(said, "")
        assert not HAN.search(english), f"{name}: {one.en}"


def test_the_path_is_english_in_english() -> None:
    for _, case in cases():
        for step in steps(case, 1_795_000_000_000):
            assert not HAN.search(NAMED.sub("", step.why.en))


def test_the_data_are_written_one_text_a_line() -> None:
    raw = text_of(CASEWORK / "texts.json")
    assert json.decode(raw)
    assert len(raw.splitlines()) > sum(1 for _ in data().sentences)
