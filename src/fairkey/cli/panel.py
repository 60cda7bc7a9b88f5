"""Panels on the command line: draw one again from its file, without a server; show one of a house."""

import json
import os
from pathlib import Path
from typing import Final
from urllib.request import Request, urlopen

import rich_click as click
from rich.console import Console
from rich.table import Table

from fairkey.proofs.panel_files import PANEL_BYTES_MAX, PanelDoesNotHold, Redrawn, verify_panel_file
from fairkey.proofs.policies import Policy
from fairkey.verifying.trust import find_trust

console: Final = Console(highlight=False)
FETCH_S: Final = 30


class _Wrong(click.ClickException):
    exit_code = 2


class _DoesNotHold(click.ClickException):
    exit_code = 1


@click.group()
def panel() -> None:
    """Panels of arbitrators: who was drawn, and whether it was by lot (see docs/arbitration.md)."""


@panel.command(name="verify")
@click.argument("place")
@click.option("--policy", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Whom you believe.")
@click.option(
    "--checkpoint",
    "checkpoints",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A signed checkpoint that you have from elsewhere; the draw must not have skipped it.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")
def verify_panel(place: str, policy: Path | None, checkpoints: tuple[Path, ...], as_json: bool) -> None:  # noqa: FBT001 - click passes options so
    """Draw the panel in PLACE (a file or an address) again and count its votes.

    Ends with 0 when it holds, with 1 when it does not, with 2 when it cannot be told.
    """
    trusted = _policy(policy)
    try:
        redrawn = verify_panel_file(_read(place), trusted, [one.read_bytes() for one in checkpoints])
    except PanelDoesNotHold as error:
        raise _DoesNotHold(f"Does not hold: {error}.") from None
    _tell(redrawn, as_json=as_json)


@panel.command()
@click.argument("place")
@click.option("--policy", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Whom you believe.")
def show(place: str, policy: Path | None) -> None:
    """The same as `verify`, for people: the seats of the panel in PLACE."""
    try:
        redrawn = verify_panel_file(_read(place), _policy(policy))
    except PanelDoesNotHold as error:
        raise _DoesNotHold(f"Does not hold: {error}.") from None
    _tell(redrawn, as_json=False)


def _policy(path: Path | None) -> Policy:
    trust = find_trust(path, os.environ)
    if trust.policy is None:
        raise _Wrong("Name the policy with --policy: whose log and witnesses you believe.")
    return trust.policy


def _read(place: str) -> bytes:
    if not place.startswith(("https://", "http://")):
        try:
            with Path(place).open("rb") as file:
                return file.read(PANEL_BYTES_MAX + 1)
        except OSError as error:
            raise _Wrong(f"{place} cannot be read: {error.strerror}") from None
    try:
        request = Request(place, headers={"accept": "application/json"})  # noqa: S310 - the address was looked at
        with urlopen(request, timeout=FETCH_S) as answer:  # noqa: S310 - as above
            data: bytes = answer.read(PANEL_BYTES_MAX + 1)
            return data
    except OSError as error:
        raise _Wrong(f"{place} cannot be fetched: {error}") from None


def _tell(redrawn: Redrawn, *, as_json: bool) -> None:
    if as_json:
        told = {**redrawn._asdict(), "seats": [one._asdict() for one in redrawn.seats], "verdict": "holds"}
        click.echo(json.dumps(told, sort_keys=True))
        return
    console.print(f"panel {redrawn.panel_id}, level {redrawn.level}, category {redrawn.category}")
    console.print(
        f"pool {redrawn.pool} (excluded {redrawn.excluded}), drawn from the root of {redrawn.checkpoint_size}"
    )
    console.print(f"  {redrawn.root}")
    table = Table("seat", "stratum", "drawn", "by rule", "votes", "vote (fen, row)")
    for seat in redrawn.seats:
        holds = "himself" if seat.holds == seat.drawn else seat.holds
        table.add_row(str(seat.seat_no), seat.stratum, seat.drawn, seat.by_rule, holds, seat.vote)
    console.print(table)
    if redrawn.outcome:
        console.print(f"decision: {redrawn.outcome}, refund {redrawn.refund_fen} fen, by {redrawn.row or 'no row'}")
    console.print("Holds.")
