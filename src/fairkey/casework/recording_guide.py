"""A recording of a screen that can be placed in time: a word shown in it that nobody could know before, begin and end
in the journal, and what to do in which order.

The word proves that the recording was not made before it was given out; the seal afterwards, that it was not made
later. Neither proves that the screen showed what a server sent: the steps below make that more likely.
"""

import secrets
from collections.abc import Sequence
from typing import Final, NamedTuple

from .folder import CaseFolder, CaseIsRefused
from .texts import Words, data

LETTERS: Final = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"  # none that look alike
LENGTH: Final = 8


class NoRecordingBegan(CaseIsRefused):
    """A recording is ended that was never begun, or is over already."""


class Recording(NamedTuple):
    """One recording as the journal knows it. `ended_at_ms` 0: still open."""

    nonce: str
    began_at_ms: int
    ended_at_ms: int


def steps() -> tuple[Words, ...]:
    """What to record, in order."""
    return tuple(data().texts["recording"].values())


def begin(folder: CaseFolder, *, at_ms: int) -> Recording:
    """Give out a new word and note when. Raises as `CaseFolder.note`."""
    nonce = "".join(secrets.choice(LETTERS) for _ in range(LENGTH))
    folder.note("recording.began", at_ms=at_ms, facts={"nonce": nonce})
    return Recording(nonce, at_ms, 0)


def end(folder: CaseFolder, nonce: str, *, at_ms: int) -> Recording:
    """Note that the recording with this word is over. Raises `NoRecordingBegan` and as `CaseFolder.note`."""
    found = next((one for one in recordings(folder) if one.nonce == nonce.upper()), None)
    if found is None or found.ended_at_ms:
        raise NoRecordingBegan(f"No recording with the word {nonce[:20]!r} is open in this case.")
    folder.note("recording.ended", at_ms=at_ms, facts={"nonce": found.nonce})
    return found._replace(ended_at_ms=at_ms)


def recordings(folder: CaseFolder) -> Sequence[Recording]:
    """All recordings that were begun, in order."""
    found: dict[str, Recording] = {}
    for act in folder.acts():
        nonce = str(act.facts.get("nonce", ""))
        if act.act == "recording.began":
            found[nonce] = Recording(nonce, act.at_ms, 0)
        elif act.act == "recording.ended" and nonce in found:
            found[nonce] = found[nonce]._replace(ended_at_ms=act.at_ms)
    return tuple(found.values())
