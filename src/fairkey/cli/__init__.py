"""`fairkey`: what operators and newcomers type. Every command takes `--json` and then prints one object, last."""

import asyncio
import hashlib
import json
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import rich_click as click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from fairkey import __version__
from fairkey.business.basics import Refusal
from fairkey.engine import trade
from fairkey.engine.house import House
from fairkey.settings import OTHERS_MAY_READ, SettingsRefused

from .admission import admission
from .batches import batches
from .case import case
from .credit import credit
from .entry import Entry, Finding, MasterKeyIsRefused
from .issuer import issuer
from .log import log
from .panel import panel
from .people import people
from .standard import standard
from .verdict import verdict
from .verify import verify
from .witness import witness

PURPOSES = ("codes", "contacts")
CHUNK_BYTES = 256 * 1024

console = Console()
errors = Console(stderr=True)


def say(as_json: bool, figures: Any, human: Callable[[], None]) -> None:  # noqa: ANN401, FBT001 - printed as it is
    """Print for a program or for a person."""
    if as_json:
        click.echo(json.dumps(figures, ensure_ascii=False, sort_keys=True))
    else:
        human()


json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="fairkey")
def root() -> None:
    """fairkey: sell codes, hold the money, deliver, or give it back.

    Settings come from the environment (`FAIRKEY_*`, see docs/settings.md).
    """


root.add_command(people)
root.add_command(issuer)
root.add_command(standard)
root.add_command(panel)
root.add_command(admission)
root.add_command(batches)
root.add_command(case)
root.add_command(credit)
root.add_command(log)
root.add_command(verdict)
root.add_command(verify)
root.add_command(witness)


@root.command()
@click.pass_obj
def serve(entry: Entry) -> None:
    """Answer requests. Starts empty; refuses unsafe settings outside the demo."""
    sys.exit(entry.serve())


@root.command()
@click.pass_obj
def worker(entry: Entry) -> None:
    """Carry out refunds, payouts, mails and deadlines, apart from `serve`."""
    sys.exit(entry.work())


@root.command()
@click.pass_obj
def sequencer(entry: Entry) -> None:
    """Write the public log, apart from `serve` (`FAIRKEY_SEQUENCER=apart`)."""
    sys.exit(entry.sequence())


@root.command()
@click.option("--port", default=8000, show_default=True, help="Where to serve; 0 takes a free one.")
@click.option("--fresh", is_flag=True, help="Throw the old demo world away and build a new one.")
@click.option("--seed", default=1, show_default=True, help="The world is made from this number.")
@click.pass_obj
def demo(entry: Entry, port: int, fresh: bool, seed: int) -> None:  # noqa: FBT001 - click passes options so
    """A small lively world on this machine, with one-click logins for every role."""
    sys.exit(entry.demo(port=port, fresh=fresh, seed=seed))


@root.command()
@json_option
@click.pass_obj
def migrate(entry: Entry, as_json: bool) -> None:  # noqa: FBT001
    """Bring the database to what this release needs."""
    applied = entry.migrate()
    say(as_json, {"applied": applied}, lambda: console.print(_migrated(applied)))


def _migrated(applied: list[str]) -> str:
    return f"Applied {', '.join(applied)}." if applied else "The database is up to date."


@root.command(name="import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--shop", "shop_no", type=int, required=True, help="The shop's number.")
@click.option(
    "--listing", "listing_id", type=click.UUID, required=True, help="The listing's id (on the desk, or in the API)."
)
@click.option("--note", default="", help="A note for yourself.")
@click.option("--source", type=click.Choice(["issuer", "invoice", "typed"]), default="typed", show_default=True)
@click.option(
    "--invoice",
    "invoice_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The purchase invoice (with --source invoice); only its SHA-256 is kept.",
)
@click.option(
    "--attestation",
    "attestation_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="What the issuer signed about this list (with --source issuer).",
)
@json_option
@click.pass_obj
def import_codes(  # noqa: PLR0913 - one for each option
    entry: Entry,
    file: Path,
    shop_no: int,
    listing_id: UUID,
    note: str,
    source: str,
    invoice_file: Path | None,
    attestation_file: Path | None,
    as_json: bool,  # noqa: FBT001
) -> None:
    """Deposit a file of codes (txt or csv, one code a line) and put them on sale."""
    if invoice_file and source != "invoice":
        raise click.UsageError("--invoice goes with --source invoice")
    attestation = attestation_file.read_text(encoding="utf-8", errors="replace") if attestation_file else ""
    sys.exit(
        asyncio.run(
            _import(
                entry,
                file,
                shop_no,
                str(listing_id),
                note,
                source,
                invoice_sha256=_sha256_of(invoice_file) if invoice_file else "",
                attestation=attestation,
                as_json=as_json,
            )
        )
    )


