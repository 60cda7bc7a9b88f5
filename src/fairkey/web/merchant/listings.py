"""Listings: what is offered, each published revision immutable; a change is shown before it is published."""

from collections.abc import Mapping
from typing import Any, Final

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from fairkey.business.askers import Asker
from fairkey.business.listings import TIERS_MAX, PublishListing, Terms, WithdrawListing
from fairkey.engine.desk_marks import LOW_STOCK_MAX
from fairkey.engine.house import House
from fairkey.read_tables.shop_desk import ListingLine, Place
from fairkey.web.frame import AnyRequest, frame
from fairkey.web.i18n import texts_of
from fairkey.web.inputs import form_of, whole
from fairkey.web.merchant.parts import (
    LINES_MAX,
    act,
    id_of,
    not_here,
    page,
    place_of,
    place_text,
    shop_id_of,
    to,
    whys,
)
from fairkey.web.merchant.terms_form import LABELS, blank, delivery_words, differences, form_from, terms_from, written

PATH: Final = "/desk/listings"
TIER_ROWS: Final = 4


@get(PATH)
async def listings(request: AnyRequest, house: NamedDependency[House]) -> Response[str]:
    """All listings with price, stock, what was sold, state."""
    shop_id = shop_id_of(request)
    lines = await house.questions.shop_desk.listings(
        shop_id, after=place_of(request.query_params.get("after")), lines_max=LINES_MAX + 1
    )
    shown = lines[:LINES_MAX]
    figures = await house.questions.storefront.figures([shop_id])
    return await page(
        request,
        house,
        "listings.html",
        lines=shown,
        figures=figures.get(shop_id),
        marks=await house.marks.low_stock(shop_id),
        older=place_text(Place(shown[-1].created_at_ms, shown[-1].listing_id)) if len(lines) > LINES_MAX else "",
    )


@get(f"{PATH}/new")
async def new(request: AnyRequest, house: NamedDependency[House]) -> Response[str]:
    """The empty form."""
    given = blank(house.new_id())
    if (copied := id_of(request.query_params.get("like"))) is not None:
        line = await house.questions.shop_desk.listing(shop_id_of(request), copied)
        if line is not None and line.listing.terms is not None:
            given = form_from(line.listing.terms, house.new_id(), 0)
    return await _form(request, house, given, None)


@post(f"{PATH}/new")
async def publish_new(request: AnyRequest, house: NamedDependency[House]) -> Response[Any]:
    """Check, show what buyers will read, then publish."""
    given = await form_of(request)
    listing_id = id_of(given.get("listing_id"))
    if listing_id is None:
        return not_here(request, house, "listing", PATH)
    line = await house.questions.shop_desk.listing(shop_id_of(request), listing_id)
    return await _proceed(request, house, given, listing_id, line)


@get(f"{PATH}/{{listing_id:str}}")
async def listing(request: AnyRequest, house: NamedDependency[House], listing_id: FromPath[str]) -> Response[str]:
    """One listing: terms, stock, figures, and every revision there ever was; `?revision=` shows an old one."""
    shop_id = shop_id_of(request)
    line = await _line(house, shop_id, listing_id)
    front = await house.questions.storefront.listing(shop_id, line.listing_id) if line else None
    if line is None or front is None or line.listing.terms is None:
        return not_here(request, house, "listing", PATH)
    wanted = whole(request.query_params.get("revision"))
    shown = front.newest
    if wanted is not None and wanted != front.newest.revision:
        found = await house.questions.storefront.revision(shop_id, line.listing_id, min(wanted, 2**31 - 1))
        if found is None:
            return not_here(request, house, "revision", f"{PATH}/{line.listing_id}")
        shown = found
    texts = texts_of(frame(request, house).locale)
    words = delivery_words(texts.gettext)
    figures = await house.questions.storefront.figures([shop_id])
    marks = await house.marks.low_stock(shop_id)
    return await page(
        request,
        house,
        "listing.html",
        line=line,
        front=front,
        revision=shown,
        rows=[(label, text) for name, label in LABELS.items() if (text := written(shown.terms, name, words))],
        figures=figures[shop_id].of(line.listing_id) if shop_id in figures else None,
        low_below=marks.get(line.listing_id, 0),
        batches=await house.questions.shop_desk.batches(shop_id, listing_id=line.listing_id, lines_max=5),
    )


@get(f"{PATH}/{{listing_id:str}}/edit")
async def edit(request: AnyRequest, house: NamedDependency[House], listing_id: FromPath[str]) -> Response[str]:
    """The form with the terms on sale now."""
    line = await _line(house, shop_id_of(request), listing_id)
    if line is None or line.listing.terms is None:
        return not_here(request, house, "listing", PATH)
    given = form_from(line.listing.terms, line.listing_id, line.listing.revision)
    return await _form(request, house, given, line)


