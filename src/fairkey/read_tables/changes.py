"""What events change in the kept tables besides the streams themselves: codes, stock numbers, listing revisions.

Pure, so that `fairkey rebuild` makes the same tables again from nothing and `--check` compares.
"""

from collections.abc import Iterable

from msgspec import Struct

from fairkey.business import batches, codes, covering, listings, orders, quarantines
from fairkey.business.basics import Event, Stream
from fairkey.business.codes import CodeStage
from fairkey.business.files import File, OrderFile

CLEANLY = frozenset({"buyer", "clock"})  # who ended an order that nobody complained about


class CodesMove(Struct, frozen=True, kw_only=True):
    """These codes are now in `stage` for `order_id` (empty: for nobody). Only free codes are for sale."""

    shop_id: str
    codes: tuple[str, ...]
    stage: CodeStage
    order_id: str
    at_ms: int


class CodesTyped(Struct, frozen=True, kw_only=True):
    """Codes that came into being at delivery."""

    shop_id: str
    codes: tuple[str, ...]
    listing_id: str
    order_id: str
    at_ms: int


class BatchOnSale(Struct, frozen=True, kw_only=True):
    """All codes in the vault of this batch become free ones of the listing."""

    shop_id: str
    batch_id: str
    listing_id: str
    count: int
    at_ms: int


class BatchCodesMove(Struct, frozen=True, kw_only=True):
    """The codes at these places of the batch, all of them in stage `was`, are now in stage `now`; nobody holds them."""

    shop_id: str
    batch_id: str
    places: tuple[int, ...]
    was: CodeStage
    now: CodeStage
    at_ms: int


class StockChange(Struct, frozen=True, kw_only=True):
    """The number of free codes of a listing changes by `by`."""

    shop_id: str
    listing_id: str
    by: int


class SumChange(Struct, frozen=True, kw_only=True):
    """A kept sum of a shop changes: what is open, what was settled (`covering`)."""

    shop_id: str
    name: str
    by_fen: int


class RevisionPublished(Struct, frozen=True, kw_only=True):
    """One immutable revision of a listing."""

    shop_id: str
    listing_id: str
    revision: int
    revision_hash: str
    terms: str
    at_ms: int


Change = CodesMove | CodesTyped | BatchOnSale | BatchCodesMove | StockChange | SumChange | RevisionPublished


def changes_of(stream: Stream, event: Event, file: File, at_ms: int) -> list[Change]:
    """The changes that `event` brings; `file` is the stream's state after it."""
    shop_id = stream.shop_id
    match event:
        case codes.CodesReserved():
            return [
                CodesMove(
                    shop_id=shop_id, codes=event.codes, stage=CodeStage.RESERVED, order_id=stream.id, at_ms=at_ms
                ),
                StockChange(shop_id=shop_id, listing_id=event.listing_id, by=-len(event.codes)),
            ]
        case codes.CodesReplaced():
            return [
                CodesMove(
                    shop_id=shop_id, codes=event.codes, stage=CodeStage.DELIVERED, order_id=stream.id, at_ms=at_ms
                ),
                StockChange(shop_id=shop_id, listing_id=event.listing_id, by=-len(event.codes)),
            ]
        case codes.CodesReleased(to_stock=True):
            return [
                CodesMove(shop_id=shop_id, codes=event.codes, stage=CodeStage.FREE, order_id="", at_ms=at_ms),
                StockChange(shop_id=shop_id, listing_id=event.listing_id, by=len(event.codes)),
            ]
        case codes.CodesReleased():
            return [
                CodesMove(shop_id=shop_id, codes=event.codes, stage=CodeStage.RETURNED, order_id=stream.id, at_ms=at_ms)
            ]
        case codes.CodesDelivered() if event.commitments:
            assert isinstance(file, OrderFile)
            return [
                CodesTyped(
                    shop_id=shop_id,
                    codes=event.codes,
                    listing_id=file.order.listing_id,
                    order_id=stream.id,
                    at_ms=at_ms,
                )
            ]
        case codes.CodesDelivered():
            return [
                CodesMove(
                    shop_id=shop_id, codes=event.codes, stage=CodeStage.DELIVERED, order_id=stream.id, at_ms=at_ms
                )
            ]
        case codes.CodesRevealed():
            return [
                CodesMove(shop_id=shop_id, codes=event.codes, stage=CodeStage.REVEALED, order_id=stream.id, at_ms=at_ms)
            ]
        case batches.BatchRegistered():
            return [
                BatchOnSale(
                    shop_id=shop_id,
                    batch_id=stream.id,
                    listing_id=event.listing_id,
                    count=event.count,
                    at_ms=at_ms,
                ),
                StockChange(shop_id=shop_id, listing_id=event.listing_id, by=event.count),
            ]
        case (
            batches.CodesWithdrawn() | quarantines.CodesHeld() | quarantines.CodesLetBack()
            | quarantines.HeldCodesWithdrawn()
        ):  # fmt: skip
            return _moved_by_place(stream, event, at_ms)
        case listings.ListingPublished():
            return [
                RevisionPublished(
                    shop_id=shop_id,
                    listing_id=stream.id,
                    revision=event.revision,
                    revision_hash=event.revision_hash,
                    terms=event.terms,
                    at_ms=at_ms,
                )
            ]
        case _:
            return [*sums_of(stream, event, file, at_ms)]