async def _import(  # noqa: PLR0913 - everything an import is told about itself
    entry: Entry,
    file: Path,
    shop_no: int,
    listing_id: str,
    note: str,
    source: str,
    *,
    invoice_sha256: str,
    attestation: str,
    as_json: bool,
) -> int:
    async with entry.house() as house:
        shop_id = await house.numbers.shop_of(shop_no)
        if shop_id is None:
            errors.print(f"There is no shop number {shop_no}.")
            return 2
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=errors, disable=as_json) as progress:
            bar = progress.add_task("bytes read", total=_size_bytes(file))
            try:
                staged, answer = await trade.deposit(
                    house,
                    shop_id=shop_id,
                    import_id=house.new_id(),
                    listing_id=listing_id,
                    chunks=_chunks(file),
                    file_name=file.name,
                    note=note,
                    source=source,
                    invoice_sha256=invoice_sha256,
                    attestation=attestation,
                    by_account="",
                    on_progress=lambda now: progress.update(bar, completed=now.bytes_read),
                )
            except Refusal as refusal:
                errors.print(f"Refused: {type(refusal).__name__} {refusal.details or ''}")
                return 1
    refused = answer.refusal if answer else "BatchIsEmpty"
    figures = {
        "batch_id": staged.import_id,
        "accepted": staged.count if not refused else 0,
        "refused": staged.progress.refused,
        "duplicate_in_file": staged.progress.duplicate_in_file,
        "duplicate_elsewhere": staged.progress.duplicate_elsewhere,
        "root": staged.root.hex(),
        "refusal": refused,
    }
    say(as_json, figures, lambda: _print_pairs(figures))
    return 1 if refused else 0


