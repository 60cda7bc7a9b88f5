"""`fairkey verify`: is this receipt, promise, proof, code or log what it says? Needs no house and no server."""

import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import rich_click as click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

from fairkey.proofs.notes import VerifierKey
from fairkey.proofs.timestamps import ROOTS_BYTES_MAX, RootsAreUnreadable, TsaRoots, read_roots
from fairkey.verifying.judging import Given
from fairkey.verifying.reading import FileCannotBeRead, FileIsMissing, read_regular
from fairkey.verifying.reports import TITLES, Report, State, Step, Verdict, plain, verdict_of
from fairkey.verifying.seen import SeenHeads
from fairkey.verifying.targets import NothingThere, is_address
from fairkey.verifying.targets import verify as verify_target
from fairkey.verifying.trust import Trust, find_trust, state_folder

_MARKS: Final[Mapping[State, tuple[str, str]]] = {
    State.GOOD: ("✓", "green"),
    State.BAD: ("✗", "bold red"),
    State.UNKNOWN: ("?", "bold yellow"),
    State.LEFT: ("–", "dim"),
}
_WORDS: Final[Mapping[Verdict, tuple[str, str]]] = {
    Verdict.HOLDS: ("Holds", "bold green"),
    Verdict.DOES_NOT_HOLD: ("Does not hold", "bold red"),
    Verdict.CANNOT_TELL: ("Cannot tell", "bold yellow"),
}
_NEIGHBOURS: Final = ("policy", "policy.txt", "fairkey.policy")

errors = Console(stderr=True)


