"""The versions of the standard that this release holds, as files of the package: each is named by its bytes' SHA-256.

Reading them is like importing code: package data, the same for everybody, no input from outside.
"""

from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from importlib import resources
from typing import Final, NamedTuple

from msgspec import Struct, json

from .table import Standard, TableIsMalformed, Words, read_standard

NAME: Final = "FK-AF-1"
FILES: Final = ("FK-AF-1-1.0.json", "FK-AF-1-1.1.json", "FK-AF-1-1.2.json")  # oldest first
ERROR_TEXTS_FILE: Final = "issuer-errors-1.0.json"


class Edition(NamedTuple):
    """One version with the exact bytes of its file."""

    standard: Standard
    data: bytes

    @property
    def file_name(self) -> str:
        """What its file is called."""
        return f"{self.standard.name}-{self.standard.version}.json"


class ErrorText(Struct, frozen=True, forbid_unknown_fields=True):
    """What an issuer's screen or interface says, and what that means: a reason, and rows that may follow.

    `code`: the issuer's own number or name for it, empty when he shows none. `texts`: as they are shown.
    """

    issuer: str
    code: str
    texts: tuple[str, ...]
    means: str
    rows: tuple[str, ...]


class ErrorTexts(Struct, frozen=True, forbid_unknown_fields=True):
    """All of them, with the version of the list. `note` says where they are from and what they cannot tell."""

    version: str
    note: Words
    errors: tuple[ErrorText, ...]


def edition_of(data: bytes) -> Edition:
    """The version in these bytes. Raises `TableIsMalformed`."""
    return Edition(read_standard(data, sha256(data).hexdigest()), data)


@cache
def editions() -> Mapping[str, Edition]:
    """Every version that this release holds, by its number, oldest first."""
    folder = resources.files(__package__)
    held = [edition_of(folder.joinpath(name).read_bytes()) for name in FILES]
    for edition, name in zip(held, FILES, strict=True):
        if edition.file_name != name:
            raise TableIsMalformed(f"{name} holds {edition.file_name}")
    return {edition.standard.version: edition for edition in held}


def newest() -> Edition:
    """The newest version."""
    return list(editions().values())[-1]


@cache
def error_texts() -> ErrorTexts:
    """What issuers' errors mean. Raises `TableIsMalformed` if one names a reason or row that the newest lacks."""
    data = resources.files(__package__).joinpath(ERROR_TEXTS_FILE).read_bytes()
    texts = json.decode(data, type=ErrorTexts)
    standard = newest().standard
    reasons, rows = {reason.id for reason in standard.reasons}, {row.id for row in standard.rows}
    for error in texts.errors:
        if error.means not in reasons or not set(error.rows) <= rows:
            raise TableIsMalformed(f"{error.issuer} {error.code}: no such reason or row")
    return texts
