"""Packs of cases as `fairkey verify` judges them: in the words and steps of every other proof."""

from collections.abc import Callable
from pathlib import Path

from fairkey.casework.pack.checking import PackIsUnreadable, check_pack, is_pack

from .auditing import Progress
from .judging import Given
from .reports import Report, State, Step

Begin = Callable[[str], Callable[[Step], None]]
_NOT_PROVEN = (
    "That what the evidence shows is true, or who made it: only that it was not changed since it was sealed.",
    "That nothing was changed before the sealing, or that nothing was left out.",
    "Anything against whoever could have made the whole pack anew: compare its fingerprint with one told elsewhere.",
)


def is_a_pack(path: Path) -> bool:
    """Whether the folder or ZIP calls itself a pack."""
    try:
        return is_pack(path.resolve())
    except (OSError, ValueError, RuntimeError):
        return False


def verify_pack(path: Path, given: Given, begin: Begin, progress: Progress) -> Report:
    """Every file, list and token of a pack."""
    report = Report(path.name, "pack", begin(path.name))
    try:

        def hear(_: str, number: int, of: int) -> None:
            progress("files", number, of)

        for found in check_pack(path.resolve(), given.roots, hear, given.trust.policy):
            report.add(found.step, State(found.state), found.sentence, found.details)
    except PackIsUnreadable as error:
        report.add("file", State.BAD, str(error))
    report.not_proven += _NOT_PROVEN
    return report