class Teller:
    """Prints steps one by one as they are decided; with `--json` nothing but one object at the end."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._out = Console(highlight=False, markup=False, emoji=False, soft_wrap=True)
        self._progress: Progress | None = None
        self._task: TaskID | None = None

    def begin(self, name: str) -> Callable[[Step], None]:
        """What hears the steps of one report."""
        self.line(name, "bold")
        numbers = iter(range(1, 1_000))
        return lambda step: self._step(next(numbers), step)

    def _step(self, number: int, step: Step) -> None:
        mark, style = _MARKS[step.state]
        title = f"{number:>3}. {TITLES[step.name]}: "
        self.line(Text.assemble(title, (mark, style), f" {plain(step.sentence)}"))
        for detail in step.details:
            self.line(f"       {plain(detail)}", style)

    def line(self, text: str | Text, style: str = "") -> None:
        """One line for a person."""
        if not self._as_json:
            self._out.print(Text(plain(text), style) if isinstance(text, str) else text)

    def progress(self, stack: ExitStack) -> Callable[[str, int, int], None]:
        """A bar on standard error, where that is a terminal."""
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        hidden = self._as_json or not errors.is_terminal
        bar = stack.enter_context(Progress(*columns, console=errors, disable=hidden, transient=True))
        tasks: dict[str, TaskID] = {}

        def hear(what: str, done: int, of: int) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=of)
            bar.update(tasks[what], completed=done)

        return hear

    def facts(self, report: Report) -> None:
        """What is proven, what was shown, what is not proven."""
        for name, value in [*report.facts.items(), *((f"in clear: {one}", value) for one, value in report.shown)]:
            self.line(Text.assemble((f"     {plain(name)}: ", "dim"), plain(value)))
        if report.verdict is Verdict.HOLDS and report.not_proven:
            self.line("     Not proven:", "dim")
            for sentence in dict.fromkeys(report.not_proven):
                self.line(f"       {sentence}", "dim")

    def verdict(self, verdict: Verdict) -> None:
        """The last line."""
        word, style = _WORDS[verdict]
        self.line(f"{word}.", style)

    def trust(self, trust: Trust, target: str) -> None:
        """Whom was trusted, so that it can be compared; and that no policy beside the target was."""
        if trust.policy is not None:
            self.line(f"Trusted: {trust.path}")
            self.line(f"SHA-256: {trust.fingerprint}")
        if beside := _policy_beside(target):
            used = trust.path and Path(trust.path).resolve() == beside.resolve()
            self.line(
                "That policy lies with what it is to judge: whoever made the one could have made the other."
                if used
                else f"Not trusted: {beside} lies with what is judged.",
                "yellow",
            )


def _policy_beside(target: str) -> Path | None:
    if is_address(target):
        return None
    path = Path(target)
    folder = path if path.is_dir() else path.parent
    return next((folder / name for name in _NEIGHBOURS if (folder / name).is_file()), None)


policy_option = click.option(
    "--policy",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Whom you trust. Else FAIRKEY_POLICY, else ~/.config/fairkey/policy.",
)
roots_option = click.option(
    "--tsa-roots",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Root certificates (PEM) of the time-stamping authorities you trust.",
)
memory_option = click.option(
    "--no-memory", is_flag=True, help="Neither compare with heads that were seen here before nor remember this one."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")


def given_by(policy: Path | None, tsa_roots: Path | None, *, no_memory: bool) -> Given:
    """What a person brings to a verification. Raises `click.UsageError` for roots that cannot be read."""
    folder = state_folder(os.environ)

    def seen_of(log: VerifierKey) -> SeenHeads | None:
        return None if no_memory else SeenHeads(folder, log)

    return Given(find_trust(policy, os.environ), _roots(tsa_roots), seen_of)


def _roots(path: Path | None) -> TsaRoots | None:
    if path is None:
        return None
    try:
        return read_roots(read_regular(path, ROOTS_BYTES_MAX))
    except (RootsAreUnreadable, FileCannotBeRead, FileIsMissing) as error:
        raise click.UsageError(f"--tsa-roots: {error}") from None


@click.command()
@click.argument("target", metavar="FILE|DIR|URL")
@policy_option
@click.option(
    "--entry",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The entry that a .tlog-proof is about.",
)
@roots_option
@memory_option
@json_option
def verify(
    target: str,
    policy: Path | None,
    entry: Path | None,
    tsa_roots: Path | None,
    no_memory: bool,  # noqa: FBT001 - click passes options so
    as_json: bool,  # noqa: FBT001
) -> None:
    """Verify a receipt, promise, proof, code's proof, a zip of these, or a whole log in a folder or at an address.

    Exit code 0: holds. 1: does not hold. 2: wrong call. 3: cannot tell.
    """
    given = given_by(policy, tsa_roots, no_memory=no_memory)
    teller = Teller(as_json=as_json)
    teller.trust(given.trust, target)
    try:
        with ExitStack() as stack:
            bar = teller.progress(stack)
            reports, others = verify_target(target, given, entry=entry, begin=teller.begin, progress=bar)
    except NothingThere as error:
        raise click.UsageError(f"{plain(str(error))[:1].upper()}{plain(str(error))[1:]}.") from None
    sys.exit(finish(teller, target, given.trust, reports, others, as_json=as_json))


def finish(
    teller: Teller, target: str, trust: Trust, reports: Sequence[Report], others: Sequence[str], *, as_json: bool
) -> int:
    """Print what was found out; the exit code."""
    verdict = verdict_of(list(reports))
    for report in reports:
        if len(reports) > 1:
            teller.line(f"{report.name}: {report.verdict}")
        else:
            teller.facts(report)
    for name in others:
        teller.line(f"Proves nothing, not looked at: {name}", "dim")
    teller.verdict(verdict)
    if as_json:
        click.echo(json.dumps(_figures(target, trust, reports, others, verdict), sort_keys=True))
    return verdict.exit_code


def _figures(
    target: str, trust: Trust, reports: Sequence[Report], others: Sequence[str], verdict: Verdict
) -> dict[str, Any]:
    return {
        "target": target,
        "verdict": str(verdict),
        "policy": {"path": trust.path, "sha256": trust.fingerprint.replace(" ", ""), "read": trust.policy is not None},
        "files": [
            {
                "name": report.name,
                "kind": report.kind,
                "verdict": str(report.verdict),
                "steps": [
                    {
                        "number": number,
                        "step": step.name,
                        "title": TITLES[step.name],
                        "state": str(step.state),
                        "sentence": step.sentence,
                        "details": list(step.details),
                    }
                    for number, step in enumerate(report.steps, 1)
                ],
                "facts": report.facts,
                "shown": [{"name": name, "value": value} for name, value in report.shown],
                "not_proven": list(dict.fromkeys(report.not_proven)),
            }
            for report in reports
        ],
        "not_looked_at": list(others),
    }
