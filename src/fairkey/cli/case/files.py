"""`fairkey case new | add | show | seal | verify`: files into a case, and whether they are still what they were."""

import sys
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import rich_click as click
from rich.progress import Progress, TaskID

from fairkey.casework.checking import BAD, UNKNOWN, Found, check_case
from fairkey.casework.disk import FileIsRefused
from fairkey.casework.folder import CaseFolder, new_case
from fairkey.casework.mails import Records, ask_dns, look_with
from fairkey.casework.model import Capture, Case, Problem, Purpose
from fairkey.casework.moments import moment
from fairkey.casework.receipts import Logged, log_lists, remember, remembered
from fairkey.casework.sealing import Added, Look, add_file, files_below
from fairkey.casework.stamping import Stamped, close_list, stamp_lists
from fairkey.casework.texts import Words, about, data, same, words
from fairkey.casework.texts import sentence as in_words

from .parts import (
    authorities_in,
    case_argument,
    json_option,
    language,
    log_option,
    logs_in,
    now_ms,
    opened,
    policy_at,
    policy_option,
    progress_bar,
    roots_at,
    roots_option,
    say,
    speaking,
    tell,
    tell_of,
    told,
    tsa_option,
)

HOWS = ("screenshot", "photo", "recording", "export", "mail", "page", "paper", "other")
_MARKS = {"good": "✓", "bad": "✗", "unknown": "?", "left": "–"}


@click.command()
@case_argument
@click.option("--title", default="", help="What it is about, in your words.")
@click.option("--problem", type=click.Choice([one.value for one in Problem]), default="other", show_default=True)
@click.option(
    "--for", "purpose", type=click.Choice([one.value for one in Purpose]), default="living", show_default=True
)
@json_option
def new(folder: Path, title: str, problem: str, purpose: str, as_json: bool) -> None:  # noqa: FBT001
    """Begin a case in the folder CASE, which is not there yet or is empty."""
    at_ms = now_ms()
    made = Case(
        case_id=str(uuid4()), created_at_ms=at_ms, title=title, problem=Problem(problem), purpose=Purpose(purpose)
    )
    with speaking(as_json=as_json):
        new_case(folder, made)
    figures = {"case_id": made.case_id, "folder": str(folder)}
    say(figures, lambda: tell_of("begun", folder=folder), as_json=as_json)


@click.command()
@case_argument
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--how", type=click.Choice(HOWS), default="other", show_default=True, help="How they were made.")
@click.option("--who", default="", help="Who made them.")
@click.option("--device", default="", help="On what device and software.")
@click.option("--purpose", default="", help="What they show (for the list of evidence).")
@click.option("--nonce", default="", help="The word shown in a recording (fairkey case record).")
@click.option(
    "--dns-records", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Keys of mail domains."
)
@click.option("--offline", is_flag=True, help="Ask nobody: no keys of mail domains, no time stamps.")
@click.option("--move", "gives", is_flag=True, help="Move the files into the case instead of copying them.")
@tsa_option
@roots_option
@json_option
def add(  # noqa: PLR0913 - one for each option
    folder: Path,
    files: tuple[Path, ...],
    how: str,
    who: str,
    device: str,
    purpose: str,
    nonce: str,
    dns_records: Path | None,
    offline: bool,  # noqa: FBT001
    gives: bool,  # noqa: FBT001
    tsa_text: str,
    tsa_roots: Path | None,
    as_json: bool,  # noqa: FBT001
) -> None:
    """Seal FILES (or all files in a folder) into CASE: copied, hashed, told apart, looked at; yours stay as they are.

    A file that is refused is named with the reason, and the others come in. Exit code 1 when any was refused.
    """
    capture = Capture(who=who, how=how, device=device, nonce=nonce)
    with speaking(as_json=as_json):
        case = opened(folder)
        records = Records(case.records, at_ms=now_ms(), given=dns_records, ask=None if offline else ask_dns)
        added, refused = take_all(
            case, files, capture, look_with(records), purpose=purpose, gives=gives, as_json=as_json
        )
        close_list(case, at_ms=now_ms())
        stamped = [] if offline else stamp(case, tsa_text, tsa_roots)
    say(
        {
            "added": [_file_figures(one) for one in added],
            "refused": [{"name": name, "sentence": sentence.of(language())} for name, sentence in refused],
            "stamps": [_stamp_figures(one) for one in stamped],
        },
        lambda: _tell_added(case, added, refused, stamped),
        as_json=as_json,
    )
    sys.exit(1 if refused else 0)