@post(f"{PATH}/{{listing_id:str}}/edit")
async def publish_revision(
    request: AnyRequest, house: NamedDependency[House], listing_id: FromPath[str]
) -> Response[Any]:
    """Check, show what changes, then publish a new revision."""
    line = await _line(house, shop_id_of(request), listing_id)
    if line is None:
        return not_here(request, house, "listing", PATH)
    return await _proceed(request, house, await form_of(request), line.listing_id, line)


@post(f"{PATH}/{{listing_id:str}}/withdraw")
async def withdraw(request: AnyRequest, house: NamedDependency[House], listing_id: FromPath[str]) -> Response[Any]:
    """Take it off sale."""
    known = id_of(listing_id)
    if known is None:
        return not_here(request, house, "listing", PATH)
    command = WithdrawListing(shop_id=shop_id_of(request), listing_id=known)
    return await act(request, house, command, back=f"{PATH}/{known}", done="withdrawn")


@post(f"{PATH}/{{listing_id:str}}/resume")
async def resume(request: AnyRequest, house: NamedDependency[House], listing_id: FromPath[str]) -> Response[Any]:
    """Put it back on sale with the terms it had."""
    line = await _line(house, shop_id_of(request), listing_id)
    if line is None or line.listing.terms is None:
        return not_here(request, house, "listing", PATH)
    command = PublishListing(shop_id=shop_id_of(request), listing_id=line.listing_id, terms=line.listing.terms)
    return await act(request, house, command, back=f"{PATH}/{line.listing_id}", done="resumed")


@post(f"{PATH}/{{listing_id:str}}/low-stock")
async def mark_low_stock(
    request: AnyRequest, house: NamedDependency[House], listing_id: FromPath[str]
) -> Response[Any]:
    """Below which stock the desk says so."""
    shop_id = shop_id_of(request)
    line = await _line(house, shop_id, listing_id)
    if line is None:
        return not_here(request, house, "listing", PATH)
    below = whole((await form_of(request)).get("below") or "0")
    if below is None or below > LOW_STOCK_MAX:
        return not_here(request, house, "listing", f"{PATH}/{line.listing_id}")
    await house.marks.mark_low_stock(shop_id, line.listing_id, below)
    return to(f"{PATH}/{line.listing_id}", "saved")


async def _line(house: House, shop_id: str, listing_id: str) -> ListingLine | None:
    known = id_of(listing_id)
    return await house.questions.shop_desk.listing(shop_id, known) if known else None


async def _proceed(
    request: AnyRequest, house: House, given: Mapping[str, str], listing_id: str, line: ListingLine | None
) -> Response[Any]:
    terms, wrong = terms_from(given)
    if terms is None or given.get("step") == "edit":
        return await _form(request, house, given, line, wrong)
    # Somebody else published meanwhile: show the changes against what is on sale now before anything is done.
    is_current = given.get("base", "0") == str(line.listing.revision if line else 0)
    if given.get("step") != "publish" or not is_current:
        return await _check(request, house, given, line, terms, overtaken=not is_current)
    answer = await house.ask(
        Asker.MERCHANT, PublishListing(shop_id=shop_id_of(request), listing_id=listing_id, terms=terms)
    )
    if answer.refusal == "NothingHasChanged":
        return to(f"{PATH}/{listing_id}", "same")
    if answer.refusal:
        return await _form(request, house, given, line, {}, answer.refusal, answer.details)
    return to(f"{PATH}/{listing_id}", "published")


async def _check(
    request: AnyRequest,
    house: House,
    given: Mapping[str, str],
    line: ListingLine | None,
    terms: Terms,
    *,
    overtaken: bool,
) -> Response[str]:
    words = delivery_words(texts_of(frame(request, house).locale).gettext)
    old = line.listing.terms if line else None
    revision = line.listing.revision if line else 0
    return await page(
        request,
        house,
        "listing_check.html",
        line=line,
        given={**given, "base": str(revision)},
        next_revision=revision + 1,
        rows=differences(old, terms, words),
        is_new=old is None,
        overtaken=overtaken,
    )


async def _form(
    request: AnyRequest,
    house: House,
    given: Mapping[str, str],
    line: ListingLine | None,
    wrong: Mapping[str, str] | None = None,
    refusal: str = "",
    details: Mapping[str, object] | None = None,
) -> Response[str]:
    choices = await house.questions.storefront.choices()
    tier_rows = max([TIER_ROWS, *(row + 2 for row in range(TIERS_MAX) if given.get(f"tier_least_{row}"))])
    return await page(
        request,
        house,
        "listing_form.html",
        refusal=refusal,
        details=details,
        errors=whys(wrong or {}, frame(request, house).locale),
        line=line,
        given=given,
        labels=LABELS,
        tier_rows=min(tier_rows, TIERS_MAX),
        categories=[value for value, _count in choices.categories],
        regions=[value for value, _count in choices.regions],
    )


HANDLERS: Final = [
    listings,
    new,
    publish_new,
    listing,
    edit,
    publish_revision,
    withdraw,
    resume,
    mark_low_stock,
]
