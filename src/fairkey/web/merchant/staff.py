"""Who works for the shop. Owners add people by the e-mail address of their account."""

from collections.abc import Mapping
from typing import Any, Final

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from fairkey.business.basics import Refusal
from fairkey.engine.house import House
from fairkey.engine.people import Role
from fairkey.gates.visits import visit_of
from fairkey.web.frame import AnyRequest, frame, refused
from fairkey.web.inputs import form_of, plain
from fairkey.web.merchant.parts import id_of, not_here, page, shop_id_of, to, whys

PATH: Final = "/desk/staff"
EMAIL_MAX: Final = 254


@get(PATH)
async def staff(request: AnyRequest, house: NamedDependency[House]) -> Response[str]:
    """Owners first, then staff."""
    return await _page(request, house)


@post(PATH)
async def add(request: AnyRequest, house: NamedDependency[House]) -> Response[Any]:
    """Add somebody who has an account, or change a role."""
    given = await form_of(request)
    email = plain(given.get("email"), EMAIL_MAX)
    role = Role.OWNER if given.get("role") == Role.OWNER.value else Role.STAFF
    account = await house.people.accounts.find_by_email(email) if email else None
    if account is None or account.is_operator:
        return await _page(request, house, email=email, role=role.value, wrong={"email": "no_account"})
    try:
        await house.people.staff.add(shop_id_of(request), account.account_id, role)
    except Refusal as refusal:
        name = type(refusal).__name__
        return await _page(request, house, email=email, role=role.value, refusal=name, details=refusal.details)
    await _note(request, house, "staff.added", account.account_id, role.value)
    return to(PATH, "added")


@post(f"{PATH}/{{account_id:str}}/remove")
async def remove(request: AnyRequest, house: NamedDependency[House], account_id: FromPath[str]) -> Response[Any]:
    """Somebody leaves; his next click finds the desk closed."""
    known = id_of(account_id)
    if known is None:
        return not_here(request, house, "account", PATH)
    try:
        await house.people.staff.remove(shop_id_of(request), known)
    except Refusal as refusal:
        return refused(request, house, type(refusal).__name__, refusal.details, back=PATH)
    await _note(request, house, "staff.removed", known, "")
    return to("/desk" if known == visit_of(request.scope).actor.account_id else PATH, "removed")


async def _note(request: AnyRequest, house: House, action: str, account_id: str, role: str) -> None:
    await house.people.audit.write(
        request.user, action, target=f"account:{account_id}", detail={"shop_id": shop_id_of(request), "role": role}
    )


async def _page(
    request: AnyRequest,
    house: House,
    *,
    email: str = "",
    role: str = "staff",
    wrong: dict[str, str] | None = None,
    refusal: str = "",
    details: Mapping[str, object] | None = None,
) -> Response[str]:
    return await page(
        request,
        house,
        "staff.html",
        refusal=refusal,
        details=details,
        errors=whys(wrong or {}, frame(request, house).locale),
        members=await house.people.staff.of_shop(shop_id_of(request)),
        me=visit_of(request.scope).actor.account_id,
        email=email,
        role=role,
    )


HANDLERS: Final = [staff, add, remove]
