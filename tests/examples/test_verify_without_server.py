"""A verifier installs alone: with the base packages only, what strangers type works, the rest says what it needs."""

import os
import re
import subprocess
import sys
import tomllib
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path

import pytest

from log_files import write_log
from repo.tree import ROOT
from verify_cases import leaves, policy_of, receipt

ALONE = """
import sys
allowed = set(sys.argv.pop(1).split(",")) | sys.stdlib_module_names | {"fairkey"}
class Alone:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] not in allowed and not name.startswith("_sysconfigdata"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Alone())
from fairkey.main import main
main()
"""


def base_modules() -> set[str]:
    """The top-level modules of the base packages and of everything they need."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    waiting, known = list(project["dependencies"]), set()
    while waiting:
        name = re.split(r"[^A-Za-z0-9._-]", waiting.pop().strip())[0].lower().replace("_", "-")
        if name not in known:
            known.add(name)
            with suppress(PackageNotFoundError):  # for another system or an older Python
                waiting += [one for one in requires(name) or [] if "extra ==" not in one]
    return {
        module
        for module, packages in packages_distributions().items()
        if known & {one.lower().replace("_", "-") for one in packages}
    }


def alone(folder: Path, *words: object) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("FAIRKEY_", "XDG_"))}
    environment = {**kept, "PYTHONPATH": str(ROOT / "src"), "HOME": str(folder)}
    command = [sys.executable, "-c", ALONE, ",".join(base_modules()), *map(str, words)]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_the_base_packages_hold_nothing_of_a_server() -> None:
    assert not base_modules() & {"asyncpg", "litestar", "httpx", "uvicorn", "sqlalchemy", "anyio", "jinja2"}


def test_what_strangers_type_works_with_the_base_packages(tmp_path: Path) -> None:
    (tmp_path / ".config/fairkey").mkdir(parents=True)
    (tmp_path / ".config/fairkey/policy").write_text(policy_of(), encoding="utf-8")
    (tmp_path / "a.fairkey-receipt").write_bytes(receipt())
    write_log(tmp_path / "log", [leaf.body for leaf in leaves()])
    for words in (
        ("verify", "a.fairkey-receipt"),
        ("verify", "log"),
        ("log", "audit", "--log", "log"),
        ("issuer", "keygen", "key"),
        ("--help",),
        ("verify", "--help"),
        ("log", "--help"),
    ):
        done = alone(tmp_path, *words)
        assert done.returncode == 0, (words, done.stdout, done.stderr)
        assert "Traceback" not in done.stderr
    assert (tmp_path / ".local/state/fairkey/seen").is_dir()


@pytest.mark.parametrize(
    "words",
    [("serve",), ("demo",), ("migrate",), ("orders",), ("log", "vkey"), ("log", "audit"), ("log", "export", "x")],
)
def test_other_commands_say_in_one_sentence_what_they_need(words: tuple[str, ...], tmp_path: Path) -> None:
    done = alone(tmp_path, *words)
    assert done.returncode == 2, done.stderr
    assert re.fullmatch(r"This command needs fairkey\[server\]: \w+ is not installed here\.\n", done.stderr), (
        done.stderr
    )
