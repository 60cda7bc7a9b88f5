"""`fairkey witness`: watch other people's logs. Needs no house and no database."""

import json
import logging
import sys
import time
from pathlib import Path

import rich_click as click

from fairkey.witness.keeping import SEEN_FILE, CannotKeep, logs_watched, make_key, read_key
from fairkey.witness.seen import SeenLogs
from fairkey.witness.serving import WitnessApp

HERE = "127.0.0.1"

folder_option = click.option(
    "--state",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="The witness's folder: its key and what it has seen. Keep it, and a copy of the key.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")


@click.group()
def witness() -> None:
    """Watch transparency logs and cosign what extends what was seen before (C2SP tlog-witness)."""


@witness.command()
@folder_option
@click.option("--name", required=True, help="An address without scheme that is yours, like witness.example/w1.")
@json_option
def init(folder: Path, name: str, as_json: bool) -> None:  # noqa: FBT001 - click passes options so
    """Make the key, once, and print its public half for those who shall believe it."""
    try:
        vkey = str(make_key(folder, name).verifier)
    except CannotKeep as reason:
        raise click.ClickException(str(reason)) from None
    click.echo(json.dumps({"vkey": vkey}) if as_json else vkey)


@witness.command()
@folder_option
@json_option
def key(folder: Path, as_json: bool) -> None:  # noqa: FBT001
    """Print the public key."""
    try:
        vkey = str(read_key(folder).verifier)
    except CannotKeep as reason:
        raise click.ClickException(str(reason)) from None
    click.echo(json.dumps({"vkey": vkey}) if as_json else vkey)


@witness.command()
@folder_option
@click.option("--log", "vkeys", multiple=True, help="Key of a log to watch (`fairkey log vkey`). Repeatable.")
@click.option(
    "--policy",
    "policies",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A policy file; the logs it names are watched. Repeatable.",
)
@click.option("--host", default=HERE, show_default=True, help="Where to listen.")
@click.option("--port", default=8700, show_default=True, help="Where to listen.")
@click.option("--a-second", default=10.0, show_default=True, help="Requests a second that each log may make.")
def serve(
    folder: Path, vkeys: tuple[str, ...], policies: tuple[Path, ...], host: str, port: int, a_second: float
) -> None:
    """Answer logs until told to stop. `logs.txt` in the folder (one key a line) is read as well."""
    import uvicorn  # noqa: PLC0415 - only a house and a witness that listens need it

    try:
        signer = read_key(folder)
        logs = logs_watched(vkeys, policies, folder)
    except CannotKeep as reason:
        raise click.ClickException(str(reason)) from None
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)-7s %(name)s: %(message)s")
    seen = SeenLogs(folder / SEEN_FILE, signer, lambda: int(time.time()))
    click.echo(f"witness {signer.verifier}", err=True)
    for origin in sorted(logs):
        click.echo(f"watches {origin}", err=True)
    try:
        uvicorn.run(
            WitnessApp(signer.verifier, logs, seen, a_second=a_second),
            host=host,
            port=port,
            access_log=False,
            log_config=None,
            server_header=False,
        )
    finally:
        seen.close()
    sys.exit(0)
