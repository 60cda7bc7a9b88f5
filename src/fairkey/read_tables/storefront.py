"""What anyone sees: the store, one listing, one shop. Amounts in fen, times and durations in milliseconds, UTC."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, Protocol

from fairkey.business.basics import DAY_MS
from fairkey.business.listings import Terms
from fairkey.business.reviews import Review

Sort = Literal["stock", "new", "price", "price_down", "speed"]
SORTS: Final[tuple[Sort, ...]] = ("stock", "new", "price", "price_down", "speed")

CARDS_MAX: Final = 24
WORDS_MAX: Final = 6
FIGURES_OVER_MS: Final = 90 * DAY_MS
FIGURES_OF_ORDERS_MAX: Final = 5_000  # the newest; keeps the cost of a busy shop's figures flat


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a visitor looks for. Empty text and `None` mean "any"; `words` are searched for all at once.

    `after` is the cursor of the page before: (sort key, listing id).
    """

    words: tuple[str, ...] = ()
    category: str = ""
    region: str = ""
    delivery: str = ""
    price_least_fen: int | None = None
    price_most_fen: int | None = None
    in_stock_only: bool = False
    shop_id: str = ""
    sort: Sort = "stock"
    after: tuple[int, str] | None = None
    cards_max: int = CARDS_MAX


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One listing on sale. `stock` is what lies sealed in the vault now (0 for listings typed by hand)."""

    shop_id: str
    shop_no: int
    shop_name: str
    listing_id: str
    revision: int
    product: str
    category: str
    face_value: str
    region: str
    edition: str
    price_fen: int
    lowest_price_fen: int
    delivery: str
    promise_min: int
    stock: int
    published_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """One page of cards. `count` are all that match; `after` is the cursor of the next page."""

    cards: tuple[Card, ...]
    count: int
    after: tuple[int, str] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What one can filter by now: (value, how many listings)."""

    categories: tuple[tuple[str, int], ...]
    regions: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """One immutable revision of a listing."""

    revision: int
    revision_hash: str
    published_at_ms: int
    terms: Terms


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopFront:
    """A shop as anyone may know it."""

    shop_id: str
    shop_no: int
    name: str
    announcement: str
    standing: str
    opened_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingFront:
    """One listing with its newest revision, and all revisions (newest first, without their terms)."""

    shop: ShopFront
    listing_id: str
    on_sale: bool
    stock: int
    newest: Revision
    revisions: tuple[tuple[int, str, int], ...]  # (revision, hash, published at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What a shop (or one of its listings) did in the counted time. Counts are orders unless they say units.

    A unit counts as bad when a complaint about its order ended with money back: of a part refund, that part of the
    units, rounded up. `complaints` are by how they ended; running ones are `running`.
    """

    paid: int = 0
    delivered: int = 0
    delivered_units: int = 0
    late: int = 0
    withdrawn: int = 0
    delivery_median_ms: int | None = None
    delivery_p95_ms: int | None = None
    opened_units: int = 0
    bad_units: int = 0
    complained: int = 0
    complaints: Mapping[str, int] = field(default_factory=dict)
    reviews: int = 0
    speed_mean: float | None = None
    code_worked: int = 0
    objected: int = 0  # reviews the shop objected to
    hidden: int = 0  # times words of a review or an objection were hidden

    @property
    def validity(self) -> float | None:
        """Share of opened codes that nobody got money back for; `None` while none was opened."""
        return 1 - self.bad_units / self.opened_units if self.opened_units else None

    @property
    def complaints_per_1000(self) -> float | None:
        """Complaints for every 1,000 delivered orders; `None` while none was delivered."""
        return 1_000 * self.complained / self.delivered if self.delivered else None


NO_FIGURES: Final = Figures()


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopFigures:
    """Figures of a shop and of each of its listings, over orders placed from `since_ms` to `until_ms`.

    `is_cut`: there were more orders in that time than are counted; then `since_ms` is that of the oldest counted one.
    """

    whole: Figures
    of_listing: Mapping[str, Figures]
    since_ms: int
    until_ms: int
    is_cut: bool = False

    def of(self, listing_id: str) -> Figures:
        """Those of one listing."""
        return self.of_listing.get(listing_id, NO_FIGURES)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewLine:
    """What a buyer said. `buyer` is the name this shop's public facts call him by. Show `review.shown_text` and
    `review.shown_objection` only.
    """

    order_id: str
    listing_id: str
    product: str
    buyer: str
    review: Review


class Storefront(Protocol):
    """Questions of visitors."""

    async def shelf(self, wish: Wish) -> Shelf:
        """Listings on sale in open shops that match."""

    async def choices(self) -> Choices:
        """What can be filtered by."""

    async def listing(self, shop_id: str, listing_id: str) -> ListingFront | None:
        """One listing, whether on sale or not."""

    async def revision(self, shop_id: str, listing_id: str, revision: int) -> Revision | None:
        """One revision with its terms."""

    async def shop(self, shop_id: str) -> ShopFront | None:
        """One shop."""

    async def figures(self, shop_ids: list[str]) -> dict[str, ShopFigures]:
        """Figures of these shops; at most some seconds old."""

    async def reviews(
        self, shop_id: str, *, listing_id: str | None = None, before_ms: int | None = None, lines_max: int = 20
    ) -> list[ReviewLine]:
        """What buyers said of a shop or of one of its listings, newest first."""
