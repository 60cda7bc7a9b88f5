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
from fairkey.casework.moments import CHINA

from .parts import case_argument, json_option, now_ms, opened, say, speaking, tell

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
    told: dict[str, object] = to_builtins(found)
    return told


def _tell_demand(found: Demand) -> None:
    for figure in found.figures:
        amount = f" {figure.amount_fen / 100:.2f} 元" if figure.amount_fen is not None else ""
        besides = "[另案或备选] " if figure.is_alternative else ""
        tell(f"{besides}{figure.words}{amount}：{'、'.join(one.cite for one in figure.rules)}")
    for line in (*found.unknown, *found.warnings):
        tell(f"! {line}")
    if found.limitation is not None:
        tell(f"诉讼时效至 {found.limitation.last_day.isoformat()}。")


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
    say({"letters": [_letter(one) for one in made]}, lambda: _tell_letters(made, out), as_json=as_json)


def _letter(one: Letter) -> dict[str, object]:
    channel = CHANNELS[one.channel]
    told: dict[str, object] = to_builtins(one)
    return told | {"text": one.text, "limits": to_builtins(channel.limits), "next_steps": list(channel.next_steps)}


def _write(made: tuple[Letter, ...], out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
        for number, one in enumerate(made, 1):
            (out / f"{number}-{one.channel}.txt").write_text(one.printed, encoding="utf-8")
    except OSError as error:
        raise CaseIsRefused(f"{out} cannot be written: {error.strerror or error}.") from None


def _tell_letters(made: tuple[Letter, ...], out: Path | None) -> None:
    for number, one in enumerate(made, 1):
        channel = CHANNELS[one.channel]
        tell(f"=== {number}. {channel.zh} ===")
        if out is None:
            for line in one.printed.splitlines():
                tell(line)
        else:
            tell(f"{out / f'{number}-{one.channel}.txt'}")
        for warning in one.warnings:
            tell(f"! {warning}")
        for line in channel.next_steps:
            tell(f"→ {line}")
