"""Money of the shop: balances, the ledger behind them, payouts."""

from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

from litestar import Response, get, post
from litestar.di import NamedDependency

from fairkey.business.askers import Asker
from fairkey.business.basics import InstructionState
from fairkey.business.payouts import PAYOUT_MIN_FEN, RequestPayout
from fairkey.business.references import reference_of
from fairkey.engine.house import House
from fairkey.read_tables.shop_desk import LedgerPlace, LedgerRow
from fairkey.web import formats
from fairkey.web.frame import AnyRequest, frame, refused
from fairkey.web.i18n import marked as _
from fairkey.web.i18n import texts_of
from fairkey.web.inputs import fen_of, form_of
from fairkey.web.merchant.parts import DIGITS_MAX, FAR_AHEAD_MS, csv_file, id_of, page, shop_id_of, to, whys

PATH: Final = "/desk/money"
ROWS_MAX: Final = 40
EXPORT_ROWS_MAX: Final = 200_000
EXPORT_AT_ONCE: Final = 5_000

ACCOUNTS: Final[Mapping[str, str]] = {
    "provider_clearing": _("At the payment provider"),
    "escrow": _("Escrow"),
    "shop_pending": _("Pending"),
    "shop_available": _("Available"),
    "platform_fee": _("Platform fee"),
    "refund_payable": _("On its way back to buyers"),
    "payout_payable": _("In payout"),
    "unmatched": _("Unmatched"),
    "deposit_coming": _("Deposit, coming"),
    "deposit_free": _("Deposit, free"),
    "deposit_locked": _("Deposit, asked back"),
    "stake": _("Stakes"),
    "guarantee_pool": _("Guarantee pool"),
    "arbitration": _("For arbitrators"),
}
MOVES: Final[Mapping[str, str]] = {
    "payment.received": _("Payment arrived"),
    "payment.refund_requested": _("Refund ordered"),
    "payment.refunded": _("Refund confirmed"),
    "payment.released": _("Released from escrow"),
    "payment.stake_kept": _("Lost stake of a buyer"),
    "payment.settled": _("Settled by the provider"),
    "payment.restoring": _("Buyer paid by the pool"),
    "payment.restored": _("Refund confirmed"),
    "deposit.topped_up": _("Paid in for the deposit"),
    "deposit.secured": _("Deposit is in custody"),
    "deposit.deducted": _("Taken from the deposit"),
    "deposit.stake_locked": _("Stake set"),
    "deposit.stake_returned": _("Stake returned"),
    "deposit.stake_forfeited": _("Stake lost"),
    "deposit.release_requested": _("Deposit asked back"),
    "deposit.release_cut": _("Deposit needed after all"),
    "deposit.released": _("Deposit on its way back"),
    "deposit.returned": _("Deposit returned"),
    "payment.payout_requested": _("Payout requested"),
    "payment.paid_out": _("Payout confirmed"),
    "payment.payout_failed": _("Payout failed, money is back"),
    "payment.payout_arrived": _("A payout that had failed arrived after all"),
    "payment.payout_returned": _("A payout came back from the bank"),
}


@get(PATH)
async def money(request: AnyRequest, house: NamedDependency[House]) -> Response[str]:
    """Balances, payouts, the newest rows of the ledger."""
    return await _page(request, house, {"payout_id": house.new_id()})


@post(f"{PATH}/payout")
async def payout(request: AnyRequest, house: NamedDependency[House]) -> Response[Any]:
    """Draw available money; sending the form twice draws once."""
    given = await form_of(request)
    payout_id = id_of(given.get("payout_id"))
    if payout_id is None:
        return refused(request, house, "SessionExpired", back=PATH)
    shop_id = shop_id_of(request)
    amount_fen = fen_of(given.get("amount_fen"))
    if amount_fen is None:
        return await _page(request, house, given, {"amount_fen": "not_an_amount"})
    answer = await house.ask(Asker.MERCHANT, RequestPayout(shop_id=shop_id, payout_id=payout_id, amount_fen=amount_fen))
    if answer.refusal == "FieldIsInvalid":
        return await _page(request, house, given, {str(answer.details["field"]): str(answer.details["why"])})
    if answer.refusal:
        again = {**given, "payout_id": house.new_id()}
        return await _page(request, house, again, {}, answer.refusal, answer.details)
    await house.people.audit.write(request.user, "payout.requested", target=f"payout:{payout_id}")
    return to(PATH, "payout")


