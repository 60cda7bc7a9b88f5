"""Where the facts of an order are on their way into the public log, in words, and the files their parties keep."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from litestar import Response

from fairkey.business.basics import Stream
from fairkey.engine.house import House
from fairkey.engine.receipts import Party, all_receipts, case_file, promise_of, receipt_of
from fairkey.proofs.receipts import PROMISE_SUFFIX, RECEIPT_SUFFIX
from fairkey.read_tables.order_book import OrderRecord

FILE: Final = "application/octet-stream"
State = Literal["recorded", "logged", "published", "witnessed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FactPlace:
    """How far one fact is: committed, with a number in the log, under a published checkpoint that the log alone signed,
    or under one that witnesses cosigned as the policy wants it.
    """

    state: State
    log_index: int | None
    receipt_href: str
    promise_href: str

    @property
    def has_receipt(self) -> bool:
        """Whether the receipt can be fetched."""
        return self.state in ("published", "witnessed")


def stream_of(record: OrderRecord) -> Stream:
    """The order's stream of facts."""
    return Stream(record.shop_id, "order", record.order_id)


async def places_of(house: House, shop_id: str, order_id: str, path: str) -> dict[int, FactPlace]:
    """Every fact of an order by its version. `path` is the order's page, below which the files lie."""
    is_watched = await house.log.is_watched()
    return {
        place.version: FactPlace(
            state=_state(place.log_index, is_covered=place.is_witnessed, is_watched=is_watched),
            log_index=place.log_index,
            receipt_href=f"{path}/facts/{place.version}/receipt",
            promise_href=f"{path}/facts/{place.version}/promise",
        )
        for place in await house.log.places(Stream(shop_id, "order", order_id))
    }


def _state(log_index: int | None, *, is_covered: bool, is_watched: bool) -> State:
    if log_index is None:
        return "recorded"
    if not is_covered:
        return "logged"
    return "witnessed" if is_watched else "published"


def placed(entries: Sequence[dict[str, object]], places: Mapping[int, FactPlace]) -> list[dict[str, object]]:
    """The lines of a timeline, each with its place in the log."""
    return [{**entry, "place": places.get(_version(entry))} for entry in entries]


def _version(entry: Mapping[str, object]) -> int:
    version = entry["version"]
    assert isinstance(version, int)
    return version


def mark_of(version: int, places: Mapping[int, FactPlace]) -> int:
    """A number that grows whenever a page about the order would look different: with each fact, and with each that is
    witnessed.
    """
    return version + sum(place.has_receipt for place in places.values())


def is_awaited(places: Mapping[int, FactPlace]) -> bool:
    """Whether the log is on its way through these facts: some are in it, and not yet all have a receipt."""
    is_begun = any(place.log_index is not None for place in places.values())
    return is_begun and not all(place.has_receipt for place in places.values())


async def receipt_file(
    house: House, stream: Stream, version: str, party: Party, reference: str
) -> Response[bytes]:
    """One receipt as a download. Raises `NotFound`, `ReceiptIsNotReady`, `StoreIsAway`."""
    data = await receipt_of(house, stream, version, party)
    return _download(data, f"{reference}-{int(version)}{RECEIPT_SUFFIX}")


async def promise_file(house: House, stream: Stream, version: str, reference: str) -> Response[bytes]:
    """One promise as a download. Raises `NotFound`."""
    data = await promise_of(house, stream, version)
    return _download(data, f"{reference}-{int(version)}{PROMISE_SUFFIX}")


async def receipts_zip(house: House, stream: Stream, party: Party, reference: str) -> Response[bytes]:
    """All of an order as one download."""
    return _download(await all_receipts(house, stream, party, reference), f"{reference}-receipts.zip")


async def case_zip(house: House, stream: Stream, party: Party, reference: str) -> Response[bytes]:
    """The case file of an order: its receipts and the standard."""
    return _download(await case_file(house, stream, party, reference), f"{reference}-case.zip")


def _download(data: bytes, name: str) -> Response[bytes]:
    return Response(
        data,
        media_type=FILE,
        headers={"content-disposition": f'attachment; filename="{name}"', "cache-control": "private, no-store"},
    )
