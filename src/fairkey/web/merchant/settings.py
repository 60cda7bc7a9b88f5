"""The shop itself: name, announcement, payout account, closing."""

from collections.abc import Mapping
from typing import Any, Final

from litestar import Response, get, post
from litestar.di import NamedDependency

from fairkey.business.askers import Asker
from fairkey.business.shops import AskReturn, ChangeShop, CloseShop
from fairkey.engine.house import House
from fairkey.web.frame import AnyRequest
from fairkey.web.inputs import form_of
from fairkey.web.merchant.parts import act, is_owner, not_here, page, shop_id_of, to

PATH: Final = "/desk/settings"


@get(PATH)
async def settings(request: AnyRequest, house: NamedDependency[House]) -> Response[str]:
    """The form with what is now."""
    return await _page(request, house, None)


@post(PATH)
async def change(request: AnyRequest, house: NamedDependency[House]) -> Response[Any]:
    """All three as they shall be; where the money goes is for owners to say."""
    shop_id = shop_id_of(request)
    record = await house.questions.shop_desk.shop(shop_id)
    if record is None:
        return not_here(request, house, "shop", "/desk")
    given = await form_of(request)
    account = given.get("payout_account", "") if is_owner(request) else record.payout_account
    answer = await house.ask(
        Asker.MERCHANT,
        ChangeShop(
            shop_id=shop_id,
            name=given.get("name", ""),
            announcement=given.get("announcement", "").replace("\r\n", "\n"),
            payout_account=account,
            account_is_new=account != record.payout_account,
        ),
    )
    if answer.refusal:
        return await _page(request, house, given, answer.refusal, answer.details)
    if account != record.payout_account:
        await house.people.audit.write(request.user, "shop.payout_account_changed", target=f"shop:{shop_id}")
    return to(PATH, "saved")


@post(f"{PATH}/close")
async def close(request: AnyRequest, house: NamedDependency[House]) -> Response[Any]:
    """No new orders for ever. What is under way goes on; money stays payable."""
    return await act(request, house, CloseShop(shop_id=shop_id_of(request)), back=PATH, done="saved")


@post("/desk/return")
async def come_back(request: AnyRequest, house: NamedDependency[House]) -> Response[Any]:
    """A vanished shop asks for a person; what was refunded stays refunded."""
    command = AskReturn(shop_id=shop_id_of(request), text=(await form_of(request)).get("text", ""))
    return await act(request, house, command, back="/desk", done="return_asked")


async def _page(
    request: AnyRequest,
    house: House,
    given: Mapping[str, str] | None,
    refusal: str = "",
    details: Mapping[str, object] | None = None,
) -> Response[str]:
    record = await house.questions.shop_desk.shop(shop_id_of(request))
    if record is None:
        return not_here(request, house, "shop", "/desk")
    now = {
        "name": record.shop.name,
        "announcement": record.shop.announcement,
        "payout_account": record.payout_account,
    }
    return await page(
        request, house, "settings.html", refusal=refusal, details=details, record=record, given=given or now
    )


HANDLERS: Final = [settings, change, close, come_back]
