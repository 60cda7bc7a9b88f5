"""`fairkey case pack | run`: one command from a case, or a folder, to what goes to a platform, an office or a court."""

import sys
from pathlib import Path

import rich_click as click
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from fairkey.casework.folder import CaseFolder, CaseIsRefused
from fairkey.casework.letters.composing import letters_of
from fairkey.casework.mails import Records, ask_dns, look_with
from fairkey.casework.texts import told_of

from .files import enter, stamp
from .parts import (
    budget_option,
    case_argument,
    errors,
    json_option,
    language,
    log_option,
    now_ms,
    opened,
    policy_option,
    roots_option,
    say,
    speaking,
    staged_progress,
    tell,
    tell_of,
    told,
    tsa_option,
)
from .writing import channel_option, today

_INTERRUPTED = 130  # as shells say of a program that was interrupted


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
        enter(case, "")  # what waits is asked for again
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


def _fix(
    case: CaseFolder, tsa_text: str, tsa_roots: Path | None, log_text: str, policy_path: Path | None
) -> None:
    """Time stamps and log entries, as far as they can be had now."""
    stamp(case, tsa_text, tsa_roots)
    enter(case, log_text, policy_path)


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
@log_option
@policy_option
@budget_option
@json_option
def run(  # noqa: PLR0913 - one for each option
    source: Path,
    out: Path,
    place: Path | None,
    title: str,
    offline: bool,  # noqa: FBT001
    tsa_text: str,
    tsa_roots: Path | None,
    log_text: str,
    policy_path: Path | None,
    budget_s: float,
    as_json: bool,  # noqa: FBT001
) -> None:
    """Folder in, pack out: seal every file in FOLDER, read them, and make a pack. Asks nothing, confirms nothing.

    Interrupted, the same command goes on where it was. What was read is marked as unconfirmed on every page; a file
    that takes longer than --budget is noted as not read. Exit code 1 when files were refused, 3 when some were not
    read; the pack has all but the refused.
    """
    from fairkey.casework.pack.making import PackIsRefused  # noqa: PLC0415 - heavy
    from fairkey.casework.reading import reader_version  # noqa: PLC0415 - heavy
    from fairkey.casework.reading.apart import ReaderApart  # noqa: PLC0415 - heavy
    from fairkey.casework.running import begun, installed_writer, run_case  # noqa: PLC0415 - heavy

    with speaking(as_json=as_json):
        place = place or out.with_name(f"{out.name}-case")
        case, is_resumed = begun(place, source, title=title or source.resolve().name, at_ms=now_ms())
        records = Records(case.records, at_ms=now_ms(), ask=None if offline else ask_dns)
        with staged_progress(as_json=as_json) as tell_stage, ReaderApart(budget_s) as reader:
            try:
                ran = run_case(
                    case,
                    source,
                    out,
                    now_ms=now_ms,
                    look=look_with(records),
                    reader=reader,
                    writer=installed_writer(),
                    version=reader_version(),
                    budget_s=budget_s,
                    stamp=lambda: None if offline else _fix(case, tsa_text, tsa_roots, log_text, policy_path),
                    tell=tell_stage,
                )
            except PackIsRefused as error:
                raise CaseIsRefused(told_of(error)) from None
            except KeyboardInterrupt:
                errors.print(told("run_stopped"))
                sys.exit(_INTERRUPTED)
    figures = {
        "case": str(case.path),
        "is_resumed": is_resumed,
        "folder": str(ran.made.folder),
        "zip": str(ran.made.zip),
        "exhibits": ran.made.exhibits,
        "proposed": ran.proposed,
        "read_now": ran.read.now,
        "read_before": ran.read.before,
        "unread": [{"name": name, "sentence": sentence.of(language())} for name, sentence in ran.unread],
        "refused": [{"name": name, "sentence": sentence.of(language())} for name, sentence in ran.refused],
        "manifest_sha256": ran.made.manifest_sha256,
    }

    def lines() -> None:
        for _, sentence in ran.refused:
            tell(f"✗ {sentence.of(language())}")
        for _, sentence in ran.unread:
            tell(f"? {sentence.of(language())}")
        tell_of("ran", count=ran.made.exhibits, proposed=ran.proposed)
        if ran.read.before:
            tell_of("ran_again", count=ran.read.before)
        tell_of("ran_where", folder=ran.made.folder, zip=ran.made.zip, case=case.path)

    say(figures, lines, as_json=as_json)
    sys.exit(1 if ran.refused else 3 if ran.unread else 0)
