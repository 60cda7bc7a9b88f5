"""Refusals as programs read them: problems as of RFC 9457, from one place for the API, the callbacks and the door.

`type` is `/problems/<kebab-name>`, a page that tells what it means; it never changes. `title` and `detail` are English,
`detail_zh` Chinese; `details` carries what the rule had to say, machine-readable.
"""

import re
from collections.abc import Mapping
from typing import Final, NamedTuple, Protocol

import msgspec
from msgspec import Struct

from fairkey.gates.statuses import STATUS, status_of

MEDIA_TYPE: Final = "application/problem+json"

_HUMP: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")
_FOR_PAGES_ONLY: Final = frozenset({"back", "expired"})  # details that only lead a browser somewhere


class Sentences(Protocol):
    """What a refusal means, in words: `(English, Chinese)` for its name and details."""

    def __call__(self, name: str, details: Mapping[str, object]) -> tuple[str, str]:
        """Never fails: a name without words gets general ones."""


class Problem(Struct, frozen=True, kw_only=True):
    """Why a request was not done. Nothing of it was done then."""

    type: str
    title: str
    status: int
    detail: str
    detail_zh: str
    details: dict[str, object]


class Told(NamedTuple):
    """A problem ready to send."""

    status: int
    body: bytes


def kebab(name: str) -> str:
    """`StockIsShort` -> `stock-is-short`."""
    return _HUMP.sub("-", name).lower()


def title_of(name: str) -> str:
    """`StockIsShort` -> `Stock is short`."""
    return _HUMP.sub(" ", name).capitalize()


NAME_OF_KEBAB: Final[Mapping[str, str]] = {kebab(name): name for name in STATUS}


class Problems:
    """Writes problems with the house's own words."""

    def __init__(self, sentences: Sentences) -> None:
        """`sentences` says in words what a refusal means."""
        self._sentences = sentences
        self._encode = msgspec.json.Encoder().encode

    def tell(self, name: str, details: Mapping[str, object] | None = None, *, status: int | None = None) -> Told:
        """The problem for refusal `name`; `status` only where the framework has already chosen another one."""
        given = {key: value for key, value in (details or {}).items() if key not in _FOR_PAGES_ONLY}
        english, chinese = self._sentences(name, given)
        status = status or status_of(name)
        problem = Problem(
            type=f"/problems/{kebab(name)}",
            title=title_of(name),
            status=status,
            detail=english,
            detail_zh=chinese,
            details=given,
        )
        return Told(status, self._encode(problem))
