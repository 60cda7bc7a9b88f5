"""`fairkey case check`, `path`, `step`, `ics`, `remind`: what is missing, where to go, until when."""

from datetime import date, datetime
from pathlib import Path
from uuid import uuid4

import rich_click as click
from msgspec import to_builtins
from msgspec.structs import replace

from fairkey.casework.calendar_file import calendar_bytes
from fairkey.casework.clocks import deadlines, due_after, entries, reminders
from fairkey.casework.completeness import State, gaps, preservation_needed
from fairkey.casework.folder import CaseIsRefused
from fairkey.casework.law import cited
from fairkey.casework.model import Case, StepTaken
from fairkey.casework.moments import CHINA
from fairkey.casework.path import BUSINESS_ORDER, CONSUMER_ORDER, POLICE, StepState, steps
from fairkey.casework.texts import Words, joined, words

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

CHANNELS = tuple(dict.fromkeys((*CONSUMER_ORDER, *BUSINESS_ORDER, POLICE)))
STAGES = ("prepared", "sent", "accepted", "refused", "answered", "settled", "ended")


@click.command()
@case_argument
@click.option("--channel", type=click.Choice(CHANNELS), default=None, help="What this channel wants besides.")
@json_option
def check(folder: Path, channel: str | None, as_json: bool) -> None:  # noqa: FBT001 - click passes options so
    """Say what CASE has, what is weak, what is missing, and how to get it now."""
    with speaking(as_json=as_json):
        case = opened(folder).read()
    found = gaps(case, channel or "")

    def lines() -> None:
        for gap in found:
            mark = words(f"states.{gap.state.value}")
            tell(words("cli.gap", mark=mark, piece=gap.piece.name, why=gap.reason, adds=gap.piece.adds))
            if gap.state is not State.PRESENT:
                tell(f"     {gap.piece.get.of(language())}")
        if preservation_needed(case):
            tell_of("preserve")

    pieces = [
        {
            "piece": gap.piece.id,
            "name": to_builtins(gap.piece.name),
            "state": gap.state.value,
            "why": gap.why,
            "files": list(gap.files),
            "adds": to_builtins(gap.piece.adds),
            "get": to_builtins(gap.piece.get),
            "rules": list(gap.piece.rules),
        }
        for gap in found
    ]
    say({"pieces": pieces, "preserve": preservation_needed(case)}, lines, as_json=as_json)


@click.command()
@case_argument
@json_option
def path(folder: Path, as_json: bool) -> None:  # noqa: FBT001
    """Say where to go now with CASE, what waits, what blocks what, and which periods run."""
    with speaking(as_json=as_json):
        case = opened(folder).read()
    at_ms = now_ms()
    found, running = steps(case, at_ms), deadlines(case, _day(at_ms))

    def lines() -> None:
        for number, one in enumerate(found, 1):
            channel, state = words(f"channels.{one.channel}"), words(f"states.{one.state.value}")
            tell(words("cli.step", number=number, channel=channel, name=one.channel, state=state, why=one.why))
            if one.rules:
                tell(f"     {cited(one.rules).of(language())}")
            if one.from_ms:
                name = "due" if one.state is StepState.RUNNING else "from_"
                tell(f"     {told(name, when=_clock(one.from_ms))}")
        if not found:
            tell(words("path.nothing"))
        for due in running:
            marks = [words("cli.own")] if due.own else []
            marks += [words("cli.provisional")] if due.is_provisional else []
            tell(words("cli.deadline", when=_clock(due.due_at_ms), what=due.what, marks=joined(marks), then=due.then))

    say(
        {"steps": to_builtins(found), "deadlines": to_builtins(running)},
        lines,
        as_json=as_json,
    )


