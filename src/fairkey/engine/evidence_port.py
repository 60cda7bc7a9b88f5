"""Files that somebody gives as evidence: what may be given, and the store that keeps them.

The store holds ciphertext only. Each file has a key of its own, which `keep` hands to the caller: it belongs into a
sealed field of the fact that tells of the file, so that the house's data keys protect it, rotation reaches it, and
erasing that field makes the file unreadable wherever copies of it are.
"""

from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from msgspec import Struct

MIB = 1024 * 1024


class MediaClass(StrEnum):
    """What a file is to those who look at it."""

    IMAGE = "image"
    PDF = "pdf"
    TEXT = "text"
    EMAIL = "email"
    VIDEO = "video"


class Media(Struct, frozen=True):
    """What a file is by its content: a type as in HTTP, and the class it belongs to."""

    media_class: MediaClass
    media_type: str


class EvidenceLimits(Struct, frozen=True, kw_only=True):
    """The most bytes that a file of each class may have, and the most points of a picture."""

    image_bytes: int = 20 * MIB
    pdf_bytes: int = 20 * MIB
    text_bytes: int = 5 * MIB
    email_bytes: int = 5 * MIB
    video_bytes: int = 500 * MIB
    image_pixels: int = 100_000_000

    def bytes_of(self, media_class: MediaClass) -> int:
        """The most bytes of this class."""
        return {
            MediaClass.IMAGE: self.image_bytes,
            MediaClass.PDF: self.pdf_bytes,
            MediaClass.TEXT: self.text_bytes,
            MediaClass.EMAIL: self.email_bytes,
            MediaClass.VIDEO: self.video_bytes,
        }[media_class]


class WhyRefused(StrEnum):
    """Why a file was not taken."""

    EMPTY = "empty"
    KIND_NOT_TAKEN = "kind_not_taken"
    NOT_WHAT_IT_CLAIMS = "not_what_it_claims"
    DAMAGED = "damaged"
    TWO_FILES_IN_ONE = "two_files_in_one"
    TOO_LARGE = "too_large"
    TOO_MANY_PIXELS = "too_many_pixels"
    SCANNER_SAYS_NO = "scanner_says_no"


class FileIsRefused(Exception):
    """The file is not taken; nothing of it was kept."""

    def __init__(self, why: WhyRefused) -> None:
        super().__init__(why.value)
        self.why = why


class EvidenceStoreFailed(Exception):
    """The store or the scanner could not do its work: nothing was kept, and trying again later may help."""


class EvidenceIsGone(Exception):
    """There is no such file in the store."""


class EvidenceIsChanged(Exception):
    """What the store gave back is not what was kept: changed, cut short, or another file's bytes."""


class Kept(Struct, frozen=True, kw_only=True):
    """A file that is durably in the store.

    `address` is the SHA-256 of the stored ciphertext (64 hex digits): it tells nothing about the content, and two
    uploads of the same bytes have two addresses. `sha256` is that of the file itself (32 bytes). `key` is secret.
    """

    address: str
    key: bytes
    sha256: bytes
    size_bytes: int
    media: Media


class EvidenceStore(Protocol):
    """Keeps files, encrypted."""

    async def keep(self, chunks: AsyncIterable[bytes], claimed_type: str = "") -> Kept:
        """Take a file in pieces of any size, in constant memory. When this returns the file is durable.

        `claimed_type` is the Content-Type that came with it, or empty. Raises `FileIsRefused` or
        `EvidenceStoreFailed`; then, and when `chunks` raises or the caller is cancelled, nothing is left behind.
        """
        ...

    def read(self, kept: Kept) -> AsyncIterator[bytes]:
        """The file's bytes in pieces, each of them authentic and in its place.

        Raises `EvidenceIsGone`, `EvidenceIsChanged` (at the piece that is wrong) or `EvidenceStoreFailed`.
        """
        ...

    async def remove(self, address: str) -> None:
        """Take the ciphertext away; nothing happens when it is gone already. Raises `EvidenceStoreFailed`."""
        ...

    async def tidy(self, known: Callable[[list[str]], Awaitable[set[str]]], older_than_ms: int) -> int:
        """Remove what uploads that never became a fact left behind; how many.

        `known` tells which of some addresses facts speak of. Only what was written before `older_than_ms` (wall
        clock, Unix milliseconds) is removed: a younger one may be about to become a fact.
        """
        ...


class Look(Struct, frozen=True, kw_only=True):
    """What was seen of a file. `preview`: a JPEG made anew, empty where there is none; `mark`: 64 bits that are alike
    for pictures that look alike, None where a picture has too little in it.
    """

    preview: bytes = b""
    mark: int | None = None


class Looks(Protocol):
    """Looks at pictures and videos, where they can do no harm."""

    async def look(self, chunks: AsyncIterable[bytes], kept: Kept) -> Look:
        """Raises `FileIsRefused` for a picture that is none inside, or a bomb."""
        ...


class EvidenceRow(Struct, frozen=True, kw_only=True):
    """A file, by the order and the number that its fact will have."""

    shop_id: str
    order_id: str
    evidence_id: str


class EvidenceRows(Protocol):
    """What is kept beside the facts: where files lie, their previews, how they look."""

    async def note(self, row: EvidenceRow, kept: Kept, look: Look) -> None:
        """Before the fact: a file may be about to become one."""
        ...

    async def forget(self, address: str) -> None:
        """It became none."""
        ...

    async def forget_unknown(self, older_than_ms: int) -> None:
        """Previews and looks of files that no fact needs (any more)."""
        ...

    async def kept(self, row: EvidenceRow) -> Kept | None:
        """The way to a file's bytes, out of its fact; None when there is none, or it was erased."""
        ...

    async def preview(self, row: EvidenceRow) -> bytes:
        """A JPEG, or nothing."""
        ...

    async def alike(self, row: EvidenceRow) -> int:
        """In how many other orders a picture was given that looks like this one."""
        ...

    async def deposited_at_ms(self, shop_id: str, code_ids: Sequence[str]) -> dict[str, int]:
        """When the batch of each code was deposited; codes typed by hand have none."""
        ...

    async def known(self, addresses: list[str]) -> set[str]:
        """Those that facts speak of and that were not erased."""
        ...


@dataclass(frozen=True, slots=True)
class EvidenceFiles:
    """Everything a house needs for files of evidence."""

    store: EvidenceStore
    rows: EvidenceRows
    looks: Looks