def take_all(
    case: CaseFolder,
    sources: tuple[Path, ...],
    capture: Capture,
    look: Look,
    *,
    purpose: str,
    gives: bool,
    as_json: bool,
) -> tuple[list[Added], list[tuple[str, Words]]]:
    """Each file that can be taken is taken; the others come back with a sentence."""
    added: list[Added] = []
    refused: list[tuple[str, Words]] = []
    with progress_bar(as_json=as_json) as bar:
        for path in (one for source in sources for one in files_below(source)):
            task = bar.add_task(path.name[:40], total=_size_bytes(path))
            hear = partial(_hear, bar, task)
            try:
                one = add_file(
                    case, path, capture, at_ms=now_ms(), purpose=purpose, look=look, on_progress=hear, gives=gives
                )
            except FileIsRefused as error:
                refused.append((path.name, about(path.name, error)))
            else:
                added.append(one)
            bar.remove_task(task)
    return added, refused


def _hear(bar: Progress, task: TaskID, count: int) -> None:
    bar.update(task, completed=count)


def _size_bytes(path: Path) -> int | None:
    try:
        return path.lstat().st_size
    except OSError:
        return None


def stamp(case: CaseFolder, tsa_text: str, tsa_roots: Path | None) -> list[Stamped]:
    """Ask the authorities, when there are any and roots to check them by. Raises `click.UsageError`."""
    authorities, roots = authorities_in(tsa_text), roots_at(tsa_roots)
    if bool(authorities) and roots is None:
        raise click.UsageError("--tsa goes with --tsa-roots: nobody's stamp is believed unchecked.")
    if not authorities or roots is None:
        return []
    return stamp_lists(case, authorities, roots, at_ms=now_ms())


def enter(case: CaseFolder, log_text: str, policy_path: Path | None = None) -> list[Logged]:
    """Ask the logs that were named, or those of before, for receipts that are missing. Raises `click.UsageError`."""
    logs, policy = logs_in(log_text), policy_at(policy_path) if log_text else None
    if logs and policy is None:
        raise click.UsageError("--log goes with --policy: no log is believed unchecked.")
    if not logs or policy is None:
        logs, policy = remembered(case)
    if not logs or policy is None:
        return []
    remember(case, logs, policy)
    return log_lists(case, logs, policy, at_ms=now_ms())


def _entry_figures(one: Logged) -> dict[str, Any]:
    entry = one.entry
    return {
        "list": one.list_no,
        "log": entry.origin if entry else one.log,
        "entry": entry.number if entry else None,
        "witnessed_at_ms": entry.witnessed_at_ms if entry else 0,
        "refused": one.refused,
    }


def tell_entries(logged: list[Logged]) -> None:
    """A line for each list that a log was asked about."""
    for one in logged:
        if one.entry is not None:
            when = moment(one.entry.witnessed_at_ms or one.entry.at_ms)
            tell(f"✓ {told('logged', log=one.entry.origin, list=one.list_no, entry=one.entry.number, when=when)}")
        else:
            tell(f"? {told('no_entry', log=one.log, list=one.list_no, why=in_words(one.refused))}")


def _file_figures(one: Added) -> dict[str, Any]:
    file: dict[str, Any] = msgspec.to_builtins(one.file)
    return file | {"is_known": one.is_known}


def _stamp_figures(one: Stamped) -> dict[str, Any]:
    return {
        "list": one.list_no,
        "authority": one.authority,
        "at_ms": one.stamp.gen_time_ms if one.stamp else 0,
        "refused": one.refused,
    }


def _check(name: str, note: str) -> str:
    kind = data().texts["checks"].get(name) or same(name)
    return words("cli.check", name=kind, note=in_words(note)).of(language())


def _tell_added(case: CaseFolder, added: list[Added], refused: list[tuple[str, Words]], stamped: list[Stamped]) -> None:
    for one in added:
        known = told("known") if one.is_known else ""
        tell(f"✓ {one.file.name}  {one.file.media_type}  SHA-256 {one.file.seal.sha256[:16]}…{known}")
        for name, note in one.file.checks.items():
            tell(f"    {_check(name, note)}")
    for _, sentence in refused:
        tell(f"✗ {sentence.of(language())}")
    _tell_stamps(case, stamped)


