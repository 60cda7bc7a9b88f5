"""The standard on the command line: read it, and compute what it says of a case. Needs no server and no network."""

import json
from pathlib import Path
from typing import Any

import msgspec
import rich_click as click
from rich.console import Console
from rich.table import Table

from fairkey.business.basics import FieldIsInvalid
from fairkey.business.standard.deciding import Finding, evaluate
from fairkey.business.standard.library import Edition, editions, newest
from fairkey.business.standard.table import Words
from fairkey.business.standard.truth import Statement

console = Console()


class _Wrong(click.ClickException):
    exit_code = 2


@click.group()
def standard() -> None:
    """FK-AF-1: when a code counts as invalid, and what follows (see docs/standard.md)."""


_version = click.option("--version", "version", default="", help="Which version; the newest if not given.")
_language = click.option("--language", type=click.Choice(["zh", "en"]), default="en", show_default=True)


@standard.command()
@_version
@_language
@click.option("--json", "as_json", is_flag=True, help="The exact bytes of the version.")
def show(version: str, language: str, as_json: bool) -> None:  # noqa: FBT001 - click passes options so
    """Print the rows of a version and its hash."""
    edition = _edition(version)
    if as_json:
        click.echo(edition.data, nl=False)
        return
    say = _saying(language)
    table = Table("row", "what is wrong", "what decides", "what follows", show_lines=True)
    for row in edition.standard.rows:
        table.add_row(row.id, say(row.reason), say(row.decides), say(row.outcome))
    console.print(table)
    console.print(f"{edition.standard.name} {edition.standard.version}  sha256 {edition.standard.sha256}")


@standard.command(name="evaluate")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@_version
@_language
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")
def evaluate_file(file: Path, version: str, language: str, as_json: bool) -> None:  # noqa: FBT001
    """Compute what the standard says of the case in FILE.

    FILE holds JSON: a list of {"fact": "activated_at_ms", "value": 1800000000000, "rank": "E1", "source": "..."}.
    """
    edition = _edition(version)
    try:
        statements = msgspec.json.decode(file.read_bytes(), type=list[Statement])
        finding = evaluate(edition.standard, statements)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise _Wrong(f"{file} cannot be read: {error}") from None
    except FieldIsInvalid as invalid:
        raise _Wrong(f"{file}: {invalid.details['field']} is {str(invalid.details['why']).replace('_', ' ')}") from None
    if as_json:
        click.echo(json.dumps(msgspec.to_builtins(finding), ensure_ascii=False, sort_keys=True))
        return
    _print(edition, finding, language)


def _print(edition: Edition, finding: Finding, language: str) -> None:
    say, table = _saying(language), edition.standard
    case = table.cases()[finding.case]
    console.print(f"[bold]{finding.case}[/] {say(table.row_of(finding.case).reason)}", highlight=False)
    console.print(say(case.text), highlight=False)
    sums: dict[str, Any] = {
        "refund": f"{finding.refund_fen} fen {finding.refund_source}",
        "deduction": f"{finding.deduction_fen} fen",
        "points": f"shop {finding.shop_points}, buyer {finding.buyer_points}",
    }
    for name, value in sums.items():
        console.print(f"  {name}: {value}", highlight=False)
    for answered in finding.decided_by:
        answer = "unknown" if answered.answer is None else "yes" if answered.answer else "no"
        console.print(f"  because: {say(table.tests[answered.test].title)}: {answer}", highlight=False)
    for change in finding.changes:
        wanted = ", ".join(f"{one.test} {'yes' if one.answer else 'no'}" for one in change.tests) or "time passes"
        console.print(f"  would change it: {wanted} -> {change.case} {change.outcome}", highlight=False)
    console.print(f"{finding.standard} {finding.version}  sha256 {finding.sha256}", highlight=False)


def _edition(version: str) -> Edition:
    if not version:
        return newest()
    edition = editions().get(version)
    if edition is None:
        raise _Wrong(f"There is no version {version}; there are {', '.join(editions())}.")
    return edition


def _saying(language: str) -> Any:  # noqa: ANN401 - a function on words
    def say(words: Words) -> str:
        return words.zh if language == "zh" else words.en

    return say