@get(f"{PATH}/ledger.csv")
async def ledger_csv(request: AnyRequest, house: NamedDependency[House]) -> Response[Any]:
    """Every row of the shop's ledger, newest first, amounts in yuan."""
    shop_id = shop_id_of(request)
    shop_no = await house.numbers.number_for(shop_id)
    texts = texts_of(frame(request, house).locale)
    rows = [row async for row in _all_rows(house, shop_id)]
    accounts = [_("From account"), _("To account")]
    head = [_("When"), _("Movement"), *accounts, _("Amount"), _("Currency"), _("Order or payout")]
    return csv_file(
        f"ledger-{shop_no}.csv",
        [texts.gettext(label) for label in head],
        (
            (
                formats.clock(row.at_ms, seconds=True),
                texts.gettext(MOVES.get(row.event_kind, row.event_kind)),
                texts.gettext(ACCOUNTS.get(row.debit, row.debit)),
                texts.gettext(ACCOUNTS.get(row.credit, row.credit)),
                formats.yuan_input(row.amount_fen),
                row.currency,
                reference_of(shop_no, row.stream_id) if row.stream_kind == "order" else row.stream_id,
            )
            for row in rows
        ),
    )


async def _all_rows(house: House, shop_id: str) -> AsyncIterator[LedgerRow]:
    after: LedgerPlace | None = None
    for _round in range(EXPORT_ROWS_MAX // EXPORT_AT_ONCE):
        rows = await house.questions.shop_desk.ledger(shop_id, after=after, rows_max=EXPORT_AT_ONCE)
        for row in rows:
            yield row
        if len(rows) < EXPORT_AT_ONCE:
            return
        after = _place(rows[-1])


def _place(row: LedgerRow) -> LedgerPlace:
    return LedgerPlace(row.at_ms, row.stream_id, row.version, row.row_no)


def _place_of(text: str | None) -> LedgerPlace | None:
    parts = (text or "").split(".")
    stream_id = id_of(parts[1]) if len(parts) == len(LedgerPlace._fields) else None
    numbers = [parts[index] for index in (0, 2, 3)] if stream_id else []
    if stream_id is None or not all(one.isascii() and one.isdigit() and len(one) <= DIGITS_MAX for one in numbers):
        return None
    at_ms, version, row_no = (int(one) for one in numbers)
    if at_ms > FAR_AHEAD_MS or max(version, row_no) >= 2**31:
        return None
    return LedgerPlace(at_ms, stream_id, version, row_no)


async def _page(
    request: AnyRequest,
    house: House,
    given: Mapping[str, str],
    wrong: Mapping[str, str] | None = None,
    refusal: str = "",
    details: Mapping[str, object] | None = None,
) -> Response[str]:
    shop_id = shop_id_of(request)
    desk = house.questions.shop_desk
    rows = await desk.ledger(shop_id, after=_place_of(request.query_params.get("after")), rows_max=ROWS_MAX + 1)
    shown = rows[:ROWS_MAX]
    place = _place(shown[-1]) if len(rows) > ROWS_MAX else None
    payouts = await desk.payouts(shop_id)
    record = await desk.shop(shop_id)
    whys_failed = {
        line.payout_id: await house.questions.desk_figures.why_payout_failed(shop_id, line.payout_id)
        for line in payouts
        if line.payout.state is InstructionState.FAILED
    }
    return await page(
        request,
        house,
        "money.html",
        refusal=refusal,
        details=details,
        errors=whys(wrong or {}, frame(request, house).locale),
        given=given,
        balances=await desk.balances(shop_id),
        payouts=payouts,
        whys_failed=whys_failed,
        payout_account=record.payout_account if record else "",
        fee_bp=record.shop.fee_bp if record else 0,
        least_fen=PAYOUT_MIN_FEN,
        rows=shown,
        accounts=ACCOUNTS,
        moves=MOVES,
        reference_of=reference_of,
        older=f"{place.at_ms}.{place.stream_id}.{place.version}.{place.row_no}" if place else "",
    )


HANDLERS: Final = [money, payout, ledger_csv]
