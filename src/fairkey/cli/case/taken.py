"""`fairkey case taken`: the day that no picture of a chat names."""

from pathlib import Path

import rich_click as click

from fairkey.casework.reading.confirming import said_taken

from .parts import case_argument, json_option, now_ms, opened, say, speaking, tell_of


@click.command()
@case_argument
@click.argument("file")
@click.argument("when")
@json_option
def taken(folder: Path, file: str, when: str, as_json: bool) -> None:  # noqa: FBT001
    """Say when the picture FILE (its name, or the beginning of its SHA-256) was taken: 2026-11-23, or with the minute.

    Beijing time. Stamps like "昨天 20:15" are worked out from it when the case is read again, with less confidence.
    """
    with speaking(as_json=as_json):
        found = said_taken(opened(folder), file, when, at_ms=now_ms())
    say(
        {"file": found.name, "taken_at": found.taken_at},
        lambda: tell_of("taken", file=found.name, when=found.taken_at, folder=folder),
        as_json=as_json,
    )
