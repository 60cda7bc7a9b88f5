"""What the README tells a newcomer to type exists, in both languages, and its pictures are small."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from fairkey.bench import NAMES
from fairkey.cli import root
from repo.tree import ROOT, text_of

READMES = [Path("README.md"), Path("README.zh-CN.md")]
PICTURE_MAX_BYTES = 300_000


def commands(page: Path) -> list[str]:
    return re.findall(r"\./run ([a-z]+(?: [a-z]+)*)", text_of(page))


@pytest.mark.parametrize("page", [*READMES, Path("docs/operations.md"), Path("docs/orders.md")], ids=str)
def test_every_command_exists(page: Path) -> None:
    for words in (command.split() for command in commands(page)):
        if words[0] == "fairkey":
            assert CliRunner().invoke(root, [*words[1:], "--help"]).exit_code == 0, words
        elif words[0] == "bench":
            assert words[1] in NAMES


def test_both_languages_say_the_same() -> None:
    english, chinese = (text_of(page) for page in READMES)
    assert commands(READMES[0]) == commands(READMES[1])
    assert english.count("\n## ") == chinese.count("\n## ")
    assert english.count("\n- ") == chinese.count("\n- ")
    links = re.compile(r"\]\(([^)]+)\)")
    assert set(links.findall(english)) ^ set(links.findall(chinese)) == {"README.md", "README.zh-CN.md"}


@pytest.mark.parametrize("name", ["store.png", "order.png"])
def test_pictures_are_there_and_small(name: str) -> None:
    assert 10_000 < (ROOT / "docs" / "pictures" / name).stat().st_size < PICTURE_MAX_BYTES
