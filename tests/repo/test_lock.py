"""requirements.lock: complete, pinned, hashed, and silent about where packages come from."""

import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from repo.tree import text_of

LOCK = text_of(Path("requirements.lock"))
PROJECT = tomllib.loads(text_of(Path("pyproject.toml")))
# An entry: name==version, perhaps a marker, then its hashes on the lines that follow.
ENTRY = re.compile(
    r"^(?P<what>[A-Za-z0-9][^\s=]*==[^\s\\;]+)(?P<marker>[^\n\\]*)\\?\n(?P<rest>(?:[ ]+[^\n]*\n)*)", re.MULTILINE
)
ALL_ENTRIES = list(ENTRY.finditer(LOCK))  # a package stands here once for each range of Pythons
ENTRIES = {canonicalize_name(each["what"].partition("==")[0]): each for each in ALL_ENTRIES}


def test_everything_asked_for_is_pinned_at_a_version_that_fits() -> None:
    project = PROJECT["project"]
    asked = [*project["dependencies"], *project["optional-dependencies"]["dev"], *PROJECT["build-system"]["requires"]]
    for text in asked:
        requirement = Requirement(text)
        entry = ENTRIES.get(canonicalize_name(requirement.name))
        assert entry is not None, f"{requirement.name} is not in the lock: ./run lock"
        assert Version(entry["what"].partition("==")[2]) in requirement.specifier, text


def test_every_entry_has_hashes() -> None:
    assert len(ALL_ENTRIES) == len(re.findall(r"^[A-Za-z0-9]", LOCK, re.MULTILINE))
    assert [entry["what"] for entry in ALL_ENTRIES if "--hash=sha256:" not in entry["rest"]] == []


def test_no_entry_is_left_over() -> None:
    """uv notes under each entry for whom it is there: somebody in the lock, or pyproject.toml."""
    for name, entry in ENTRIES.items():
        reasons = re.findall(r"#\s+(?:via )?([A-Za-z0-9_.-]+)(?: \(pyproject\.toml\))?$", entry["rest"], re.MULTILINE)
        because = {canonicalize_name(reason) for reason in reasons if reason != "via"}
        assert because, f"nobody wants {name}"
        assert because <= ENTRIES.keys() | {"fairkey"}, f"{name} is there for somebody who is not: ./run lock"


def test_it_says_nothing_of_where_packages_come_from() -> None:
    assert "://" not in LOCK
    assert "--index" not in LOCK


def test_lists_are_in_alphabetical_order() -> None:
    project = PROJECT["project"]
    for listed in (project["dependencies"], project["optional-dependencies"]["dev"]):
        assert listed == sorted(listed)
