"""The docs say what is true now: commands exist, settings are all there, links lead somewhere."""

import ast
import re
import subprocess
from dataclasses import fields
from pathlib import Path

import pytest

from fairkey.settings import Settings, settings_page
from repo.tree import ROOT, committed, python_files, text_of

PAGES = [path for path in committed() if path.suffix == ".md"]
COMMANDS = set(re.findall(r"^run_([a-z]+)\(\) \{ ## ", text_of(Path("run")), re.MULTILINE))
PROMISED = {"demo", "serve", "fairkey", "test", "check", "bench", "simulate", "docs", "screenshots"}


def test_the_page_of_settings_is_the_one_printed_from_the_code() -> None:
    assert text_of(Path("docs/settings.md")) == settings_page(), "./run docs"


def test_every_setting_is_read_somewhere() -> None:
    read: set[str] = set()
    for path in python_files("src/fairkey"):
        if path.name != "settings.py":
            nodes = ast.walk(ast.parse(text_of(path)))
            read |= {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    # The rest of these is read through a property of Settings.
    through = {"state_dir": "state", "public_url": "origin", "master_key_file": "master_key", "mode": "is_playground"}
    assert [each.name for each in fields(Settings) if through.get(each.name, each.name) not in read] == []


def test_settings_are_read_from_the_environment_in_one_place() -> None:
    mentions = re.compile(r"(?:getenv|environ\.get)\([\"']FAIRKEY_|environ\[[\"']FAIRKEY_\w+[\"']\](?! = )")
    may = {Path("src/sandbox_provider/__main__.py")}  # refuses to start outside demo and test
    assert [str(path) for path in python_files("src") if mentions.search(text_of(path)) and path not in may] == []


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_docs_name_only_commands_that_exist(page: Path) -> None:
    assert set(re.findall(r"\./run ([a-z]+)", text_of(page))) <= COMMANDS


def test_the_script_has_what_is_promised_and_explains_it() -> None:
    assert COMMANDS >= PROMISED
    shown = subprocess.run([str(ROOT / "run")], check=True, capture_output=True, text=True).stdout
    assert {word for word in COMMANDS if f"./run {word} " in shown} == COMMANDS


def test_an_unknown_command_is_refused_in_words() -> None:
    run = subprocess.run([str(ROOT / "run"), "dmeo"], check=False, capture_output=True, text=True)
    assert (run.returncode, run.stdout) == (1, "")
    assert run.stderr == "fairkey: there is no command 'dmeo'; ./run alone lists them.\n"


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_docs_link_to_files_that_exist(page: Path) -> None:
    prose = re.sub(r"```.*?```", "", text_of(page), flags=re.DOTALL)
    targets = [target.partition("#")[0] for target in re.findall(r"\]\(([^)\s]+)\)", prose)]
    local = [target for target in targets if target and not re.match(r"[a-z]+:", target)]
    assert [target for target in local if not (ROOT / page.parent / target).exists()] == []


def test_the_readme_shows_the_two_commands() -> None:
    readme = text_of(Path("README.md"))
    assert "./run demo" in readme
    assert "./run test" in readme
