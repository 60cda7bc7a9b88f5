"""`fairkey log`: the public log of this installation, and audits of anybody's."""

import asyncio
import json
import sys
from collections.abc import Mapping

import rich_click as click
from rich.console import Console

from .entry import Entry, LogIsNotBegun

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")

errors = Console(stderr=True)


@click.group()
def log() -> None:
    """The public log of this installation."""


@log.command(name="begin-anew")
@click.option("--origin", required=True, help="Name of the new log, like keys.example/log-2; never used before.")
@click.option("--why", required=True, help="Why the old one ends, for whoever asks later.")
@json_option
@click.pass_obj
def begin_anew(entry: Entry, origin: str, why: str, as_json: bool) -> None:  # noqa: FBT001
    """End the log for good and log every event again under a new origin and key: after a backup that is too old."""

    async def begin() -> Mapping[str, str]:
        return await entry.begin_log_anew(origin, why)

    try:
        begun = asyncio.run(begin())
    except LogIsNotBegun as error:
        errors.print(str(error), highlight=False)
        sys.exit(1)
    if as_json:
        click.echo(json.dumps(dict(begun), ensure_ascii=False, sort_keys=True))
    else:
        for name, value in begun.items():
            click.echo(f"{name}  {value}")