def _sha256_of(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _size_bytes(file: Path) -> int:
    return file.stat().st_size


async def _chunks(file: Path) -> AsyncIterator[bytes]:
    with file.open("rb") as stream:
        while chunk := stream.read(CHUNK_BYTES):
            yield chunk


@root.command()
@click.argument("reference", required=False)
@click.option("--stuck", is_flag=True, help="Only orders whose deadline has passed.")
@json_option
@click.pass_obj
def orders(entry: Entry, reference: str | None, stuck: bool, as_json: bool) -> None:  # noqa: FBT001
    """Show one order with its facts (give its reference), or how many orders are in which state."""
    sys.exit(asyncio.run(_orders(entry, reference, stuck=stuck, as_json=as_json)))


async def _orders(entry: Entry, reference: str | None, *, stuck: bool, as_json: bool) -> int:
    async with entry.house() as house:
        if reference is None:
            counts = await house.questions.floor.orders_by_stage(stuck_only=stuck)
            say(as_json, {"orders": counts}, lambda: _print_pairs(counts))
            return 0
        return await _one_order(house, reference, as_json=as_json)


async def _one_order(house: House, reference: str, *, as_json: bool) -> int:
    where = await trade.locate(house, reference)
    record = await house.questions.order_book.find(*where) if where else None
    if record is None:
        errors.print("There is no such order.")
        return 2
    facts = await house.questions.order_book.facts(record.shop_id, record.order_id)
    figures = {
        "reference": reference,
        "stage": record.file.order.stage.value,
        "amount_fen": record.file.order.amount_fen,
        "held_fen": record.file.escrow.held_fen,
        "facts": [{"version": one.version, "kind": one.kind, "at_ms": one.at_ms} for one in facts],
    }

    def human() -> None:
        _print_pairs({name: value for name, value in figures.items() if name != "facts"})
        table = Table("no", "kind", "at (ms)", "leaf hash")
        for one in facts:
            table.add_row(str(one.version), one.kind, str(one.at_ms), one.leaf_hash[:16])
        console.print(table)

    say(as_json, figures, human)
    return 0


@root.command()
@click.option("--check", "check_only", is_flag=True, help="Only compare; change nothing.")
@json_option
@click.pass_obj
def rebuild(entry: Entry, check_only: bool, as_json: bool) -> None:  # noqa: FBT001
    """Make every kept table again from the events, and say what differed."""
    findings = asyncio.run(_all(entry.rebuild(check_only=check_only)))
    _report(findings, as_json=as_json, clean="Every kept table is what the events say.")


@root.command()
@json_option
@click.pass_obj
def audit(entry: Entry, as_json: bool) -> None:  # noqa: FBT001
    """Check every invariant of money, codes and orders on the live database."""
    findings = asyncio.run(_all(entry.audit()))
    _report(findings, as_json=as_json, clean="Every invariant holds.")


async def _all(findings: Any) -> Sequence[Finding]:  # noqa: ANN401 - an awaitable
    found: Sequence[Finding] = await findings
    return found


def _report(findings: Sequence[Finding], *, as_json: bool, clean: str) -> None:
    violations = [finding for finding in findings if not finding.is_warning]

    def human() -> None:
        for finding in findings:
            word = "warning" if finding.is_warning else "violation"
            console.print(f"[bold]{word}[/] {finding.rule}: {finding.what} ({finding.where})")
        if not violations:
            console.print(clean)

    figures = {
        "ok": not violations,
        "violations": [{"rule": one.rule, "what": one.what, "where": one.where} for one in violations],
        "warnings": [{"rule": one.rule, "what": one.what, "where": one.where} for one in findings if one.is_warning],
    }
    say(as_json, figures, human)
    sys.exit(1 if violations else 0)


@root.group()
def keys() -> None:
    """Data keys of this installation."""


@keys.command()
@click.argument("purpose", type=click.Choice(PURPOSES))
@json_option
@click.pass_obj
def rotate(entry: Entry, purpose: str, as_json: bool) -> None:  # noqa: FBT001
    """Make a new data key: new values are sealed under it, older ones stay readable."""

    async def make() -> int:
        return await entry.rotate_keys(purpose)

    key_id = asyncio.run(make())
    say(as_json, {"key_id": key_id}, lambda: console.print(f"Data key {key_id} seals new {purpose} from now on."))


@keys.command()
@json_option
@click.pass_obj
def reseal(entry: Entry, as_json: bool) -> None:  # noqa: FBT001
    """Seal everything that lies under older data keys anew, in small steps; can be stopped and started again."""

    async def move() -> int:
        return await entry.reseal()

    count = asyncio.run(move())
    say(as_json, {"resealed": count}, lambda: console.print(f"Resealed {count} values."))


@keys.command()
@click.option(
    "--new-key-file",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The new master key: 32 random bytes in base64, in a file that only its owner may read.",
)
@json_option
@click.pass_obj
def rewrap(entry: Entry, new_key_file: Path, as_json: bool) -> None:  # noqa: FBT001
    """Wrap all data keys by another master key while the house runs; all or none, and asking twice does no harm."""
    if new_key_file.stat().st_mode & OTHERS_MAY_READ:
        raise click.ClickException(f"{new_key_file} can be read by others; say chmod 600 {new_key_file}.")

    new_key = new_key_file.read_text(encoding="ascii", errors="replace").strip()

    async def wrap() -> int:
        return await entry.rewrap_keys(new_key)

    try:
        count = asyncio.run(wrap())
    except MasterKeyIsRefused as refused:
        raise click.ClickException(str(refused)) from None
    human = f"{count} data keys lie under the new master key." if count else "They lie under that master key already."
    say(as_json, {"rewrapped": count}, lambda: console.print(f"{human} From now on a start needs it."))


@root.command(context_settings={"ignore_unknown_options": True, "allow_extra_args": True})
@click.argument("name", type=click.Choice(["race", "orders", "import", "log", "seal", "read"]))
@click.argument("options", nargs=-1, type=click.UNPROCESSED)
@click.pass_obj
def bench(entry: Entry, name: str, options: tuple[str, ...]) -> None:
    """Measure: `race` (is an order lost?), `orders` (beside pgbench), `import`, `log`, `seal`. Add --json, --help."""
    figures = entry.bench(name, {"arguments": list(options)})
    if figures:
        click.echo(json.dumps(figures, sort_keys=True))


def _print_pairs(pairs: Any) -> None:  # noqa: ANN401 - a mapping of anything printable
    table = Table(show_header=False, box=None)
    for name, value in pairs.items():
        table.add_row(f"[bold]{name}[/]", str(value))
    console.print(table)


def run(entry: Entry, arguments: Sequence[str] | None = None) -> int:
    """Run the command line; refusals of the settings become sentences on standard error."""
    try:
        root.main(args=list(arguments) if arguments is not None else None, obj=entry, standalone_mode=False)
    except SettingsRefused as refused:
        for reason in refused.reasons:
            errors.print(f"• {reason}", highlight=False)
        return 2
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort:
        return 130
    except ModuleNotFoundError as error:
        if (error.name or "fairkey").partition(".")[0] in ("fairkey", "sandbox_provider"):
            raise
        sentence = f"This command needs fairkey[server]: {error.name} is not installed here."
        errors.print(sentence, highlight=False, markup=False, soft_wrap=True)
        return 2
    return 0
