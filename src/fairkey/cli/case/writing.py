"""`fairkey case demand` and `letters`: what may be asked for with its law, and ready texts for each channel."""

from datetime import date, datetime
from pathlib import Path

import rich_click as click
from msgspec import to_builtins

from fairkey.casework.channels import CHANNELS
from fairkey.casework.demand import Demand, compute
from fairkey.casework.folder import CaseIsRefused
from fairkey.casework.letters.composing import letters_of
from fairkey.casework.letters.letter import Letter
from fairkey.casework.letters.summary import figure_words, summary
from fairkey.casework.moments import CHINA
from fairkey.casework.texts import Words, words

from .parts import (
    case_argument,
    json_option,
    language,
    now_ms,
    opened,
    say,
    speaking,
    tell,
    tell_of,
    told,
)

channel_option = click.option(
    "--channel",
    "channels",
    multiple=True,
    type=click.Choice(list(CHANNELS)),
    help="Only this one; may be repeated.",
)


def today() -> str:
    """The day in China, ISO 8601."""
    return datetime.fromtimestamp(now_ms() / 1000, CHINA).date().isoformat()


@click.command()
@case_argument
@json_option
def demand(folder: Path, as_json: bool) -> None:  # noqa: FBT001 - click passes options so
    """Say what CASE may ask for: each figure with its articles, what is unknown, and until when a suit is in time."""
    with speaking(as_json=as_json):
        case = opened(folder).read()
    found = compute(case, date.fromisoformat(today()))
    say(_figures(found), lambda: _tell_demand(found), as_json=as_json)


def _figures(found: Demand) -> dict[str, object]:
    figures: dict[str, object] = to_builtins(found)
    return figures


def _tell_demand(found: Demand) -> None:
    for figure in found.figures:
        besides = told("besides") if figure.is_alternative else ""
        tell(f"{besides}{figure_words(figure).of(language())}")
    for line in (*found.unknown, *found.warnings):
        tell(f"! {line.of(language())}")
    if found.limitation is not None:
        tell_of("limitation", day=found.limitation.last_day)


@click.command()
@case_argument
@channel_option
@click.option("--on", "on_day", default="", metavar="YYYY-MM-DD", help="The day of the letter. Else today.")
@click.option("-o", "--out", type=click.Path(file_okay=False, path_type=Path), help="Write each as a text file there.")
@click.option("--unmasked", is_flag=True, help="Show codes and other people's numbers in clear.")
@json_option
def letters(
    folder: Path,
    channels: tuple[str, ...],
    on_day: str,
    out: Path | None,
    unmasked: bool,  # noqa: FBT001
    as_json: bool,  # noqa: FBT001
) -> None:
    """Write the letters of CASE for every channel that stands open, from what was confirmed. Nothing is sent.

    What is missing stays a blank line; what to look at before sending is told besides, never in the letter.
    """
    with speaking(as_json=as_json):
        case = opened(folder).read()
        try:
            made = letters_of(case, on_day or today(), channels, shows_all=unmasked)
        except ValueError:
            raise CaseIsRefused(f"--on: {on_day} is no day such as 2026-05-03.") from None
        if not made:
            raise CaseIsRefused("Nothing of this case is confirmed yet: fairkey case read, then fairkey case confirm.")
        if out is not None:
            _write(made, out)
    demand = compute(case, date.fromisoformat(on_day or today()))
    short = {one.channel: summary(case, demand, CHANNELS[one.channel]) for one in made}
    figures = {"letters": [_letter(one, short[one.channel]) for one in made]}
    say(figures, lambda: _tell_letters(made, short, out), as_json=as_json)


def _letter(one: Letter, short: tuple[Words, ...]) -> dict[str, object]:
    channel = CHANNELS[one.channel]
    written: dict[str, object] = to_builtins(one)
    return written | {
        "text": one.text,
        "summary": to_builtins(short),
        "limits": to_builtins(channel.limits),
        "next_steps": to_builtins(channel.next_steps),
    }


def _write(made: tuple[Letter, ...], out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
        for number, one in enumerate(made, 1):
            (out / f"{number}-{one.channel}.txt").write_text(one.printed, encoding="utf-8")
    except OSError as error:
        raise CaseIsRefused(f"{out} cannot be written: {error.strerror or error}.") from None


def _tell_letters(made: tuple[Letter, ...], short: dict[str, tuple[Words, ...]], out: Path | None) -> None:
    if language() == "en":
        tell(words("letters.in_chinese"))
    for number, one in enumerate(made, 1):
        channel = CHANNELS[one.channel]
        tell(f"=== {number}. {channel.title.of(language())} ===")
        if language() == "en":
            for sentence in short[one.channel]:
                tell(f"  {sentence.en}")
        if out is None:
            for line in one.printed.splitlines():
                tell(line)
        else:
            tell(f"{out / f'{number}-{one.channel}.txt'}")
        for warning in one.warnings:
            tell(f"! {warning.of(language())}")
        for step in channel.next_steps:
            tell(f"→ {step.of(language())}")