def _tell_stamps(case: CaseFolder, stamped: list[Stamped]) -> None:
    for one in stamped:
        if one.stamp is not None:
            when = moment(one.stamp.gen_time_ms)
            tell(f"✓ {told('stamped', tsa=one.stamp.tsa, list=one.list_no, when=when)}")
        else:
            tell(f"? {told('no_stamp', tsa=one.authority, why=in_words(one.refused))}")
    waiting = sum(1 for one in case.read().files if not one.seal.stamped_at_ms)
    if waiting:
        tell_of("waiting", count=waiting, folder=case.path)


@click.command()
@case_argument
@json_option
def show(folder: Path, as_json: bool) -> None:  # noqa: FBT001
    """Print the case: its files with their seals, what is known, what was done."""
    with speaking(as_json=as_json):
        case = opened(folder).read()

    def lines() -> None:
        title = case.title or words("cli.show_case")
        tell_of("show_head", title=title, case=case.case_id, revision=case.revision)
        problem, purpose = words(f"problems.{case.problem.value}"), words(f"purposes.{case.purpose.value}")
        tell_of("show_what", when=moment(case.created_at_ms), problem=problem, purpose=purpose)
        for number, one in enumerate(case.files, 1):
            at_ms = one.seal.stamped_at_ms
            stamped = told("show_stamped", when=moment(at_ms)) if at_ms else told("show_waits")
            tell(f"{number:>3}. {one.name}  {one.media_type}  {one.seal.size_bytes:,} B  {stamped}")
            tell(f"     SHA-256 {one.seal.sha256}")
            for name, note in one.checks.items():
                tell(f"     {_check(name, note)}")
        tell_of("show_count", proposed=len(case.proposed), facts=len(case.facts), steps=len(case.steps))

    say(msgspec.to_builtins(case), lines, as_json=as_json)


@click.command()
@case_argument
@tsa_option
@roots_option
@log_option
@policy_option
@json_option
def seal(
    folder: Path,
    tsa_text: str,
    tsa_roots: Path | None,
    log_text: str,
    policy_path: Path | None,
    as_json: bool,  # noqa: FBT001
) -> None:
    """Put new files on a sealed list, and ask for the time stamps and log receipts that are still missing.

    A log is sent the SHA-256 of the list and nothing else. Exit code 0: all files are stamped, and in the logs that
    were named. 3: some wait.
    """
    with speaking(as_json=as_json):
        case = opened(folder)
        close_list(case, at_ms=now_ms())
        stamped = stamp(case, tsa_text, tsa_roots)
        logged = enter(case, log_text, policy_path)
        waiting = sum(1 for one in case.read().files if not one.seal.stamped_at_ms)
    figures = {
        "stamps": [_stamp_figures(one) for one in stamped],
        "entries": [_entry_figures(one) for one in logged],
        "waiting": waiting,
    }

    def lines() -> None:
        _tell_stamps(case, stamped)
        tell_entries(logged)

    say(figures, lines, as_json=as_json)
    asks_stamps = bool(stamped) or not logged
    sys.exit(3 if (waiting and asks_stamps) or any(one.entry is None for one in logged) else 0)


@click.command()
@case_argument
@roots_option
@policy_option
@json_option
def verify(folder: Path, tsa_roots: Path | None, policy_path: Path | None, as_json: bool) -> None:  # noqa: FBT001
    """Check the journal, every original and every seal of CASE, without a network.

    Exit code 0: holds. 1: does not hold. 3: cannot tell.
    """
    with speaking(as_json=as_json):
        found = check_case(CaseFolder(folder), roots_at(tsa_roots), policy=policy_at(policy_path))
    states = {one.state for one in found}
    code = 1 if BAD in states else 3 if UNKNOWN in states else 0

    def lines() -> None:
        for one in found:
            tell(f"{_MARKS[one.state]} {in_words(one.sentence).of(language())}")
            for detail in one.details:
                tell(f"    {in_words(detail).of(language())}")
        tell_of({0: "holds", 1: "broken", 3: "cannot_tell"}[code])

    say({"holds": code == 0, "steps": [found_figures(one) for one in found]}, lines, as_json=as_json)
    sys.exit(code)


def found_figures(one: Found) -> dict[str, Any]:
    """A finding for programs."""
    return {"step": one.step, "state": one.state, "sentence": one.sentence, "details": list(one.details)}
