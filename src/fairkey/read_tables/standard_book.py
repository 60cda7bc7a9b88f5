"""The standard as it was published here, and what judging a case needs that the order itself does not know."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

from fairkey.business.standards import Published

CLEAN_ORDERS_A_USE = 3
"""Completed orders that somebody must have for each payment without fault; with fewer, cheating by new names pays."""

SIGNS_OF_LIFE = frozenset(
    {
        "shop.applied", "shop.application_filed", "shop.payout_account_changed", "shop.changed",
        "shop.sanction_appealed", "shop.attended", "listing.published", "listing.withdrawn", "batch.registered",
        "batch.codes_withdrawn", "batch.held_withdrawn", "batch.codes_exported", "batch.review_asked",
        "coupon.created", "coupon.withdrawn", "payment.payout_requested", "deposit.agreed", "deposit.top_up_asked",
        "deposit.release_requested", "dispute.answered", "dispute.asked", "dispute.resent",
    }
)  # fmt: skip
"""Facts that only the people of a shop bring about. Others count where they say that the shop did it, and typed codes.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What judging a complaint must know of its shop and buyer. Moments are 0 and numbers None where there is nothing.

    `silences`: rulings by row R15 in 90 days. `used_code_at_ms`: the last ruling by R03. `lures`: rulings by R14.
    `meter`: the shop's now. `seen_at_ms`: its last sign of life in the log. `deposit_fen`: what the deposit holds free.
    `pool_uses`: the buyer's payments without fault in 90 days, known only where he has earned one more by completed
    orders and the pool holds `pool_fen` or more.
    """

    deposit_fen: int | None = None
    silences: int = 0
    used_code_at_ms: int = 0
    lures: int = 0
    meter: int = 0
    seen_at_ms: int | None = None
    pool_uses: int | None = None


CLEAN_ORDERS_A_REPORTER: Final = 3
"""Orders a buyer has completed in other shops, without a complaint, before his report of a lure outside counts: a rival
who invents reporters would have to trade for each of them first.
"""


class Shown(NamedTuple):
    """A file that shows an outside chat. `mark`: 64 bits that are alike for pictures that look alike, else None."""

    sha256: str
    mark: int | None


def independent_reporters(reports: Sequence[Sequence[Shown]], alike_bits: int) -> int:
    """How many of these reporters, the earliest first, show something that none before him showed. Pictures whose marks
    differ in `alike_bits` of 64 or fewer are the same picture.
    """
    seen: list[Shown] = []
    count = 0
    for files in reports:
        count += any(not any(_is_same(one, other, alike_bits) for other in seen) for one in files)
        seen.extend(files)
    return count


def _is_same(one: Shown, other: Shown, alike_bits: int) -> bool:
    if one.sha256 == other.sha256:
        return True
    if one.mark is None or other.mark is None:
        return False
    return ((one.mark ^ other.mark) & (2**64 - 1)).bit_count() <= alike_bits


EXPLAINED_CASES: Final = ("R03a", "R10e", "R11")
"""Cases in which the issuer himself says what became of a code: it tells nothing of the batch's other codes."""


class BatchPast(NamedTuple):
    """Other buyers who opened a code of a batch, each counted once: all, and those who failed.

    Who complains of a used or invalid code has failed unless it was found against him; silence finds nothing.
    `recorded`: of those who failed, who gave a guided recording, stands it or is it doubted, unless the issuer
    explained it (`EXPLAINED_CASES`).
    """

    opened: int
    failed: int
    recorded: int = 0

    @property
    def failed_percent(self) -> int:
        """Of all who opened one, rounded down."""
        return self.failed * 100 // self.opened if self.opened else 0


class StandardBook(Protocol):
    """Questions about the standard."""

    async def published(self) -> list[Published]:
        """All published versions, in order of publication."""

    async def custody(self, shop_id: str, code_ids: Sequence[str]) -> dict[str, str]:
        """The custody class (C0, C1, C2) of each of these codes."""

    async def batch_past(self, shop_id: str, code_id: str, order_id: str) -> BatchPast:
        """How other buyers fared with codes of the same batch."""

    async def past(self, shop_id: str, buyer_key: str, *, now_ms: int, pool_fen: int) -> Past:
        """The past of a shop and a buyer; `pool_fen` is what the pool would have to pay."""

    async def lure_reporters(self, shop_id: str, now_ms: int) -> int:
        """How many independent buyers of this shop complained in 90 days that it leads off the site, and showed the
        outside chat by a file (FK-AF-1, R14). Who has not completed `CLEAN_ORDERS_A_REPORTER` orders elsewhere, or
        shows a picture that was shown before, is none.
        """

    async def batches_of(self, shop_id: str, code_ids: Sequence[str]) -> list[str]:
        """The batches of these codes; typed codes have none."""

    async def order_of(self, shop_id: str, code_id: str) -> str | None:
        """The order that holds this code; None while none does."""
