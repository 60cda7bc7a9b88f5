"""Credit on the command line: the numbers of shops from a public log, and how often the meter errs."""

import json
import sys
from collections.abc import Iterable
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import rich_click as click

from fairkey.business.credit.figures import Account
from fairkey.verifying.alarms import GOOD_ORDERS, alarms
from fairkey.verifying.auditing import audit_log
from fairkey.verifying.crediting import CreditFacts
from fairkey.verifying.reports import Report, Verdict, plain, verdict_of
from fairkey.verifying.targets import NothingThere, log_at

from .verify import Teller, given_by, json_option, memory_option, policy_option, roots_option


@click.group()
def credit() -> None:
    """Credit of shops: computed again from the public log, without a server (see docs/credit.md)."""


@credit.command()
@click.option("--log", "target", required=True, metavar="DIR|URL", help="A log as `fairkey log export` writes it.")
@click.option("--shop", default="", help="Only the shop of this id.")
@click.option("--at", "at", default="", help="As of this time (2026-05-03T12:00:00Z). Else as of the log's last entry.")
@policy_option
@roots_option
@memory_option
@json_option
def recompute(
    target: str,
    shop: str,
    at: str,
    policy: Path | None,
    tsa_roots: Path | None,
    no_memory: bool,  # noqa: FBT001 - click passes options so
    as_json: bool,  # noqa: FBT001
) -> None:
    """Verify the log, then compute meter, score and rates of its shops.

    Exit codes as `fairkey verify`; from a log that does not hold nothing is computed. A shop whose published meter is
    not borne out by its orders' facts makes the answer "does not hold", too.
    """
    at_ms = _moment(at)
    given = given_by(policy, tsa_roots, no_memory=no_memory)
    teller = Teller(as_json=as_json)
    teller.trust(given.trust, target)
    try:
        source = log_at(target)
    except NothingThere as error:
        raise click.UsageError(f"{plain(str(error))}.") from None
    report = Report(target, "log", teller.begin(target))
    with CreditFacts(shop) as facts:
        with ExitStack() as stack:
            audit_log(report, source, given, progress=teller.progress(stack), on_entries=facts.add)
        verdict = verdict_of([report])
        teller.verdict(verdict)
        if verdict is not Verdict.HOLDS:
            if as_json:
                click.echo(json.dumps({"verdict": str(verdict), "shops": {}}, sort_keys=True))
            sys.exit(verdict.exit_code)
        at_ms = facts.last_at_ms if at_ms is None else at_ms
        if not _tell(facts.accounts(at_ms), at_ms, as_json=as_json):
            sys.exit(Verdict.DOES_NOT_HOLD.exit_code)


def _moment(text: str) -> int | None:
    if not text:
        return None
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise click.UsageError(f"--at: {plain(text)} is no time such as 2026-05-03T12:00:00Z.") from None
    if read.tzinfo is None:
        raise click.UsageError("--at needs a zone, such as Z or +08:00.")
    since = read - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000 + since.microseconds // 1_000


def _tell(accounts: Iterable[tuple[str, Account]], at_ms: int, *, as_json: bool) -> bool:
    """Whether every published meter is borne out."""
    told = {shop: msgspec.to_builtins(account) for shop, account in accounts}
    holds = all(account["published"] != "differs" for account in told.values())
    if as_json:
        verdict = Verdict.HOLDS if holds else Verdict.DOES_NOT_HOLD
        click.echo(json.dumps({"at_ms": at_ms, "shops": told, "verdict": str(verdict)}, sort_keys=True))
        return holds
    for shop, account in told.items():
        click.echo(plain(shop))
        for name, value in account["figures"].items():
            click.echo(f"  {name:<20} {value}")
        for line_at, order, row, change, value, why in account["lines"]:
            click.echo(f"  {line_at} {plain(order)} {why} {plain(row)} {change:+d} = {value}")
        if account["published"]:
            click.echo(f"  the published meter {account['published']}")
        for difference in account["differences"]:
            click.echo(f"  {plain(difference)}")
    if not told:
        click.echo("No shop has facts that count.")
    return holds


@credit.command(name="alarms")
@click.option("--seed", default=1, show_default=True, help="Where chance begins.")
@click.option("--runs", default=4_000, show_default=True, type=click.IntRange(1, 1_000_000), help="Shops per line.")
@json_option
def tell_alarms(seed: int, runs: int, as_json: bool) -> None:  # noqa: FBT001 - click passes options so
    """How often the meter freezes an honest shop within 5,000 orders, and how soon a bad one."""
    table = alarms(seed, runs)
    if as_json:
        click.echo(json.dumps({"alarms": [one._asdict() for one in table]}, sort_keys=True))
        return
    click.echo(
        f"defects %   frozen from   frozen within {GOOD_ORDERS} (exact)   orders to freeze, median ({runs} runs)"
    )
    for one in table:
        median = str(one.median_orders) if one.median_orders >= 0 else "-"
        click.echo(
            f"{one.defects_bp / 100:>9.1f}   {one.frozen_from:>11}   {one.frozen_ppm / 10_000:>26.4f} %   {median:>10}"
        )
