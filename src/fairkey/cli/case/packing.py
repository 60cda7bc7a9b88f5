"""`fairkey case pack`: one command from a case to what goes to a platform, an office or a court."""

import json
import sys
from pathlib import Path

import rich_click as click
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from .parts import case_argument, errors, json_option, now_ms, opened, say, speaking, tell


@click.command()
@case_argument
@click.option("-o", "--out", required=True, type=click.Path(path_type=Path), help="The pack's folder; OUT.zip too.")
@click.option("--unmasked", is_flag=True, help="Show personal data and codes in clear in the texts.")
@json_option
def pack(folder: Path, out: Path, unmasked: bool, as_json: bool) -> None:  # noqa: FBT001
    """Make a pack of CASE: letter, numbered evidence with pictures, timeline, seals, and how to check all of it."""
    from fairkey.casework.pack.making import PackIsRefused, make_pack  # noqa: PLC0415 - heavy

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with speaking(as_json=as_json):
        case = opened(folder)
        hidden = as_json or not errors.is_terminal
        with Progress(*columns, console=errors, disable=hidden, transient=True) as bar:
            task = bar.add_task("pack")
            try:
                made = make_pack(
                    case, out, shows_all=unmasked, tell=lambda what: bar.update(task, description=str(what)[:50])
                )
            except PackIsRefused as error:
                if as_json:
                    click.echo(json.dumps({"refused": "PackIsRefused", "sentence": str(error)}, ensure_ascii=False))
                else:
                    errors.print(str(error))
                sys.exit(1)
        facts = {"manifest_sha256": made.manifest_sha256, "is_masked": not unmasked}
        case.note("pack.made", at_ms=now_ms(), facts=facts)
    figures = {
        "folder": str(made.folder),
        "zip": str(made.zip),
        "exhibits": made.exhibits,
        "letters": made.letters,
        "manifest_sha256": made.manifest_sha256,
    }

    def lines() -> None:
        tell(f"{made.exhibits} pieces of evidence: {made.folder} and {made.zip}")
        tell(f"Fingerprint (SHA-256 of manifest.json): {made.manifest_sha256}")
        tell(f"Check it: fairkey verify {made.folder}, or README.txt in it.")

    say(figures, lines, as_json=as_json)
