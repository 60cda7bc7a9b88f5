"""What can be refused about an order, with the details that a page shows."""

from .basics import Refusal


class ShopIsClosed(Refusal):
    """The shop takes no orders now."""


class ShopIsFrozen(Refusal):
    """The shop's meter reached its end: no new orders before a person has looked at it."""


class ShopHasNotVanished(Refusal):
    """No ruling says so, or it has come back: its orders go their own way."""


class ListingIsNotOnSale(Refusal):
    """The listing was withdrawn, or never published."""


class ListingHasChanged(Refusal):
    """The buyer saw an older revision. Details: seen, current."""


class QuantityIsOutOfRange(Refusal):
    """Details: quantity, least, most."""


class PurchaseLimitIsReached(Refusal):
    """Details: limit, bought."""


class TooManyUnpaidOrders(Refusal):
    """Details: limit, whose (buyer or address)."""


class CouponIsNotValid(Refusal):
    """Details: why (unknown, expired, used_up, other_listing, below_minimum)."""


class OrderIsInAnotherStage(Refusal):
    """Details: stage, allowed."""


class NotDueYet(Refusal):
    """The clock asked too early. Details: due_at_ms."""


class CodeWasAlreadyOpened(Refusal):
    """Stepping back is possible only while every code is sealed."""


class WaitWasAlreadyAgreed(Refusal):
    """One extension an order."""
