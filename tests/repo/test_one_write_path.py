"""Business facts have one way into the database, and SQL has one home."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from repo.tree import python_files, text_of

PERFORM = Path("src/fairkey/engine/perform.py")
STORES = (
    "src/fairkey/adapters/postgres/store",
    "src/fairkey/adapters/postgres/rebuild",
    "src/fairkey/adapters/postgres/erasing.py",  # takes plaintexts away; what was told stays as it is
)
SQL_HOMES = (
    "src/fairkey/adapters/postgres/",
    "src/fairkey/adapters/vault/",
    "src/fairkey/witness/seen.py",  # a witness is no part of a house: its one file holds what it has seen
    "src/fairkey/verifying/streams.py",  # a verifier is none either: where long logs' streams lie while it runs
    "src/fairkey/verifying/crediting.py",  # the same, of facts about credit
)
# The bench measures the same statements without us, and asks the server what it did.
MEASURING = "src/fairkey/bench/"
DRIVERS = {"alembic", "asyncpg", "sqlalchemy"}
WIRING = "src/fairkey/app/"  # opens the pools and hands them in

BEGINS_LIKE_SQL = re.compile(
    r"\s*(?:--[^\n]*\n\s*)*(?:SELECT\s[\s\S]*\bFROM\b|INSERT INTO\s|UPDATE\s+\w+\s[\s\S]*\bSET\b|DELETE FROM\s"
    r"|CREATE (?:TABLE|INDEX|UNIQUE)|ALTER TABLE|TRUNCATE\s|WITH\s[\s\S]+\bAS\s*(?:MATERIALIZED\s*)?\()"
)
FACTS = ("events", "sealed_fields", "streams", "ledger", "ledger_accounts", "answers", "listing_revisions")
CHANGES_FACTS = re.compile(rf"(?:INSERT INTO|UPDATE|DELETE FROM|TRUNCATE)\s+(?:{'|'.join(FACTS)})\b")

SRC = python_files("src")


def strings_of(path: Path) -> Iterator[tuple[int, str]]:
    """Every string of a file but docstrings, with its line; of an f-string its fixed parts joined."""
    tree = ast.parse(text_of(path))
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield node.lineno, "x".join(part.value for part in node.values if isinstance(part, ast.Constant))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.lineno, node.value


def imported_by(path: Path) -> set[str]:
    """Top-level names of the packages a file imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(text_of(path))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition(".")[0])
    return names


def writes_to_the_store(tree: ast.AST) -> list[int]:
    """Lines that call `.write(Commit)` of a transaction: awaited, one argument, on something called transaction or
    store.
    """
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Await)
        and isinstance(node.value, ast.Call)
        and isinstance(node.value.func, ast.Attribute)
        and node.value.func.attr == "write"
        and len(node.value.args) == 1
        and not ast.unparse(node.value.func.value).endswith("writer")  # a stream of bytes
    ]


def test_only_perform_writes_business_facts() -> None:
    writers = [str(path) for path in SRC if writes_to_the_store(ast.parse(text_of(path)))]
    assert writers == [str(PERFORM)]
    assert len(writes_to_the_store(ast.parse(text_of(PERFORM)))) == 1


def test_only_the_event_store_has_statements_that_change_facts() -> None:
    strangers = [
        f"{path}:{line}"
        for path in SRC
        if not str(path).startswith((*STORES, MEASURING)) and "/migrations/" not in str(path)
        for line, text in strings_of(path)
        if CHANGES_FACTS.search(text)
    ]
    assert strangers == []


def test_sql_stands_in_the_adapters_only() -> None:
    fairkey = [path for path in SRC if path.is_relative_to("src/fairkey")]
    strangers = [
        f"{path}:{line}"
        for path in fairkey
        if not str(path).startswith((*SQL_HOMES, WIRING, MEASURING))
        for line, text in strings_of(path)
        if BEGINS_LIKE_SQL.match(text)
    ]
    assert strangers == []


def test_drivers_are_imported_in_the_adapters_only() -> None:
    strangers = [
        str(path)
        for path in SRC
        if not str(path).startswith((*SQL_HOMES, WIRING, MEASURING)) and imported_by(path) & DRIVERS
    ]
    assert strangers == []


@pytest.mark.parametrize(
    "text",
    ["SELECT a FROM b", "\n  INSERT INTO codes VALUES ($1)", "UPDATE codes SET x = 1", "WITH a AS (SELECT 1) SELECT 2"],
)
def test_the_eye_for_sql_sees(text: str) -> None:
    assert BEGINS_LIKE_SQL.match(text)


@pytest.mark.parametrize(
    "text", ["Select a shop from the list", "UPDATE", "With a name as long as you like", "selected"]
)
def test_the_eye_for_sql_does_not_see_too_much(text: str) -> None:
    assert not BEGINS_LIKE_SQL.match(text)


def test_the_eye_for_writes_sees() -> None:
    tree = ast.parse("async def f(transaction, commit):\n    await transaction.write(commit)\n    print(commit)\n")
    assert writes_to_the_store(tree) == [2]
