"""Opening a shop, and switching between several."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency

from fairkey.business.askers import Asker
from fairkey.business.shops import OpenShop
from fairkey.engine.house import House
from fairkey.engine.people import Role
from fairkey.gates.permissions import ACTING_SHOP
from fairkey.gates.visits import Visit, visit_of
from fairkey.web.frame import AnyRequest, frame, refused, status_of
from fairkey.web.inputs import form_of
from fairkey.web.merchant.parts import id_of, to
from fairkey.web.refusals import field_problem
from fairkey.web.render import render, view_of

SHOPS_MAX: Final = 20
"""Shops of one account: numbers are given out once and for all."""


OWN_IDS: Final = 7  # the version of UUID this house makes


@get("/desk/open")
async def form(request: AnyRequest, house: NamedDependency[House]) -> Response[str]:
    """The form, with what a shop owes and is owed."""
    visit = visit_of(request.scope)
    email = await house.people.accounts.email_of(visit.actor.account_id or "")
    return _page(request, house, {"shop_id": house.new_id(), "contact": email or ""})


@post("/desk/open")
async def open_shop(request: AnyRequest, house: NamedDependency[House]) -> Response[Any]:
    """Open it; sending the form twice opens one shop."""
    visit = visit_of(request.scope)
    given = await form_of(request)
    shop_id = id_of(given.get("shop_id"))
    if shop_id is not None and UUID(shop_id).version != OWN_IDS:
        shop_id = None  # not one of ours: the platform itself, for one, has a number of its own
    if visit.actor.account_id is None or shop_id is None:
        return refused(request, house, "SessionExpired", back="/desk/open")
    if shop_id in visit.actor.shop_roles:
        return to("/desk")
    if len(visit.actor.shop_roles) >= SHOPS_MAX or await house.people.staff.of_shop(shop_id):
        return refused(request, house, "NotAllowed", back="/desk")
    # A shop that is there but nobody's was opened a moment ago by this form, and then the process ended.
    if await house.questions.shop_desk.shop(shop_id) is None:
        answer = await house.ask(Asker.MERCHANT, await _command(house, shop_id, given))
        if answer.refusal:
            return _page(request, house, given, answer.refusal, answer.details)
    await house.people.staff.add(shop_id, visit.actor.account_id, Role.OWNER)
    await house.people.audit.write(visit.actor, "shop.opened", target=f"shop:{shop_id}")
    await choose(house, visit, shop_id)
    return to("/desk", "opened")


async def _command(house: House, shop_id: str, given: Mapping[str, str]) -> OpenShop:
    return OpenShop(
        shop_id=shop_id,
        shop_no=await house.numbers.number_for(shop_id),
        name=given.get("name", ""),
        contact=given.get("contact", ""),
        payout_account=given.get("payout_account", ""),
        fee_bp=house.settings.fee_bp,
        admitted=house.settings.shop_admission == "open",
    )


@post("/desk/switch")
async def switch(request: AnyRequest, house: NamedDependency[House]) -> Response[Any]:
    """Work for another of one's shops from now on, in this browser."""
    visit = visit_of(request.scope)
    shop_id = (await form_of(request)).get("shop_id", "")
    if not visit.actor.works_for(shop_id):
        return refused(request, house, "NotFound", {"what": "shop"}, back="/desk")
    await choose(house, visit, shop_id)
    return to("/desk", "switched")


async def choose(house: House, visit: Visit, shop_id: str) -> None:
    """Remember the acting shop in the browser's session."""
    if visit.token is not None and visit.session is not None:
        await house.people.sessions.keep_data(visit.token, {**visit.session.data, ACTING_SHOP: shop_id})


def _page(
    request: AnyRequest,
    house: House,
    given: Mapping[str, str],
    refusal: str = "",
    details: Mapping[str, object] | None = None,
) -> Response[str]:
    context = frame(request, house)
    told = details or {}
    field = str(told.get("field", "")) if refusal == "FieldIsInvalid" else ""
    return render(
        context,
        "merchant/open.html",
        status_code=status_of(refusal) if refusal else 200,
        given=given,
        errors={field: field_problem(str(told.get("why")), context.locale)} if field else {},
        refusal=view_of(context, refusal, told) if refusal and not field else None,
        fee_bp=house.settings.fee_bp,
        at_once=house.settings.shop_admission == "open",
    )


HANDLERS: Final = [form, open_shop, switch]
