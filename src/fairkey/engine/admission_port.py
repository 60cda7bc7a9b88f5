"""What stands behind applications to sell: drafts, licences, what was filed, the queue, measures.

Drafts and images are not facts: they are sealed, and a filing names its image by hash alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from fairkey.business.admissions import Admission
from fairkey.business.shops import Sanction, Shop

LICENCE_BYTES_MAX: Final = 4 * 1024 * 1024
IMAGE_TYPES: Final[Mapping[bytes, str]] = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"%PDF-": "application/pdf",
}
"""How a licence may begin -> its media type."""


def type_of_image(content: bytes) -> str:
    """The media type by the first bytes; empty for what is not taken."""
    return next((kind for begin, kind in IMAGE_TYPES.items() if content.startswith(begin)), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One event of an application. `reason` is what was written to the applicant."""

    kind: str
    at_ms: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Dossier:
    """All that is kept of a shop's application. `filed` holds the sealed fields of the newest filing, in clear."""

    shop_id: str
    shop: Shop
    admission: Admission
    filed: Mapping[str, str]
    steps: Sequence[Step]


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """One application in the queue."""

    shop_id: str
    shop_no: int
    shop_name: str
    standing: str
    stage: str
    legal_form: str
    round: int
    since_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """One measure as the public reads it. `log_index` is None while the log has not taken it up yet."""

    shop_no: int
    shop_name: str  # of a registered trader; empty for anybody else
    pseudonym: str
    sanction: Sanction
    log_index: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trader:
    """Who stands behind a shop, as far as the public may know: name and code of a registered trader, else a pseudonym.

    `legal_form` is empty while nobody was verified.
    """

    legal_form: str
    name: str
    code: str
    pseudonym: str
    verified_at_ms: int
    checked_until_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """An opened licence image."""

    media_type: str
    content: bytes


class Admissions(Protocol):
    """Reading applications, and keeping what is no fact."""

    async def dossier(self, shop_id: str) -> Dossier | None:
        """Of one shop; `None` when there is none."""

    async def trader(self, shop_id: str) -> Trader | None:
        """Who stands behind a shop; `None` when there is none."""

    async def queue(self) -> list[Waiting]:
        """What waits for a reviewer, the oldest first."""

    async def published(self, *, shop_id: str = "", lines_max: int = 500) -> list[Published]:
        """Measures, newest first; of one shop or of all."""

    async def draft(self, shop_id: str) -> Mapping[str, str]:
        """What was typed so far; empty when nothing was."""

    async def keep_draft(self, shop_id: str, fields: Mapping[str, str]) -> None:
        """Seal and keep it; an empty one is forgotten."""

    async def keep_image(self, shop_id: str, media_type: str, content: bytes) -> str:
        """Seal and keep an image; its SHA-256, hex. The same one twice is one."""

    async def image(self, shop_id: str, sha256: str) -> Image | None:
        """The image of this shop with this hash."""
