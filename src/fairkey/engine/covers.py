"""What stands behind a shop's next order, as pages and programs ask: by the rule that admits orders, a moment old."""

from fairkey.business import covering

from .house import House


async def cover_of_shop(house: House, shop_id: str) -> covering.Cover | None:
    """The shop's cover now; None: this installation sets no bound."""
    settings, book = house.settings, house.questions.deposits
    if not settings.small_trial_fen:
        return None
    deposit = await book.deposit(shop_id)
    crediting = await house.questions.credit.crediting(shop_id)
    bounds = covering.Bounds(
        small_trial_fen=settings.small_trial_fen,
        cover_bp=settings.cover_bp,
        first_order_fen=settings.first_order_fen,
    )
    exposure = await book.exposure(shop_id, house.now_ms())
    return covering.cover_of(exposure, deposit.free_fen, bounds, is_throttled=crediting.is_throttled)
