"""`fairkey batches`: what waits for a person after a ruling took it off sale, and the answer to it."""

import asyncio
import json
import sys
from typing import Any, Final

import rich_click as click
from rich.console import Console
from rich.table import Table

from fairkey.business.askers import Asker
from fairkey.business.basics import HOUR_MS
from fairkey.business.batches import AnswerBatchReview
from fairkey.engine.people import Actor, ActorKind
from fairkey.read_tables.quarantine_book import Standing

from .entry import Entry

REFUSED: Final = 1
BY_COMMAND: Final = Actor(kind=ActorKind.SYSTEM)

console = Console()


@click.group()
def batches() -> None:
    """Batches that a ruling took off sale (see docs/vault.md)."""


@batches.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")
@click.pass_obj
def waiting(entry: Entry, as_json: bool) -> None:  # noqa: FBT001 - click passes options so
    """Requests to let a batch back, the most urgent first. Grounds are in the JSON."""
    rows = asyncio.run(requests_waiting(entry))
    if as_json:
        click.echo(json.dumps({"waiting": rows}, ensure_ascii=False, sort_keys=True))
        return
    names = ("shop_no", "batch_id", "request_no", "rows", "held", "vouched", "against", "opened", "refunded", "hours")
    table = Table(*names)
    for row in rows:
        table.add_row(*(str(row[name]) for name in names))
    console.print(table)


@batches.command()
@click.argument("shop_no", type=int)
@click.argument("batch_id", type=click.UUID)
@click.argument("request_no", type=int)
@click.argument("decision", type=click.Choice(["let-back", "refuse"]))
@click.option("--reason", required=True, help="Why: the shop reads it. At least twenty characters.")
@click.pass_obj
def answer(
    entry: Entry,
    shop_no: int,
    batch_id: object,
    request_no: int,
    decision: str,
    reason: str,
) -> None:
    """Let a batch back, or refuse."""
    granted = decision == "let-back"
    told = asyncio.run(answer_request(entry, shop_no, str(batch_id), request_no, granted=granted, reason=reason))
    if told:
        click.echo(told, err=True)
        sys.exit(REFUSED)
    click.echo("done")


async def requests_waiting(entry: Entry) -> list[dict[str, Any]]:
    """What waits for a person, as rows for people and programs."""
    async with entry.house() as house:
        rows = []
        for one in await house.questions.quarantines.requests():
            record = await house.questions.quarantines.record(one.shop_id, one.batch_id)
            rows.append({**_row(one, house.now_ms()), "opened": record.opened, "refunded": record.refunded})
        return rows


def _row(one: Standing, now_ms: int) -> dict[str, Any]:
    review = one.review
    assert review is not None
    return {
        "shop_no": one.shop_no,
        "batch_id": one.batch_id,
        "request_no": review.request_no,
        "rows": " ".join(ruling.row for ruling in one.rulings),
        "held": one.held,
        "vouched": one.vouched,
        "against": one.against,
        "exported": one.exported,
        "grounds": review.grounds,
        "invoice_sha256": review.invoice_sha256,
        "review_by_ms": review.review_by_ms,
        "hours": max(0, review.review_by_ms - now_ms) // HOUR_MS,
    }


async def answer_request(
    entry: Entry, shop_no: int, batch_id: str, request_no: int, *, granted: bool, reason: str
) -> str:
    """What was refused, with its details; empty: it is done."""
    async with entry.house() as house:
        shop_id = await house.numbers.shop_of(shop_no)
        if shop_id is None:
            return "NotFound shop"
        command = AnswerBatchReview(
            shop_id=shop_id, batch_id=batch_id, request_no=request_no, granted=granted, reason=reason
        )
        done = await house.ask(Asker.OPERATOR, command)
        if done.refusal:
            return " ".join((done.refusal, *(f"{name}={value}" for name, value in done.details.items())))
        what = "batch.let_back" if granted else "batch.refused"
        await house.people.audit.write(BY_COMMAND, what, target=f"batch:{batch_id}", detail={"shop_id": shop_id})
        return ""
