"""The proof of stock of one listing: which batches its free codes are of, and where the log says so."""

from typing import Final
from uuid import UUID

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from fairkey.engine.house import House
from fairkey.web.frame import AnyRequest, frame
from fairkey.web.render import render
from fairkey.web.store.listing import listing_with
from fairkey.web.trace import SOURCES

BATCHES_SHOWN_MAX: Final = 200


@get("/listings/{shop_no:int}/{listing_id:uuid}/stock")
async def stock(
    request: AnyRequest, house: NamedDependency[House], shop_no: FromPath[int], listing_id: FromPath[UUID]
) -> Response[str]:
    """Every batch that backs the listing now, newest last."""
    listing = await listing_with(house, shop_no, str(listing_id))
    proof = await house.traces.stock(listing.shop.shop_id, listing.listing_id)
    return render(
        frame(request, house),
        "store/stock.html",
        listing=listing,
        proof=proof,
        batches=proof.batches[:BATCHES_SHOWN_MAX],
        source_words=SOURCES,
    )
