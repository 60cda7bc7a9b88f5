"""`fairkey case pack`: one command from a case to what goes to a platform, an office or a court."""

import sys
from pathlib import Path
from uuid import uuid4

import rich_click as click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from fairkey.casework.folder import CaseIsRefused, new_case
from fairkey.casework.letters.composing import letters_of
from fairkey.casework.mails import Records, ask_dns, look_with
from fairkey.casework.model import Case
from fairkey.casework.texts import told_of

from .files import stamp
from .parts import (
    case_argument,
    errors,
    json_option,
    language,
    now_ms,
    opened,
    roots_option,
    say,
    speaking,
    tell,
    tell_of,
    told,
    tsa_option,
)
from .writing import channel_option, today


@click.command()
@case_argument
@click.option("-o", "--out", required=True, type=click.Path(path_type=Path), help="The pack's folder; OUT.zip too.")
@channel_option
@click.option("--letters", "all_letters", is_flag=True, help="The letters of every channel that stands open.")
@click.option("--unmasked", is_flag=True, help="Show personal data and codes in clear in the texts.")
@json_option
def pack(
    folder: Path,
    out: Path,
    channels: tuple[str, ...],
    all_letters: bool,  # noqa: FBT001
    unmasked: bool,  # noqa: FBT001
    as_json: bool,  # noqa: FBT001
) -> None:
    """Make a pack of CASE: letter, numbered evidence with pictures, timeline, seals, and how to check all of it.

    The letters are those of `--channel` or `--letters`; without either, a plain statement of the facts.
    """
    from fairkey.casework.pack.making import PackIsRefused, make_pack  # noqa: PLC0415 - heavy

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    wants = bool(channels) or all_letters
    with speaking(as_json=as_json):
        case = opened(folder)
        hidden = as_json or not errors.is_terminal
        with Progress(*columns, console=errors, disable=hidden, transient=True) as bar:
            task = bar.add_task("pack")
            try:
                made = make_pack(
                    case,
                    out,
                    letters=letters_of(case.read(), today(), channels, shows_all=unmasked) if wants else (),
                    shows_all=unmasked,
                    tell=lambda what: bar.update(task, description=str(what)[:50]),
                )
            except PackIsRefused as error:
                raise CaseIsRefused(told_of(error)) from None
        facts = {"manifest_sha256": made.manifest_sha256, "is_masked": not unmasked}
        case.note("pack.made", at_ms=now_ms(), facts=facts)
    figures = {
        "folder": str(made.folder),
        "zip": str(made.zip),
        "exhibits": made.exhibits,
        "letters": made.letters,
        "manifest_sha256": made.manifest_sha256,
    }

    def lines() -> None:
        tell_of("packed", count=made.exhibits, folder=made.folder, zip=made.zip)
        tell_of("fingerprint", sha256=made.manifest_sha256)
        tell_of("check_pack", folder=made.folder)

    say(figures, lines, as_json=as_json)


@click.command()
@click.argument("source", metavar="FOLDER", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("-o", "--out", required=True, type=click.Path(path_type=Path), help="The pack's folder; OUT.zip too.")
@click.option(
    "--case", "place", type=click.Path(file_okay=False, path_type=Path), help="Where the case is kept. Else OUT-case."
)
@click.option("--title", default="", help="What it is about, in your words.")
@click.option("--offline", is_flag=True, help="Ask nobody: no keys of mail domains, no time stamps.")
@tsa_option
@roots_option
@json_option
def run(
    source: Path,
    out: Path,
    place: Path | None,
    title: str,
    offline: bool,  # noqa: FBT001
    tsa_text: str,
    tsa_roots: Path | None,
    as_json: bool,  # noqa: FBT001
) -> None:
    """Folder in, pack out: seal every file in FOLDER, read them, and make a pack. Asks nothing, confirms nothing.

    What was read is marked as unconfirmed on every page. Exit code 1 when files were refused; the pack has the others.
    """
    from fairkey.casework.pack.making import PackIsRefused  # noqa: PLC0415 - heavy
    from fairkey.casework.running import installed_reader, installed_writer, run_case  # noqa: PLC0415 - heavy

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with speaking(as_json=as_json):
        case = new_case(
            place or out.with_name(f"{out.name}-case"),
            Case(case_id=str(uuid4()), created_at_ms=now_ms(), title=title or source.resolve().name),
        )
        reader = installed_reader()
        records = Records(case.records, at_ms=now_ms(), ask=None if offline else ask_dns)
        with Progress(*columns, console=errors, disable=as_json or not errors.is_terminal, transient=True) as bar:
            task = bar.add_task("seal")

            def tell_bar(what: str, done: int, of: int) -> None:
                bar.update(task, description=what[:40], completed=done, total=of)

            try:
                ran = run_case(
                    case,
                    source,
                    out,
                    now_ms=now_ms,
                    look=look_with(records),
                    reader=reader,
                    writer=installed_writer(),
                    stamp=lambda: [] if offline else stamp(case, tsa_text, tsa_roots),
                    tell=tell_bar,
                )
            except PackIsRefused as error:
                raise CaseIsRefused(told_of(error)) from None
    figures = {
        "case": str(case.path),
        "folder": str(ran.made.folder),
        "zip": str(ran.made.zip),
        "exhibits": ran.made.exhibits,
        "proposed": ran.proposed,
        "was_read": reader is not None,
        "refused": [{"name": name, "sentence": sentence.of(language())} for name, sentence in ran.refused],
        "manifest_sha256": ran.made.manifest_sha256,
    }

    def lines() -> None:
        for _, sentence in ran.refused:
            tell(f"✗ {sentence.of(language())}")
        if reader is None:
            tell(f"? {told('no_reader')}")
        tell_of("ran", count=ran.made.exhibits, proposed=ran.proposed)
        tell_of("ran_where", folder=ran.made.folder, zip=ran.made.zip, case=case.path)

    say(figures, lines, as_json=as_json)
    sys.exit(1 if ran.refused else 0)
