"""Every refusal there is has its status and its words; no status is kept for a refusal that is gone."""

import ast
import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path

import fairkey
from fairkey.api.words import OWN
from fairkey.business.basics import Refusal
from fairkey.gates.problems import NAME_OF_KEBAB, kebab
from fairkey.gates.statuses import STATUS
from fairkey.web.refusals import REFUSALS

ROOMS = ("business", "engine", "gates", "api", "web", "adapters", "worker", "effects")
EDGES_SAY = {  # said by name, where no class of ours is raised
    "InvalidInput",
    "IdempotencyConflict",
    "MethodIsNotAllowed",
    "NotificationIsForged",
    "NotificationIsUnreadable",
    "ProviderHasRefused",
    "TooLarge",
    "Unavailable",
    "Unexpected",
}


def refusals(of: type[Refusal] = Refusal) -> Iterator[type[Refusal]]:
    for one in of.__subclasses__():
        yield one
        yield from refusals(one)


def known() -> set[str]:
    for module in pkgutil.walk_packages(fairkey.__path__, "fairkey."):
        parts = module.name.split(".")
        if parts[1] in ROOMS and "migrations" not in parts:
            importlib.import_module(module.name)
    return {one.__name__ for one in refusals() if one.__module__.startswith("fairkey.")}


def test_every_refusal_has_its_status() -> None:
    assert sorted(known() - set(STATUS)) == []


def test_every_status_belongs_to_a_refusal() -> None:
    assert sorted(set(STATUS) - known() - EDGES_SAY) == []
    assert all(400 <= status <= 503 for status in STATUS.values())


def test_every_refusal_has_its_words() -> None:
    assert sorted(set(STATUS) - set(OWN) - set(REFUSALS)) == []
    for name, (english, chinese) in OWN.items():
        assert english.isascii() or "–" in english or "…" in english, name
        assert any("\u4e00" <= letter <= "\u9fff" for letter in chinese), name


def test_kebab_names_are_unambiguous() -> None:
    assert len(NAME_OF_KEBAB) == len(STATUS)
    assert kebab("StockIsShort") == "stock-is-short"


def test_the_table_is_written_once() -> None:
    """Two lines for one refusal would silently disagree."""
    module = importlib.import_module("fairkey.gates.statuses")

    tree = ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))
    keys = [
        key.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Dict)
        for key in node.keys
        if isinstance(key, ast.Constant)
    ]
    assert len(keys) == len(set(keys))
