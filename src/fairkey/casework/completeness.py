"""What a case has, what is weak, what is missing: for its problem, and for a channel. How to get it now.

Weak is what a court would ask about: only a screenshot, or something that the buyer has not confirmed. Strong is what
somebody else keeps (an export, a signed mail), what shows itself unbroken (a recording with its nonce), or a page saved
whole (证据规定 14, 15, 93, 94).
"""

from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Final

from msgspec import Struct, json

from .model import Case, CaseFile, FactKind, FactRole, Problem
from .texts import NOTHING, Words, words

STRONG: Final = frozenset({"export", "mail", "recording", "page"})
_PACKAGE: Final = "fairkey.casework"


class State(StrEnum):
    """How much there is of a piece."""

    PRESENT = "present"
    WEAK = "weak"
    MISSING = "missing"


class Piece(Struct, frozen=True, forbid_unknown_fields=True):
    """A piece of evidence that a case may need: by which facts and roles it is known, how it is best taken."""

    id: str
    zh: str
    en: str
    kinds: tuple[FactKind, ...]
    roles: tuple[FactRole, ...]
    how: tuple[str, ...]
    adds: Words
    get: Words
    rules: tuple[str, ...]

    @property
    def name(self) -> Words:
        """What it is called."""
        return Words(self.zh, self.en)


class Checklist(Struct, frozen=True, forbid_unknown_fields=True):
    """The pieces, which a problem needs, and which a channel wants besides."""

    version: str
    pieces: tuple[Piece, ...]
    needed: dict[Problem, tuple[str, ...]]
    more: dict[str, tuple[str, ...]]


class Gap(Struct, frozen=True, kw_only=True):
    """One piece and how it stands. `files`: SHA-256 of what shows it. `why` names what makes it weak: unconfirmed,
    screenshot, or empty.
    """

    piece: Piece
    state: State
    files: tuple[str, ...]
    why: str

    @property
    def reason(self) -> Words:
        """What makes it weak, in brackets; empty where nothing does."""
        return words(f"gaps.{self.why}") if self.why else NOTHING


@cache
def checklist() -> Checklist:
    """The list of this release."""
    return json.decode((files(_PACKAGE) / "checklist.json").read_bytes(), type=Checklist)


def gaps(case: Case, channel: str = "") -> tuple[Gap, ...]:
    """How each piece stands that this case, and the channel, needs; pure."""
    listed = checklist()
    wanted = dict.fromkeys((*listed.needed[case.problem], *listed.more.get(channel, ())))
    return tuple(_gap(case, piece) for piece in listed.pieces if piece.id in wanted)


def preservation_needed(case: Case) -> bool:
    """Should the platform be asked now to keep its records (电商法 31, 62)? While anything it keeps is not here."""
    kept_there = {"listing", "order", "delivery", "talk"}
    return any(gap.piece.id in kept_there and gap.state is not State.PRESENT for gap in gaps(case))


def _gap(case: Case, piece: Piece) -> Gap:
    by_hash = {file.seal.sha256: file for file in case.files}
    confirmed = [
        sha for fact in case.facts if fact.kind in piece.kinds or fact.role in piece.roles for sha in fact.files
    ]
    proposed = [one.file for one in case.proposed if one.kind in piece.kinds or one.role in piece.roles]
    named = [file.seal.sha256 for file in case.files if file.purpose == piece.id]
    shown = tuple(dict.fromkeys(sha for sha in (*confirmed, *named) if sha in by_hash))
    if any(_is_strong(by_hash[sha], piece) for sha in shown):
        return Gap(piece=piece, state=State.PRESENT, files=shown, why="")
    if shown:
        return Gap(piece=piece, state=State.WEAK, files=shown, why="screenshot")
    perhaps = tuple(dict.fromkeys(sha for sha in proposed if sha in by_hash))
    if perhaps:
        return Gap(piece=piece, state=State.WEAK, files=perhaps, why="unconfirmed")
    return Gap(piece=piece, state=State.MISSING, files=(), why="")


def _is_strong(file: CaseFile, piece: Piece) -> bool:
    how = file.capture.how
    if how == "mail":
        return file.checks.get("dkim", "").startswith("pass")
    if how == "recording":
        return bool(file.capture.nonce)
    return how in STRONG and how in piece.how
