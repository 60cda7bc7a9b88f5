"""`fairkey admission`: the operator's list of applications, and the published measures."""

import asyncio
import json
from typing import Any

import rich_click as click
from rich.console import Console
from rich.table import Table

from fairkey.business.basics import DAY_MS

from .entry import Entry

console = Console()


@click.group()
def admission() -> None:
    """Applications to sell and measures against shops (see docs/admission.md)."""


@admission.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")
@click.pass_obj
def waiting(entry: Entry, as_json: bool) -> None:  # noqa: FBT001 - click passes options so
    """What waits for a reviewer, the oldest first. Names no person: the dossier is read on the floor's pages."""
    rows = asyncio.run(_waiting(entry))
    if as_json:
        click.echo(json.dumps({"waiting": rows}, ensure_ascii=False, sort_keys=True))
        return
    table = Table("shop", "name", "standing", "stage", "legal form", "round", "days")
    for row in rows:
        names = ("shop_no", "shop_name", "standing", "stage", "legal_form", "round", "days")
        table.add_row(*(str(row[name]) for name in names))
    console.print(table)


@admission.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")
@click.pass_obj
def sanctions(entry: Entry, as_json: bool) -> None:  # noqa: FBT001
    """All published measures, newest first."""
    rows = asyncio.run(_sanctions(entry))
    if as_json:
        click.echo(json.dumps({"sanctions": rows}, ensure_ascii=False, sort_keys=True))
        return
    table = Table("shop", "who", "measure", "ground", "lifted", "log")
    for row in rows:
        names = ("shop_no", "who", "measure", "ground", "is_lifted", "log_index")
        table.add_row(*(str(row[name]) for name in names))
    console.print(table)


async def _waiting(entry: Entry) -> list[dict[str, Any]]:
    async with entry.house() as house:
        now_ms = house.now_ms()
        return [
            {
                "shop_no": one.shop_no,
                "shop_name": one.shop_name,
                "standing": one.standing,
                "stage": one.stage,
                "legal_form": one.legal_form,
                "round": one.round,
                "since_ms": one.since_ms,
                "days": (now_ms - one.since_ms) // DAY_MS,
            }
            for one in await house.admissions.queue()
        ]


async def _sanctions(entry: Entry) -> list[dict[str, Any]]:
    async with entry.house() as house:
        return [
            {
                "shop_no": one.shop_no,
                "who": one.shop_name or one.pseudonym,
                "measure": one.sanction.measure,
                "ground": one.sanction.reason_code,
                "since_ms": one.sanction.since_ms,
                "until_ms": one.sanction.until_ms,
                "is_lifted": bool(one.sanction.lifted_at_ms),
                "log_index": one.log_index,
            }
            for one in await house.admissions.published()
        ]
