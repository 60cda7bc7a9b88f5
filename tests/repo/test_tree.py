"""What the committed files promise: names, sizes, nothing of the machines they were written on."""

import re
import stat
import tomllib
from pathlib import Path

import pytest

import fairkey
from repo.tree import ROOT, committed, python_files, text_of

LONGEST_FILE_LINES = 600
NAMES_OF_NOTHING = {
    "util",
    "utils",
    "helper",
    "helpers",
    "manager",
    "managers",
    "service",
    "services",
    "common",
    "misc",
}
UNFINISHED = re.compile(r"\b(?:TODO|FIXME|XXX|HACK)\b|type: ignore|pragma: no cover")
# Written in pieces, so that this file does not find itself.
MACHINE = re.compile(
    "|".join(["/ro" + "ot/", r"/wo" + r"rk/(?:main|shared)", "/ho" + "me/(?!example)[a-z]+/", "/Us" + "ers/"])
)
REGISTRIES = re.compile(
    "|".join(
        ["py" + r"pi\.org", "python" + r"hosted", "registry" + r"\.npmjs", "proxy" + r"\.golang", "--index" + "-url"]
    )
)
MAY_NAME_AN_INDEX = {Path("run")}  # `--no-emit-index-url`


def test_every_file_name_says_what_is_in_it() -> None:
    bad = [str(path) for path in committed() if NAMES_OF_NOTHING & set(re.split(r"[._/-]", str(path).lower()))]
    allowed = [name for name in bad if name.endswith("locale/zh_CN/common.po") or "/common." in name]
    assert sorted(set(bad) - set(allowed)) == []


@pytest.mark.parametrize("path", python_files("src"), ids=str)
def test_no_source_file_is_longer_than_one_can_keep_in_mind(path: Path) -> None:
    assert len(text_of(path).splitlines()) <= LONGEST_FILE_LINES


def test_nothing_is_left_unfinished() -> None:
    here = Path("tests/repo/test_tree.py")
    bad = [
        f"{path}:{number}"
        for path in committed()
        if path.suffix in {".py", ".js", ".css", ".html", ".jinja", ".sql"} and path != here
        for number, line in enumerate(text_of(path).splitlines(), 1)
        if UNFINISHED.search(line)
    ]
    assert bad == []


def test_no_machine_and_no_registry_is_named() -> None:
    bad = [
        f"{path}:{number}: {line.strip()[:80]}"
        for path in committed()
        for number, line in enumerate(text_of(path).splitlines(), 1)
        if MACHINE.search(line) or (REGISTRIES.search(line) and path not in MAY_NAME_AN_INDEX)
    ]
    assert bad == []


def test_no_file_is_large() -> None:
    largest_bytes = 1_500_000
    assert [str(path) for path in committed() if (ROOT / path).stat().st_size > largest_bytes] == []


def test_licence_changelog_and_version() -> None:
    project = tomllib.loads(text_of(Path("pyproject.toml")))["project"]
    assert project["version"] == fairkey.__version__
    assert "Apache License" in text_of(Path("LICENSE"))[:200]
    assert re.search(r"^## Unreleased$", text_of(Path("CHANGELOG.md")), re.MULTILINE)


@pytest.mark.parametrize("path", ["run", ".ci/run"])
def test_scripts_can_be_run(path: str) -> None:
    assert (ROOT / path).stat().st_mode & stat.S_IXUSR
    assert text_of(Path(path)).startswith("#!/usr/bin/env bash\n")


def test_migrations_are_one_line_of_ancestors() -> None:
    from fairkey.adapters.postgres.migrate import FOLDER, known_revisions

    files = sorted(path.name for path in (FOLDER / "versions").glob("*.py"))
    assert [name.partition("_")[0] for name in files] == known_revisions()


def test_every_migration_gives_up_soon_when_it_cannot_get_its_locks() -> None:
    from fairkey.adapters.postgres.migrate import FOLDER

    for path in (FOLDER / "versions").glob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert "lock_timeout" in text or "run_sql(" in text, path.name
