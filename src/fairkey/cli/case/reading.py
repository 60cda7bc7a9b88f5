"""`fairkey case read | confirm`: what files propose, and what the person says is so."""

import hashlib
import sys
from collections.abc import Iterator, Sequence
from functools import partial, reduce
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import rich_click as click
from msgspec import structs
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from fairkey.casework.arrivals import inspect
from fairkey.casework.disk import open_regular
from fairkey.casework.folder import CaseFolder, CaseIsRefused
from fairkey.casework.model import Case, ConfirmedFact, FactKind, FactRole, ProposedFact
from fairkey.casework.reading.confirming import confirmed, purchase_with
from fairkey.casework.readings import HINTS, read_case
from fairkey.casework.texts import NOTHING, Words, noted, words

from .parts import (
    budget_option,
    case_argument,
    errors,
    json_option,
    language,
    now_ms,
    opened,
    say,
    speaking,
    staged_progress,
    tell,
    tell_of,
    told,
)

_T = TypeVar("_T")


@click.command()
@click.argument("paths", metavar="FILE… | CASE", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--again", is_flag=True, help="Read files of CASE again that were read before.")
@budget_option
@json_option
def read(paths: tuple[Path, ...], again: bool, budget_s: float, as_json: bool) -> None:  # noqa: FBT001
    """Read files on this machine and propose facts, each with its place; of a CASE, they are kept in it.

    Proposals only: nothing counts before it is confirmed (fairkey case confirm). Exit code 1 when a file was not read.
    """
    with speaking(as_json=as_json):
        is_case = len(paths) == 1 and paths[0].is_dir()
        if is_case:
            folder = opened(paths[0])
            notes = _read_case(folder, again=again, budget_s=budget_s, as_json=as_json)
            case = folder.read()
            names = {one.seal.sha256: one.name for one in case.files}
            facts: Sequence[ProposedFact] = case.proposed
            copies = {one.seal.sha256: one.near_duplicate_of for one in case.files if one.near_duplicate_of}
            hints = [noted(one.name, one.checks[name]) for one in case.files for name in HINTS if name in one.checks]
        else:
            facts, names, notes, hints = _read_files(paths, as_json=as_json)
            copies = {}
    shown = [_shown(number, fact, names) for number, fact in enumerate(facts, 1)]

    def lines() -> None:
        for one in shown:
            role = words("cli.role", role=words(f"roles.{one['role']}")) if one["role"] else NOTHING
            found = words(
                "cli.fact",
                number=f"{one['number']:>3}",
                kind=words(f"kinds.{one['kind']}"),
                role=role,
                value=_plainly(one["kind"], one["value"]),
                file=one["file"],
                sure=f"{one['confidence']:.0%}",
            )
            tell(found)
            if one["anchor"]:
                how, _, when = one["anchor"].partition(" ")
                tell(words(f"reckoned.{how}", when=when))
        for note in (*notes, *hints):
            tell(f"? {note.of(language())}")
        for copy, first in copies.items():
            tell(f"= {told('looks_like', copy=names[copy], first=names[first])}")
        if not shown:
            tell_of("nothing_read")
        elif is_case:
            tell_of("next_confirm", folder=paths[0])

    say(
        {
            "facts": shown,
            "notes": [one.of(language()) for one in notes],
            "hints": [one.of(language()) for one in hints],
            "near_duplicates": copies,
        },
        lines,
        as_json=as_json,
    )
    sys.exit(1 if notes else 0)


def _plainly(kind: str, value: int | str) -> str:
    """A value as people read it: money in yuan."""
    return f"¥{int(value) / 100:.2f}" if kind == FactKind.AMOUNT else str(value)


def _shown(number: int, fact: ProposedFact, names: dict[str, str]) -> dict[str, Any]:
    return {
        "number": number,
        "file": names.get(fact.file, fact.file),
        "sha256": fact.file,
        "kind": fact.kind.value,
        "value": fact.value,
        "region": msgspec.to_builtins(fact.region),
        "confidence": fact.confidence,
        "role": fact.role.value,
        "said_by": fact.said_by,
        "text": fact.text,
        "anchor": fact.anchor,
    }


def _read_files(
    paths: Sequence[Path], *, as_json: bool
) -> tuple[list[ProposedFact], dict[str, str], list[Words], list[Words]]:
    """Facts, names by SHA-256, notes on what was not read, and hints."""
    from fairkey.casework.reading import missing_for, read_file  # noqa: PLC0415 - heavy

    facts: list[ProposedFact] = []
    names: dict[str, str] = {}
    notes: list[Words] = []
    hints: list[Words] = []
    for path in _counted(paths, as_json=as_json):
        with open_regular(path) as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        arrival = inspect(path, path.name)
        names[sha256] = str(path)
        note = missing_for(arrival.media_type) or arrival.checks.get("reading", "")
        if note:
            notes.append(noted(path.name, note))
        else:
            told_now = read_file(path, sha256, arrival.media_type)
            facts += told_now.facts
            hints += [noted(path.name, told_now.note)] if told_now.note else []
    return facts, names, notes, hints


def _read_case(folder: CaseFolder, *, again: bool, budget_s: float, as_json: bool) -> list[Words]:
    """Read what was not read before; what was confirmed stays as it is."""
    from fairkey.casework.reading import reader_version  # noqa: PLC0415 - heavy
    from fairkey.casework.reading.apart import ReaderApart  # noqa: PLC0415 - heavy

    with folder.running(), staged_progress(as_json=as_json) as tell_stage, ReaderApart(budget_s) as reader:
        done = read_case(
            folder,
            reader,
            version=reader_version(),
            budget_s=budget_s,
            at_ms=now_ms,
            again=again,
            tell=partial(tell_stage, "read"),
        )
    closed = [noted(one.name, one.checks["reading"]) for one in folder.read().files if "reading" in one.checks]
    return closed + [noted(file.name, note) for file, note in done.unread]


def _counted(these: Sequence[_T], *, as_json: bool) -> Iterator[_T]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=errors, disable=as_json or not errors.is_terminal, transient=True) as bar:
        yield from bar.track(these, description="read")