_MOVES_BY_PLACE: dict[type[Event], tuple[CodeStage, CodeStage]] = {
    batches.CodesWithdrawn: (CodeStage.FREE, CodeStage.WITHDRAWN),
    quarantines.CodesHeld: (CodeStage.FREE, CodeStage.QUARANTINED),
    quarantines.CodesLetBack: (CodeStage.QUARANTINED, CodeStage.FREE),
    quarantines.HeldCodesWithdrawn: (CodeStage.QUARANTINED, CodeStage.WITHDRAWN),
}


def _moved_by_place(
    stream: Stream,
    event: batches.CodesWithdrawn
    | quarantines.CodesHeld
    | quarantines.CodesLetBack
    | quarantines.HeldCodesWithdrawn,
    at_ms: int,
) -> list[Change]:
    was, now = _MOVES_BY_PLACE[type(event)]
    places = tuple(quarantines.places_in(event.places))
    moved = BatchCodesMove(
        shop_id=stream.shop_id, batch_id=stream.id, places=places, was=was, now=now, at_ms=at_ms
    )
    by = event.count * ((now is CodeStage.FREE) - (was is CodeStage.FREE))
    return [moved, StockChange(shop_id=stream.shop_id, listing_id=event.listing_id, by=by)] if by else [moved]


def sums_of(stream: Stream, event: Event, file: File, at_ms: int) -> list[SumChange]:
    """What an event of an order means for the kept sums of its shop; `file` is the order after it."""
    if not isinstance(file, OrderFile):
        return []
    amount_fen, settled = file.order.amount_fen, False
    match event:
        case orders.OrderPlaced() | orders.OrderPaid(late=True):
            open_fen = amount_fen
        case (
            orders.OrderExpired() | orders.OrderCancelled() | orders.OrderWithdrawn() | orders.OrderRefunded()
            | orders.OrderWoundUp()
        ):  # fmt: skip
            open_fen = -amount_fen
        case orders.OrderCutShort():
            open_fen = -event.refund_fen
        case orders.OrderCompleted():
            open_fen, settled = -amount_fen, True
        case _:
            return []
    sums = {covering.OPEN: open_fen}
    if settled:
        sums[covering.day_name(at_ms)] = amount_fen
        if file.order.ended_by in CLEANLY:
            sums[covering.CLEAN] = amount_fen
    return [SumChange(shop_id=stream.shop_id, name=name, by_fen=by_fen) for name, by_fen in sums.items()]


def folded(changes: Iterable[Change]) -> list[Change]:
    """The same outcome with each row touched once: a code's last move, a listing's summed stock; births come first."""
    births: list[Change] = []
    moves: dict[tuple[str, str], CodesMove] = {}
    stock: dict[tuple[str, str], int] = {}
    sums: dict[tuple[str, str], int] = {}
    for change in changes:
        if isinstance(change, CodesMove):
            moves.update({(change.shop_id, code): change for code in change.codes})
        elif isinstance(change, StockChange):
            key = (change.shop_id, change.listing_id)
            stock[key] = stock.get(key, 0) + change.by
        elif isinstance(change, SumChange):
            key = (change.shop_id, change.name)
            sums[key] = sums.get(key, 0) + change.by_fen
        else:
            births.append(change)
    return [
        *births,
        *(
            CodesMove(shop_id=shop_id, codes=(code,), stage=move.stage, order_id=move.order_id, at_ms=move.at_ms)
            for (shop_id, code), move in sorted(moves.items(), key=lambda item: item[0])
        ),
        *(
            StockChange(shop_id=shop_id, listing_id=listing_id, by=by)
            for (shop_id, listing_id), by in sorted(stock.items())
            if by
        ),
        *(
            SumChange(shop_id=shop_id, name=name, by_fen=by_fen)
            for (shop_id, name), by_fen in sorted(sums.items())
            if by_fen
        ),
    ]