@click.command()
@case_argument
@click.option("--channel", required=True, type=click.Choice(CHANNELS))
@click.option("--stage", required=True, type=click.Choice(STAGES))
@click.option("--at", "at_text", default="", metavar="YYYY-MM-DD[THH:MM]", help="When, in China. Else now.")
@click.option("--reference", default="", help="The number that was given.")
@click.option("--outcome", default="", help="What came of it, in your words.")
@click.option("--received", "received_fen", type=click.IntRange(min=0), default=0, help="Money that came back, in fen.")
@json_option
def step(
    folder: Path,
    channel: str,
    stage: str,
    at_text: str,
    reference: str,
    outcome: str,
    received_fen: int,
    as_json: bool,  # noqa: FBT001
) -> None:
    """Write down what was done on a channel, or what came of it; the periods that follow are counted from it."""
    with speaking(as_json=as_json):
        at_ms = moment_ms(at_text) if at_text else now_ms()
        taken = StepTaken(
            step_id=uuid4().hex[:12],
            channel=channel,
            stage=stage,
            at_ms=at_ms,
            due_at_ms=due_after(channel, stage, at_ms),
            reference=reference[:200],
            outcome=outcome[:2_000],
            received_fen=received_fen,
        )

        def edit(case: Case) -> Case:
            return replace(case, steps=(*case.steps, taken))

        opened(folder).change("step.taken", edit, at_ms=now_ms(), facts={"channel": channel, "stage": stage})

    def lines() -> None:
        tell(words("timeline.step", channel=words(f"channels.{channel}"), stage=words(f"stages.{stage}")))
        if taken.due_at_ms:
            tell_of("due", when=_clock(taken.due_at_ms))

    say(to_builtins(taken), lines, as_json=as_json)


@click.command()
@case_argument
@click.option("-o", "--out", required=True, type=click.Path(dir_okay=False, path_type=Path))
@json_option
def ics(folder: Path, out: Path, as_json: bool) -> None:  # noqa: FBT001
    """Write the deadlines of CASE as a calendar file."""
    with speaking(as_json=as_json):
        case = opened(folder).read()
        at_ms = now_ms()
        these = entries(case, _day(at_ms), language())
        try:
            out.write_bytes(calendar_bytes(these, made_at_ms=at_ms))
        except OSError as error:
            raise CaseIsRefused(f"{out} cannot be written: {error.strerror}.") from None
    figures = {"file": str(out), "entries": len(these)}
    say(figures, lambda: tell_of("entries", count=len(these), file=out), as_json=as_json)


@click.command()
@case_argument
@click.option("--to", "urls", multiple=True, metavar="URL", help="A messenger as apprise names it. Repeatable.")
@json_option
def remind(folder: Path, urls: tuple[str, ...], as_json: bool) -> None:  # noqa: FBT001
    """Say what ends within a day or has ended; with --to also send it to your messenger. For a daily timer."""
    with speaking(as_json=as_json):
        case = opened(folder).read()
        said = reminders(case, now_ms())
        sent = _send(urls, case, said) if urls and said else 0

    def lines() -> None:
        for one in said or (words("clock.none"),):
            tell(one)

    say({"reminders": to_builtins(said), "sent": sent}, lines, as_json=as_json)


def _send(urls: tuple[str, ...], case: Case, said: tuple[Words, ...]) -> int:
    """To how many it went. Raises `CaseIsRefused` where one did not take it."""
    try:
        from apprise import Apprise  # noqa: PLC0415 - heavy, and an extra
    except ImportError:
        raise CaseIsRefused("messengers need: pip install 'fairkey[messengers]'") from None
    carrier = Apprise()
    for url in urls:
        if not carrier.add(url):
            raise CaseIsRefused("this is no messenger's address (see apprise's list of services).")
    if not carrier.notify(title=case.title or "fairkey", body="\n".join(one.of(language()) for one in said)):
        raise CaseIsRefused("a messenger did not take the reminder.")
    return len(urls)


def moment_ms(text: str) -> int:
    """A day or moment as typed, Beijing time. Raises `CaseIsRefused`."""
    try:
        return int(datetime.fromisoformat(text).replace(tzinfo=CHINA).timestamp() * 1000)
    except ValueError:
        raise CaseIsRefused(f"“{text}” is no moment: write 2026-11-23 or 2026-11-23T09:30.") from None


def _day(at_ms: int) -> date:
    return datetime.fromtimestamp(at_ms / 1000, CHINA).date()


def _clock(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, CHINA).strftime("%Y-%m-%d %H:%M")
