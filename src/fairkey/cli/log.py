"""`fairkey log`: the public log of this installation, and audits of anybody's."""

import asyncio
import json
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import rich_click as click
from rich.console import Console

from fairkey.proofs.policies import read_policy
from fairkey.verifying.auditing import audit_log
from fairkey.verifying.exporting import FolderIsTaken, export_log
from fairkey.verifying.judging import Given
from fairkey.verifying.reading import FileCannotBeRead, FileIsMissing
from fairkey.verifying.reports import Report, State, plain
from fairkey.verifying.targets import NothingThere, log_at
from fairkey.verifying.trust import Trust, fingerprint_of
from fairkey.verifying.walking import Faults

from .entry import Entry, LogIsNotBegun
from .verify import Teller, finish, given_by, json_option, memory_option, policy_option, roots_option

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


@log.command()
@click.option(
    "--log", "target", metavar="DIR|URL", help="Somebody's log; needs no house. Else this installation's own."
)
@policy_option
@roots_option
@memory_option
@json_option
@click.pass_obj
def audit(
    entry: Entry,
    target: str | None,
    policy: Path | None,
    tsa_roots: Path | None,
    no_memory: bool,  # noqa: FBT001 - click passes options so
    as_json: bool,  # noqa: FBT001
) -> None:
    """Check every entry, tile, head and history of a log; of this installation's own also what its tables say.

    The own log is judged by this installation's own policy. Exit codes as `fairkey verify`.
    """
    given = given_by(policy, tsa_roots, no_memory=no_memory)
    teller = Teller(as_json=as_json)
    if target is None:
        if policy is not None:
            raise click.UsageError("--policy goes with --log: the own log is judged by the own policy.")
        sys.exit(asyncio.run(_audit_own(entry, given, teller, as_json=as_json)))
    teller.trust(given.trust, target)
    try:
        source = log_at(target)
    except NothingThere as error:
        raise click.UsageError(f"{plain(str(error))[:1].upper()}{plain(str(error))[1:]}.") from None
    report = Report(target, "log", teller.begin(target))
    with ExitStack() as stack:
        audit_log(report, source, given, progress=teller.progress(stack))
    sys.exit(finish(teller, target, given.trust, [report], [], as_json=as_json))


async def _audit_own(entry: Entry, given: Given, teller: Teller, *, as_json: bool) -> int:
    async with entry.own_log(published_only=False) as own:
        text = own.policy.encode()
        trust = Trust(read_policy(text), "", "this installation's own policy", fingerprint_of(text))
        teller.trust(trust, "")
        report = Report(own.source.where, "log", teller.begin(own.source.where))
        faults, compared = Faults(), [0]

        def on_entries(first: int, entries: Sequence[bytes]) -> None:
            compared[0] = first + len(entries)
            for fault in own.compare(first, entries):
                faults.add(fault)

        with ExitStack() as stack:
            bar = teller.progress(stack)
            judged = given._replace(trust=trust)
            await asyncio.to_thread(audit_log, report, own.source, judged, progress=bar, on_entries=on_entries)
        if faults.count:
            report.add("database", State.BAD, "The log and this house's tables differ.", faults.lines())
        elif compared[0]:
            report.add("database", State.GOOD, f"All {compared[0]} entries are what the tables have.")
        return finish(teller, own.source.where, trust, [report], [], as_json=as_json)


@log.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@json_option
@click.pass_obj
def export(entry: Entry, folder: Path, as_json: bool) -> None:  # noqa: FBT001
    """Write the log as static files: checkpoint, tile/, every published head in checkpoints/, policy and vkey.

    Run again with the same FOLDER it brings it up to date.
    """
    sys.exit(asyncio.run(_export(entry, folder, as_json=as_json)))


async def _export(entry: Entry, folder: Path, *, as_json: bool) -> int:
    async with entry.own_log(published_only=True) as own:
        try:
            with ExitStack() as stack:
                bar = Teller(as_json=as_json).progress(stack)
                counts = await asyncio.to_thread(
                    export_log, own.source, folder, policy=own.policy, vkey=own.vkey, progress=bar
                )
        except FolderIsTaken as error:
            errors.print(f"Nothing was written: {error}.", highlight=False, markup=False)
            return 2
        except FileIsMissing as error:
            what = "nothing is published yet" if str(error) == "checkpoint" else f"{error} is missing"
            errors.print(f"The log cannot be exported: {what}.", highlight=False, markup=False)
            return 1
        except (FileCannotBeRead, OSError) as error:
            errors.print(f"The log cannot be exported: {error}.", highlight=False, markup=False)
            return 1
    if as_json:
        click.echo(json.dumps(counts, sort_keys=True))
    else:
        click.echo(f"{counts['entries']} entries, {counts['heads']} heads and {counts['time_stamps']} time stamps.")
        click.echo(f"Check them: fairkey verify {folder}")
    return 0


@log.command()
@click.pass_obj
def vkey(entry: Entry) -> None:
    """Print the log's verifier key, as witnesses and policies want it."""
    click.echo(asyncio.run(_told(entry))[0])


@log.command()
@json_option
@click.pass_obj
def witnesses(entry: Entry, as_json: bool) -> None:  # noqa: FBT001
    """Print the witnesses' names, keys and addresses, and the policy that strangers are given."""
    text = asyncio.run(_told(entry))[1]
    policy = read_policy(text.encode())
    if as_json:
        named = [{"name": one.name, "vkey": str(one.key), "url": one.url} for one in policy.witnesses]
        click.echo(json.dumps({"witnesses": named, "quorum": policy.quorum, "policy": text}, sort_keys=True))
        return
    for one in policy.witnesses:
        click.echo(f"{one.name}  {one.key}  {one.url}".rstrip())
    if not policy.witnesses:
        click.echo("No witnesses.")
    click.echo(f"\n{text}", nl=False)


async def _told(entry: Entry) -> tuple[str, str]:
    async with entry.house() as house:
        status = await house.log.status()
        return status.vkey, status.policy
