"""`fairkey people`: what is kept of somebody, and its erasing when the law no longer wants it kept."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Final, TextIO
from uuid import UUID

import rich_click as click
from rich.console import Console
from rich.table import Table

from fairkey.business.basics import Stream
from fairkey.business.erasures import Basis
from fairkey.business.references import reference_of
from fairkey.engine.erasing import Counts, Erased, History, Person, Why, erase_again, erase_expired, erase_person
from fairkey.engine.house import House
from fairkey.engine.people import EmailIsInvalid

from .entry import Entry

_SHANGHAI: Final = timezone(timedelta(hours=8))  # no summer time; needs no list of zones on a stranger's machine
_WORDS: Final = {
    Why.OPEN: "it has not ended",
    Why.MONEY: "money of it is still on its way",
    Why.RETENTION: "the law wants it kept (E-commerce Law art. 31)",
}

console = Console()
errors = Console(stderr=True)
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")


@click.group()
def people() -> None:
    """Data of people: what is kept and until when; erasing it."""


def _whose(command: Callable[..., None]) -> Callable[..., None]:
    """The two ways to say who is meant."""
    by_email = click.option("--email", default="", help="The person's e-mail address; `-`: from standard input.")
    by_account = click.option("--account", type=click.UUID, help="The id of the person's account.")
    return by_email(by_account(command))


@people.command()
@_whose
@json_option
@click.pass_obj
def kept(entry: Entry, email: str, account: object, as_json: bool) -> None:  # noqa: FBT001 - click passes options so
    """Show what is kept of one person, and from when on it may be erased."""
    sys.exit(asyncio.run(_kept(entry, _address(email), str(account or ""), as_json=as_json)))


@people.command()
@click.pass_obj
def erased(entry: Entry) -> None:
    """Print what was ever erased: ids, one a line. Keep it apart from the backups, for `erase --again`."""

    async def show() -> None:
        async with entry.house() as house:
            for stream, basis in await house.erasures.erased():
                click.echo(" ".join((*stream, basis)))

    asyncio.run(show())


@people.command()
@_whose
@click.option("--expired", is_flag=True, help="Of everybody: all whose time is over.")
@click.option("--again", type=click.File(), help="After a backup was restored: all that this list of `erased` names.")
@click.option("--restrict", is_flag=True, help="What must stay is shown and written to no more.")
@click.option("--yes", is_flag=True, help="Do not ask first.")
@json_option
@click.pass_obj
def erase(
    entry: Entry,
    email: str,
    account: object,
    expired: bool,  # noqa: FBT001 - click passes options so
    again: TextIO | None,
    restrict: bool,  # noqa: FBT001
    yes: bool,  # noqa: FBT001
    as_json: bool,  # noqa: FBT001
) -> None:
    """Shred one person's plaintexts and salts, or (`--expired`) everybody's that are older than the law wants.

    What has not ended, or must still be kept, stays and is named with the moment from which it may go; the exit code
    is then 1. Facts and their proofs stay and still verify. It cannot be undone. Safe to run again after a failure.
    """
    if sum(map(bool, (expired, again, email or account))) != 1:
        raise click.UsageError("Say --email, --account, --expired or --again.")
    listed = _erased_in(again) if again else []
    if not yes:
        click.confirm("What is erased cannot be brought back. Go on?", abort=True, err=True)
    if expired:
        sys.exit(asyncio.run(_many(entry, erase_expired, as_json=as_json)))
    if again:
        sys.exit(asyncio.run(_many(entry, lambda house: erase_again(house, listed, house.now_ms()), as_json=as_json)))
    sys.exit(asyncio.run(_erase(entry, _address(email), str(account or ""), restrict=restrict, as_json=as_json)))


def _address(text: str) -> str:
    return sys.stdin.readline().strip() if text == "-" else text


async def _find(house: House, email: str, account_id: str) -> Person | None:
    if not email and not account_id:
        raise click.UsageError("Say --email or --account.")
    try:
        found = await house.erasures.person_of(email=email, account_id=account_id)
    except EmailIsInvalid:
        raise click.UsageError("This is no e-mail address.") from None
    if found is None:
        errors.print("Nothing is kept of this person.")
    return found


async def _kept(entry: Entry, email: str, account_id: str, *, as_json: bool) -> int:
    async with entry.house() as house:
        person = await _find(house, email, account_id)
        if person is None:
            return 2
        _say(as_json, {"account": person.account_id, "histories": _lines(person)}, lambda: _table(person))
        return 0


async def _erase(entry: Entry, email: str, account_id: str, *, restrict: bool, as_json: bool) -> int:
    async with entry.house() as house:
        person = await _find(house, email, account_id)
        if person is None:
            return 2
        counts, restricted = await erase_person(house, person, restrict=restrict)
        left = await house.erasures.person_of(email=email, account_id=account_id) if email else None
        stays = left.kept if left else person.kept
        account_stays = bool(person.account_id) and not person.account_may_go
        figures = {
            "erased": _figures(counts),
            "restricted": restricted,
            "kept": [_line(one) for one in stays],
            "account_kept": account_stays,
            "owner_of_shops": list(person.stays_owner_of),
        }

        def human() -> None:
            console.print(_sentence(counts))
            if restricted:
                console.print(f"Out of sight from now on, and kept: {restricted}.")
            for one in stays:
                console.print(f"Stays: {_line(one)['what']}: {_line(one)['why']}{_until(one)}", highlight=False)
            if person.stays_owner_of:
                shops = ", ".join(map(str, person.stays_owner_of))
                console.print(f"The account stays: it is the last owner of shop {shops}, which trades.")
            elif account_stays:
                console.print("The account stays while something of it is under way.")

        _say(as_json, figures, human)
        return 1 if stays or account_stays else 0


def _erased_in(lines: Iterable[str]) -> list[Erased]:
    try:
        parts = [line.split() for line in lines if line.strip()]
        return [
            Erased(Stream(str(UUID(shop)), kind, str(UUID(number))), Basis(why)) for shop, kind, number, why in parts
        ]
    except ValueError:
        raise click.UsageError("The list is not one that `fairkey people erased` printed.") from None


async def _many(entry: Entry, work: Callable[[House], Awaitable[Counts]], *, as_json: bool) -> int:
    async with entry.house() as house:
        counts = await work(house)
    _say(as_json, {"erased": _figures(counts)}, lambda: console.print(_sentence(counts)))
    return 0


def _sentence(counts: Counts) -> str:
    return (
        f"Erased: {counts.histories} orders and other histories ({counts.sealed_rows} sealed rows, "
        f"{counts.codes} codes), {counts.accounts} accounts."
    )


def _figures(counts: Counts) -> dict[str, int]:
    return {
        "histories": counts.histories,
        "sealed_rows": counts.sealed_rows,
        "codes": counts.codes,
        "accounts": counts.accounts,
    }


def _lines(person: Person) -> list[dict[str, object]]:
    return [_line(one) for one in person.histories]


def _line(history: History) -> dict[str, object]:
    stream = history.stream
    what = reference_of(history.shop_no, stream.id) if stream.kind == "order" else f"shop {history.shop_no}"
    return {
        "what": what,
        "stage": history.stage,
        "why": _WORDS[history.why] if history.why else "",
        "may_be_erased_at_ms": history.may_at_ms,
        "restricted": history.is_restricted,
    }


def _until(history: History) -> str:
    """From when it may go, in the last millisecond's favour: a second later is never too early."""
    if not history.may_at_ms:
        return ""
    at = datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=history.may_at_ms + 999)
    return f", until {at.astimezone(_SHANGHAI):%Y-%m-%d %H:%M:%S}"


def _table(person: Person) -> None:
    table = Table("what", "stage", "may go", "out of sight")
    for one in person.histories:
        line = _line(one)
        may = f"{line['why']}{_until(one)}" if one.why else "now"
        table.add_row(str(line["what"]), one.stage, may, "yes" if one.is_restricted else "")
    console.print(table)
    console.print(f"Account: {person.account_id or 'none'}")


def _say(as_json: bool, figures: Any, human: Callable[[], None]) -> None:  # noqa: ANN401, FBT001
    if as_json:
        click.echo(json.dumps(figures, ensure_ascii=False, sort_keys=True))
    else:
        human()
