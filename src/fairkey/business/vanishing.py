"""That a shop has vanished (FK-AF-1, R18), and that it is back: facts of the shop's own stream, told by `shops`."""

from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from .basics import HOUR_MS, Event, Refusal, invariant, require_text
from .order_refusals import ShopHasNotVanished

RETURN_WITHIN_MS: Final = 72 * HOUR_MS  # what a shop that is back is promised


class ShopVanished(Event, frozen=True):
    """A ruling by R18 about `order_id` was carried out: the shop gives no sign of life. All open orders are ended."""

    kind = "shop.vanished"
    order_id: str
    ruling_no: int


class ReturnAsked(Event, frozen=True):
    """A vanished shop is back and asks for a person; what was refunded stays refunded."""

    kind = "shop.return_asked"
    sealed = frozenset({"text"})
    review_by_ms: int
    text: str


class ShopReturned(Event, frozen=True):
    """A person let a vanished shop trade again; the reason is for the shop, that it happened for everybody."""

    kind = "shop.returned"
    sealed = frozenset({"reason"})
    reason: str


class ReturnWasAsked(Refusal):
    """A person was asked already. Details: review_by_ms."""


class RulingBriefing(Struct, frozen=True, kw_only=True):
    """When the ruling was made that is carried out now."""

    ruled_at_ms: int


class Vanished(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """That no sign of life came, by which ruling, and what came after. `before`: how the shop stood."""

    since_ms: int
    order_id: str
    ruling_no: int
    before: str
    review_by_ms: int = 0
    returned_at_ms: int = 0


def is_gone(vanished: Vanished | None) -> bool:
    """Whether a ruling says so and nobody has let it return."""
    return vanished is not None and not vanished.returned_at_ms


def noted(vanished: Vanished | None, order_id: str, ruling_no: int, ruled_at_ms: int) -> list[Event]:
    """A ruling that is older than the shop's return says nothing about it any more."""
    if is_gone(vanished) or (vanished and ruled_at_ms <= vanished.returned_at_ms):
        return []
    return [ShopVanished(order_id=order_id, ruling_no=ruling_no)]


def return_asked(vanished: Vanished | None, text: str, at_ms: int) -> list[Event]:
    """Once each time it vanished. Raises `ShopHasNotVanished`, `ReturnWasAsked`, `FieldIsInvalid`."""
    if vanished is None or not is_gone(vanished):
        raise ShopHasNotVanished
    if vanished.review_by_ms:
        raise ReturnWasAsked(review_by_ms=vanished.review_by_ms)
    require_text(text, "text", 4_000, 20)
    return [ReturnAsked(review_by_ms=at_ms + RETURN_WITHIN_MS, text=text)]


def returned(vanished: Vanished | None, reason: str) -> list[Event]:
    """A person decided. Raises `ShopHasNotVanished`, `FieldIsInvalid`."""
    if not is_gone(vanished):
        raise ShopHasNotVanished
    require_text(reason, "reason", 2_000, 20)
    return [ShopReturned(reason=reason)]


def after(
    vanished: Vanished | None, event: ShopVanished | ReturnAsked | ShopReturned, at_ms: int, *, before: str = ""
) -> Vanished:
    """What is known of it after `event`; `before`: how the shop stood."""
    if isinstance(event, ShopVanished):
        return Vanished(since_ms=at_ms, order_id=event.order_id, ruling_no=event.ruling_no, before=before)
    invariant(vanished is not None, "only a vanished shop returns")
    assert vanished is not None
    if isinstance(event, ReturnAsked):
        return replace(vanished, review_by_ms=event.review_by_ms)
    return replace(vanished, returned_at_ms=at_ms)
