"""The shop's deposit: what it covers, its terms, paying in, asking back, and what was taken."""

from typing import Any, Final

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.response import Redirect

from fairkey.business import covering, deposits
from fairkey.business.askers import Asker
from fairkey.business.basics import DAY_MS
from fairkey.business.references import reference_of
from fairkey.effects.ports import ProviderIsUnreachable, ProviderRefused
from fairkey.engine import trade
from fairkey.engine.covers import cover_of_shop
from fairkey.engine.house import House
from fairkey.web.frame import AnyRequest, refused
from fairkey.web.inputs import fen_of, form_of
from fairkey.web.merchant.parts import act, id_of, page, shop_id_of

PATH: Final = "/desk/deposit"


@get(PATH)
async def deposit(request: AnyRequest, house: NamedDependency[House]) -> Response[str]:
    """All about the deposit."""
    shop_id = shop_id_of(request)
    book, settings = house.questions.deposits, house.settings
    own, exposure = await book.deposit(shop_id), await book.exposure(shop_id, house.now_ms())
    behind = await cover_of_shop(house, shop_id)
    return await page(
        request,
        house,
        "deposit.html",
        kept=await house.questions.deposits.liquidation(shop_id),
        deposit=own,
        exposure=exposure,
        behind=behind,
        needed_fen=covering.needed_fen(exposure, settings.cover_bp),
        cover=settings.cover_bp / 10_000,
        trial_fen=settings.small_trial_fen,
        version=deposits.TERMS_VERSION,
        least_fen=deposits.TOP_UP_MIN_FEN,
        top_up_id=house.new_id(),
        reference_of=reference_of,
    )


@post(f"{PATH}/agree")
async def agree(request: AnyRequest, house: NamedDependency[House]) -> Response[Any]:
    """Accept the terms that were shown."""
    given = await form_of(request)
    command = deposits.AgreeDeposit(shop_id=shop_id_of(request), version=given.get("version", ""))
    return await act(request, house, command, back=PATH, done="saved")


@post(f"{PATH}/top-up")
async def top_up(request: AnyRequest, house: NamedDependency[House]) -> Response[Any]:
    """Ask for a top-up and go to the provider to pay it; sending the form twice leads to the same collection."""
    given = await form_of(request)
    top_up_id, amount_fen = id_of(given.get("top_up_id")), fen_of(given.get("amount_fen"))
    if top_up_id is None:
        return refused(request, house, "SessionExpired", back=PATH)
    if amount_fen is None:
        return refused(request, house, "FieldIsInvalid", {"field": "amount_fen", "why": "not_an_amount"}, back=PATH)
    shop_id = shop_id_of(request)
    command = deposits.TopUpDeposit(shop_id=shop_id, top_up_id=top_up_id, amount_fen=amount_fen)
    answer = await house.ask(Asker.MERCHANT, command)
    if answer.refusal:
        return refused(request, house, answer.refusal, answer.details, back=PATH)
    asked = await house.questions.deposits.deposit(shop_id)
    try:
        collection = await trade.collect_top_up(
            house,
            shop_id=shop_id,
            top_up_id=top_up_id,
            amount_fen=asked.asked[top_up_id],
            expires_at_ms=asked.asked_until.get(top_up_id, house.now_ms() + DAY_MS),
            return_url=f"{house.settings.origin}{PATH}",
        )
    except (ProviderIsUnreachable, ProviderRefused, LookupError):
        return refused(request, house, "NoPaymentProvider", back=PATH)
    await house.people.audit.write(request.user, "deposit.top_up", target=f"top_up:{top_up_id}")
    return Redirect(collection.pay_url, status_code=303)


@post(f"{PATH}/release")
async def release(request: AnyRequest, house: NamedDependency[House]) -> Response[Any]:
    """Give notice for an amount."""
    amount_fen = fen_of((await form_of(request)).get("amount_fen"))
    if amount_fen is None:
        return refused(request, house, "FieldIsInvalid", {"field": "amount_fen", "why": "not_an_amount"}, back=PATH)
    command = deposits.RequestRelease(shop_id=shop_id_of(request), amount_fen=amount_fen)
    return await act(request, house, command, back=PATH, done="saved")


HANDLERS: Final = [deposit, agree, top_up, release]