@click.command()
@case_argument
@click.argument("numbers", metavar="NUMBER…", nargs=-1, required=True, type=click.IntRange(1))
@click.option("--value", default=None, help="What is so, if it was read wrong; amounts in fen, or as ¥12.34.")
@click.option("--role", type=click.Choice([one.value for one in FactRole if one]), default=None, help="Which it is.")
@json_option
def confirm(
    folder: Path,
    numbers: tuple[int, ...],
    value: str | None,
    role: str | None,
    as_json: bool,  # noqa: FBT001
) -> None:
    """Confirm proposed facts by the numbers that `fairkey case read CASE` shows; correct one with --value.

    The same fact in other files is confirmed with it, and all of them are named as its proof.
    """
    if value is not None and len(numbers) > 1:
        raise click.UsageError("--value corrects one fact: give one NUMBER")
    at_ms = now_ms()
    made: list[ConfirmedFact] = []

    def edit(case: Case) -> Case:
        made.clear()
        for number in numbers:
            if number > len(case.proposed):
                raise CaseIsRefused(f"There is no proposed fact {number}: fairkey case read {folder} shows them.")
            made.append(confirmed(case, case.proposed[number - 1], value, role, at_ms))
        new = {one.fact_id for one in made}
        facts = (*(one for one in case.facts if one.fact_id not in new), *{one.fact_id: one for one in made}.values())
        return structs.replace(case, facts=facts, purchase=reduce(purchase_with, made, case.purchase))

    with speaking(as_json=as_json):
        opened(folder).change("facts.confirmed", edit, at_ms=at_ms, facts={"numbers": ",".join(map(str, numbers))})
    figures = {"confirmed": [msgspec.to_builtins(one) for one in made]}

    def lines() -> None:
        for one in made:
            kind = words(f"kinds.{one.kind.value}")
            tell(f"✓ {told('confirmed', kind=kind, value=_plainly(one.kind.value, one.value), count=len(one.files))}")

    say(figures, lines, as_json=as_json)
