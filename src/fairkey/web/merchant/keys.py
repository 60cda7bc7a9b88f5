"""Keys for the shop's own programs: shown once, narrow scopes, revoked at once."""

from collections.abc import Mapping
from typing import Any, Final

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from fairkey.business.basics import Refusal
from fairkey.engine.house import House
from fairkey.engine.people import SCOPES
from fairkey.gates.visits import visit_of
from fairkey.web.frame import AnyRequest
from fairkey.web.i18n import marked as _
from fairkey.web.inputs import form_of
from fairkey.web.merchant.parts import id_of, not_here, page, shop_id_of, to

PATH: Final = "/desk/keys"
SCOPE_WORDS: Final[Mapping[str, str]] = {
    "shop:read": _("read the shop's data"),
    "shop:write": _("change name, announcement, payout account"),
    "listings:read": _("read listings"),
    "listings:write": _("publish and withdraw listings, coupons"),
    "codes:read": _("read stock and batches"),
    "codes:write": _("deposit and withdraw codes"),
    "codes:export": _("download unsold codes in clear"),
    "orders:read": _("read orders"),
    "orders:write": _("deliver typed codes"),
    "money:read": _("read balances and ledger"),
    "payouts:write": _("request payouts"),
    "complaints:read": _("read complaints"),
    "complaints:write": _("answer complaints"),
}
"""What each scope lets a program do; a test compares with `SCOPES`."""

RISKY: Final = frozenset({"codes:export", "payouts:write", "shop:write"})


@get(PATH)
async def keys(request: AnyRequest, house: NamedDependency[House]) -> Response[str]:
    """All keys, revoked ones too."""
    return await _page(request, house)


@post(PATH)
async def create(request: AnyRequest, house: NamedDependency[House]) -> Response[Any]:
    """A new key. Its text stands on this one answer and nowhere else."""
    given = await form_of(request)
    scopes = frozenset(str(value) for value in (await request.form()).getall("scope", []))
    name = given.get("name", "")
    if not scopes:
        told: Mapping[str, object] = {"field": "scope", "why": "empty"}
        return await _page(request, house, name=name, refusal="FieldIsInvalid", details=told)
    try:
        text, key = await house.people.api_keys.create(shop_id_of(request), name=name, scopes=scopes)
    except Refusal as refusal:
        why = type(refusal).__name__
        return await _page(request, house, name=name, scopes=scopes, refusal=why, details=refusal.details)
    await house.people.audit.write(
        request.user,
        "key.created",
        target=f"api_key:{key.key_id}",
        detail={"shop_id": shop_id_of(request), "scopes": sorted(scopes)},
    )
    return await _page(request, house, made=text, made_name=key.name)


@post(f"{PATH}/{{key_id:str}}/revoke")
async def revoke(request: AnyRequest, house: NamedDependency[House], key_id: FromPath[str]) -> Response[Any]:
    """The key is dead from now on."""
    known = id_of(key_id)
    if known is None or not await house.people.api_keys.revoke(shop_id_of(request), known):
        return not_here(request, house, "key", PATH)
    visit_of(request.scope).door.known_keys.forget(known)
    await house.people.audit.write(
        request.user, "key.revoked", target=f"api_key:{known}", detail={"shop_id": shop_id_of(request)}
    )
    return to(PATH, "revoked")


async def _page(
    request: AnyRequest,
    house: House,
    *,
    name: str = "",
    scopes: frozenset[str] = frozenset(),
    made: str = "",
    made_name: str = "",
    refusal: str = "",
    details: Mapping[str, object] | None = None,
) -> Response[str]:
    return await page(
        request,
        house,
        "keys.html",
        refusal=refusal,
        details=details,
        keys=await house.people.api_keys.of_shop(shop_id_of(request)),
        scope_words={scope: SCOPE_WORDS[scope] for scope in sorted(SCOPES)},
        risky=RISKY,
        name=name,
        scopes=scopes,
        made=made,
        made_name=made_name,
    )


HANDLERS: Final = [keys, create, revoke]
