"""What the commands of a case share: their arguments, how they speak, who stamps."""

import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import rich_click as click
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from fairkey.casework.disk import FileIsRefused
from fairkey.casework.folder import CaseFolder, CaseIsRefused
from fairkey.casework.readings import BUDGET_S
from fairkey.casework.receipts import Log
from fairkey.casework.stamping import Authority
from fairkey.casework.texts import LANGUAGES, Words, told_of, words
from fairkey.proofs.policies import Policy
from fairkey.proofs.timestamps import ROOTS_BYTES_MAX, RootsAreUnreadable, TsaRoots, read_roots
from fairkey.verifying.reading import FileCannotBeRead, FileIsMissing, read_regular
from fairkey.verifying.reports import plain
from fairkey.verifying.trust import find_trust

console: Final = Console(highlight=False, markup=False, emoji=False, soft_wrap=True)
errors: Final = Console(stderr=True, highlight=False, markup=False, emoji=False, soft_wrap=True)

_LANG: Final = "fairkey.case.lang"
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")
case_argument = click.argument("folder", metavar="CASE", type=click.Path(file_okay=False, path_type=Path))
tsa_option = click.option(
    "--tsa",
    "tsa_text",
    envvar="FAIRKEY_TSA_URLS",
    default="",
    metavar="NAME=URL,…",
    help="Time-stamping authorities (RFC 3161). Else FAIRKEY_TSA_URLS, else seals wait.",
)
budget_option = click.option(
    "--budget",
    "budget_s",
    type=click.FloatRange(0, min_open=True),
    default=BUDGET_S,
    show_default=True,
    help="Seconds that reading one picture may take; four times as many for recordings and documents.",
)
roots_option = click.option(
    "--tsa-roots",
    envvar="FAIRKEY_TSA_ROOTS",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Root certificates (PEM) of the authorities you trust. Else FAIRKEY_TSA_ROOTS.",
)


log_option = click.option(
    "--log",
    "log_text",
    envvar="FAIRKEY_LOG_URLS",
    default="",
    metavar="NAME=URL,…",
    help="Fairkeys whose public logs take the hash of each list. Else FAIRKEY_LOG_URLS, else those of before.",
)
policy_option = click.option(
    "--policy",
    "policy_path",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Which logs and witnesses you trust. Else FAIRKEY_POLICY, else ~/.config/fairkey/policy.",
)


def _by_locale() -> str:
    """English where the machine speaks it; else Chinese."""
    spoken = next((os.environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(name)), "")
    return "en" if spoken.lower().startswith("en") else "zh"


def _choose(context: click.Context, _: click.Parameter, value: str | None) -> None:
    if value:
        context.meta[_LANG] = value


lang_option = click.option(
    "--lang",
    type=click.Choice(LANGUAGES),
    envvar="FAIRKEY_LANG",
    expose_value=False,
    is_eager=True,
    callback=_choose,
    help="What it tells you is in Chinese or English. Else FAIRKEY_LANG, else as LC_ALL, LC_MESSAGES or LANG say.",
)


def language() -> str:
    """`zh` or `en`, as the person wants to be told things."""
    context = click.get_current_context(silent=True)
    chosen = context.meta.get(_LANG) if context else None
    return str(chosen) if chosen else _by_locale()


def now_ms() -> int:
    """The clock of this machine."""
    return time.time_ns() // 1_000_000


@contextmanager
def speaking(*, as_json: bool) -> Iterator[None]:
    """What a case or file refuses becomes a sentence and exit code 1."""
    try:
        yield
    except (CaseIsRefused, FileIsRefused) as error:
        sentence = plain(told_of(error).of(language()))
        if as_json:
            click.echo(json.dumps({"refused": type(error).__name__, "sentence": sentence}, ensure_ascii=False))
        else:
            errors.print(sentence)
        sys.exit(1)


def say(figures: Mapping[str, Any], lines: Callable[[], None], *, as_json: bool) -> None:
    """Print one JSON object, or what `lines` prints for a person."""
    if as_json:
        click.echo(json.dumps(figures, ensure_ascii=False, sort_keys=True))
    else:
        lines()


def tell(line: str | Words) -> None:
    """One line for a person, in his language; foreign text in it disturbs nothing."""
    console.print(plain(line.of(language()) if isinstance(line, Words) else line))


def told(name: str, /, **gaps: object) -> str:
    """The text `cli.name` in the language of the person."""
    return words(f"cli.{name}", **gaps).of(language())


def tell_of(name: str, /, **gaps: object) -> None:
    """Print the text `cli.name`."""
    tell(words(f"cli.{name}", **gaps))


def progress_bar(*, as_json: bool) -> Progress:
    """A bar on standard error, where that is a terminal."""
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeElapsedColumn())
    return Progress(*columns, console=errors, disable=as_json or not errors.is_terminal, transient=True)


@contextmanager
def staged_progress(*, as_json: bool) -> Iterator[Callable[[str, str, int, int], None]]:
    """Hears a stage, what is being done, how much is done and of how much: shown on standard error, where that is a
    terminal.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=errors, disable=as_json or not errors.is_terminal, transient=True) as bar:
        task = bar.add_task("")

        def hear(stage: str, what: str, done: int, of: int) -> None:
            doing = words(f"running.{stage}").of(language())
            left = words("running.left", left=of - done).of(language())
            bar.update(task, description=plain(f"{doing} {what[:40]} {left}"), completed=done, total=of)

        yield hear


def opened(folder: Path) -> CaseFolder:
    """The case in a folder; refuses where there is none."""
    found = CaseFolder(folder)
    found.read()
    return found


def authorities_in(text: str) -> list[Authority]:
    """`name=address` or only `address`, commas between. Raises `click.UsageError`."""
    return [Authority(name, url) for name, url in _addresses("--tsa", text, "one=https://tsa.example/tsr")]


def logs_in(text: str) -> list[Log]:
    """The same, of logs. Raises `click.UsageError`."""
    return [Log(name, url.rstrip("/")) for name, url in _addresses("--log", text, "https://shop.example")]


def policy_at(path: Path | None) -> Policy | None:
    """The policy that a person chose, here or for all he verifies; None where there is none. Raises `click.UsageError`
    for one that cannot be read.
    """
    trust = find_trust(path, os.environ)
    if trust.policy is None and path is not None:
        raise click.UsageError(f"--policy: {trust.why}")
    return trust.policy


def _addresses(option: str, text: str, example: str) -> list[tuple[str, str]]:
    found: dict[str, str] = {}
    for part in (one.strip() for one in text.split(",") if one.strip()):
        name, equals, address = part.partition("=")
        if not equals or "/" in name:
            name, address = urlsplit(part).hostname or "", part
        if not name or not address.startswith(("http://", "https://")):
            raise click.UsageError(f"{option} wants addresses with commas between: {example}")
        found["".join(one if one.isalnum() or one in "-." else "-" for one in name)[:40]] = address
    return list(found.items())


def roots_at(path: Path | None) -> TsaRoots | None:
    """The roots that a person chose. Raises `click.UsageError`."""
    if path is None:
        return None
    try:
        return read_roots(read_regular(path, ROOTS_BYTES_MAX))
    except (RootsAreUnreadable, FileCannotBeRead, FileIsMissing) as error:
        raise click.UsageError(f"--tsa-roots: {error}") from None
