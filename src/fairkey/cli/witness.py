"""`fairkey witness`: watch other people's logs. Needs no house and no database."""

import contextlib
import json
import logging
import signal
import socket
import sys
import time
from pathlib import Path
from typing import NoReturn

import rich_click as click

from fairkey.proofs.notes import SignerKey
from fairkey.witness.keeping import KEY_FILE, SEEN_FILE, CannotKeep, logs_watched, read_key
from fairkey.witness.seen import SeenLogs, Watched, begin, watched
from fairkey.witness.serving import A_SECOND, WitnessApp

HERE = "127.0.0.1"
CONNECTIONS_MAX = 500
STOP_WITHIN_S = 5

folder_option = click.option(
    "--state",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="The witness's folder: its key and what it has seen. They belong together for life.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")


def _stop(sentence: str) -> NoReturn:
    click.echo(sentence, err=True)  # as it is: what is to be typed must not be broken into lines
    sys.exit(1)


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
        vkey = str(begin(folder, name).verifier)
    except CannotKeep as reason:
        _stop(str(reason))
    click.echo(json.dumps({"vkey": vkey}) if as_json else vkey)


@witness.command()
@folder_option
@json_option
def key(folder: Path, as_json: bool) -> None:  # noqa: FBT001
    """Print the public key."""
    try:
        vkey = str(read_key(folder).verifier)
    except CannotKeep as reason:
        _stop(str(reason))
    click.echo(json.dumps({"vkey": vkey}) if as_json else vkey)


@witness.command(name="seen")
@folder_option
@json_option
def seen_logs(folder: Path, as_json: bool) -> None:  # noqa: FBT001
    """Show what was cosigned last of each log, and the proof when a log was caught with two histories."""
    try:
        logs = watched(folder)
    except CannotKeep as reason:
        _stop(str(reason))
    if as_json:
        click.echo(json.dumps({"logs": [_figures(one) for one in logs]}, ensure_ascii=False, sort_keys=True))
        return
    if not logs:
        click.echo("Nothing was cosigned yet.")
    for one in logs:
        click.echo(f"{one.origin}  {one.seen.size} entries  {_moment(one.seen.at_s)}")
        if one.fork is not None:
            click.echo(f"\n{one.origin} signed two histories; the second was refused {_moment(one.fork.at_s)}:\n")
            click.echo(one.fork.cosigned + b"\n" + one.fork.refused)


def _figures(one: Watched) -> dict[str, object]:
    figures: dict[str, object] = {
        "origin": one.origin,
        "size": one.seen.size,
        "root": one.seen.root.hex(),
        "at_s": one.seen.at_s,
        "checkpoint": one.note.decode(),
        "fork": None,
    }
    if one.fork is not None:
        cosigned, refused = one.fork.cosigned.decode(), one.fork.refused.decode()
        figures["fork"] = {"at_s": one.fork.at_s, "cosigned": cosigned, "refused": refused}
    return figures


def _moment(at_s: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(at_s))


@witness.command()
@folder_option
@click.option("--name", help="Make the key first when the folder has none (as `init` does).")
@click.option("--log", "vkeys", multiple=True, help="Key of a log to watch (`fairkey log vkey`). Repeatable.")
@click.option(
    "--policy",
    "policies",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A policy file; the logs it names are watched. Repeatable.",
)
@click.option("--host", default=HERE, show_default=True, help="Where to listen.")
@click.option("--port", default=8700, show_default=True, help="Where to listen; 0 takes a free one.")
@click.option(
    "--a-second", default=A_SECOND, show_default=True, help="Requests a second about one log from one address."
)
def serve(
    *,
    folder: Path,
    name: str | None,
    vkeys: tuple[str, ...],
    policies: tuple[Path, ...],
    host: str,
    port: int,
    a_second: float,
) -> None:
    """Answer logs until told to stop. `logs.txt` in the folder (one key a line) is read as well."""
    try:
        logs = logs_watched(vkeys, policies, folder)
        signer = _signer(folder, name)
        memory = SeenLogs(folder / SEEN_FILE, signer, lambda: int(time.time()))
    except CannotKeep as reason:
        _stop(str(reason))
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)-7s %(name)s: %(message)s")
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    with contextlib.closing(memory):
        sys.exit(_serve(WitnessApp(signer.verifier, logs, memory, a_second=a_second), signer, sorted(logs), host, port))


def _signer(folder: Path, name: str | None) -> SignerKey:
    if name is None:
        return read_key(folder)
    if not (folder / KEY_FILE).exists():
        return begin(folder, name)
    signer = read_key(folder)
    if signer.verifier.name != name:
        raise CannotKeep(f"The witness in {folder} is {signer.verifier.name}, not {name}; names are for life.")
    return signer


def _serve(app: WitnessApp, signer: SignerKey, origins: list[str], host: str, port: int) -> int:
    try:
        import uvicorn  # noqa: PLC0415 - only a house and a witness that listens need it
    except ModuleNotFoundError as error:
        _stop(f"This command needs fairkey[witness]: {error.name} is not installed here.")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, port), family=family)
    except OSError as error:
        _stop(f"{host} port {port} cannot be listened on: {error.strerror}.")
    config = uvicorn.Config(
        app,
        access_log=False,
        log_config=None,
        server_header=False,
        ws="none",
        limit_concurrency=CONNECTIONS_MAX,
        timeout_graceful_shutdown=STOP_WITHIN_S,
    )
    server = uvicorn.Server(config)

    def stop(*_: object) -> None:
        server.should_exit = True  # nothing is raised: where it meets an import's own call-back it would be swallowed

    for number in (signal.SIGINT, signal.SIGTERM):  # uvicorn takes them over when it starts, and then passes them on
        signal.signal(number, stop)
    click.echo(f"witness {signer.verifier}", err=True)
    for origin in origins:
        click.echo(f"watches {origin}", err=True)
    click.echo(f"listens http://{host}:{listening.getsockname()[1]}", err=True)
    with listening:
        server.run(sockets=[listening])
    return 0
