"""Coupons: a sum or a share off, for some listings or all, so often, until a day."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from fairkey.business.askers import Asker
from fairkey.business.coupons import Coupon, CreateCoupon, WithdrawCoupon
from fairkey.engine import trade
from fairkey.engine.house import House
from fairkey.read_tables.shop_desk import Place
from fairkey.web.formats import SHANGHAI
from fairkey.web.frame import AnyRequest, frame
from fairkey.web.inputs import fen_of, form_of, whole
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

PATH: Final = "/desk/coupons"
LISTINGS_MAX: Final = 200
BP_PER_PERCENT: Final = 100


@get(PATH)
async def coupons(request: AnyRequest, house: NamedDependency[House]) -> Response[str]:
    """The list, and the form for a new one."""
    return await _page(request, house, {"kind": "sum"}, set())


@post(PATH)
async def create(request: AnyRequest, house: NamedDependency[House]) -> Response[Any]:
    """Make one."""
    shop_id = shop_id_of(request)
    given = await form_of(request)
    chosen = {id_of(str(value)) or "" for value in (await request.form()).getall("listing", [])[:LISTINGS_MAX]}
    known = {line.listing_id for line in await house.questions.shop_desk.listings(shop_id, lines_max=LISTINGS_MAX)}
    wrong: dict[str, str] = {}
    if not chosen <= known:
        wrong["listing"] = "unknown"
    is_sum = given.get("kind") != "share"
    off = fen_of(given.get("off"))  # a share is typed as percent: 12.5 are 1250 basis points
    if off is None:
        wrong["off"] = "not_an_amount"
    least_fen = fen_of(given.get("least_fen") or "0")
    if least_fen is None:
        wrong["least_fen"] = "not_an_amount"
    uses_max = whole(given.get("uses_max") or "0")
    if uses_max is None:
        wrong["uses_max"] = "not_a_number"
    ends_at_ms = _end_of_day_ms(given.get("ends", ""))
    if ends_at_ms is None:
        wrong["ends_at_ms"] = "not_a_date"
    if wrong or off is None or least_fen is None or uses_max is None or ends_at_ms is None:
        return await _page(request, house, given, chosen, wrong)
    code = given.get("code", "")
    answer = await house.ask(
        Asker.MERCHANT,
        CreateCoupon(
            shop_id=shop_id,
            coupon_id=trade.coupon_id_of(shop_id, code),
            code=code,
            off_fen=off if is_sum else 0,
            off_bp=0 if is_sum else off,
            least_fen=least_fen,
            uses_max=uses_max,
            ends_at_ms=ends_at_ms,
            listings=tuple(sorted(chosen)),
        ),
    )
    if answer.refusal == "FieldIsInvalid":
        field = {"off_fen": "off", "off_bp": "off"}.get(str(answer.details["field"]), str(answer.details["field"]))
        return await _page(request, house, given, chosen, {field: str(answer.details["why"])})
    if answer.refusal:
        return await _page(request, house, given, chosen, {}, answer.refusal, answer.details)
    return to(PATH, "coupon")


@post(f"{PATH}/{{coupon_id:str}}/withdraw")
async def withdraw(request: AnyRequest, house: NamedDependency[House], coupon_id: FromPath[str]) -> Response[Any]:
    """End one."""
    known = id_of(coupon_id)
    if known is None:
        return not_here(request, house, "coupon", PATH)
    command = WithdrawCoupon(shop_id=shop_id_of(request), coupon_id=known)
    return await act(request, house, command, back=PATH, done="coupon-ended")


def state_of(coupon: Coupon, now_ms: int) -> str:
    """How `states.LOOKS["coupon"]` calls its state."""
    if coupon.withdrawn:
        return "withdrawn"
    if coupon.ends_at_ms and now_ms >= coupon.ends_at_ms:
        return "expired"
    return "exhausted" if coupon.uses_max and coupon.uses >= coupon.uses_max else "active"


def _end_of_day_ms(text: str) -> int | None:
    """The end of a day in Shanghai; 0 for none; `None` if it is no date."""
    if not text:
        return 0
    try:
        day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=SHANGHAI)
        return max(int((day + timedelta(days=1)).timestamp() * 1000), 1)
    except (ValueError, OverflowError):
        return None


async def _page(
    request: AnyRequest,
    house: House,
    given: Mapping[str, str],
    chosen: set[str],
    wrong: Mapping[str, str] | None = None,
    refusal: str = "",
    details: Mapping[str, object] | None = None,
) -> Response[str]:
    shop_id = shop_id_of(request)
    lines = await house.questions.shop_desk.coupons(
        shop_id, after=place_of(request.query_params.get("after")), lines_max=LINES_MAX + 1
    )
    shown = lines[:LINES_MAX]
    listings = await house.questions.shop_desk.listings(shop_id, lines_max=LISTINGS_MAX)
    return await page(
        request,
        house,
        "coupons.html",
        refusal=refusal,
        details=details,
        errors=whys(wrong or {}, frame(request, house).locale),
        given=given,
        chosen=chosen,
        lines=[(line, state_of(line.coupon, house.now_ms())) for line in shown],
        listings=[(one.listing_id, one.listing.terms.product) for one in listings if one.listing.terms],
        products={one.listing_id: one.listing.terms.product for one in listings if one.listing.terms},
        older=place_text(Place(shown[-1].created_at_ms, shown[-1].coupon_id)) if len(lines) > LINES_MAX else "",
    )


HANDLERS: Final = [coupons, create, withdraw]
