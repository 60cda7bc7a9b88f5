"""Coupons and money of the caller's shop."""

from typing import Final

from fairkey.api.calls import Call, Reply, reply, require_done, uuid_text
from fairkey.api.endpoints import Endpoint, Example
from fairkey.api.money_shapes import (
    Balances,
    CouponViews,
    LedgerLines,
    Made,
    NewCoupon,
    NewPayout,
    PayoutViews,
    Withdrawn,
    coupon_view,
    ledger_line,
    payout_view,
)
from fairkey.api.pages_of_lists import MOMENT_MAX_MS, cursor_of, place_of
from fairkey.api.shapes import Nothing, PageQuery, ms_of_moment
from fairkey.business import coupons, payouts
from fairkey.business.askers import Asker
from fairkey.business.basics import Broken, FieldIsInvalid
from fairkey.engine.answers import Answer
from fairkey.engine.house import House
from fairkey.engine.trade import coupon_id_of
from fairkey.read_tables.shop_desk import LedgerPlace, Place

COUPONS: Final = "coupons"
MONEY: Final = "money"
CREATED: Final = 201


async def get_coupons(house: House, call: Call) -> Reply:
    """The shop's coupons, newest first."""
    query: PageQuery = call.query
    lines = await house.questions.shop_desk.coupons(
        call.shop_id, after=place_of(query.cursor, Place), lines_max=query.limit + 1
    )
    shown = lines[: query.limit]
    return reply(
        CouponViews(
            coupons=tuple(coupon_view(line) for line in shown),
            next_cursor=cursor_of(
                Place(shown[-1].created_at_ms, shown[-1].coupon_id) if len(lines) > query.limit else None
            ),
        )
    )


async def create_coupon(house: House, call: Call) -> Reply:
    """A new coupon."""
    given: NewCoupon = call.given
    answer = await house.ask(
        Asker.MERCHANT,
        coupons.CreateCoupon(
            shop_id=call.shop_id,
            coupon_id=coupon_id_of(call.shop_id, given.code),
            code=given.code,
            off_fen=given.off_fen,
            off_bp=given.off_bp,
            least_fen=given.least_fen,
            uses_max=given.uses_max,
            ends_at_ms=_ends_at_ms(given.ends_at),
            listings=tuple(uuid_text(listing_id, "listing") for listing_id in given.listings),
        ),
        command_id=call.command_id(),
        body_hash=call.body_hash(house),
    )
    return _made(answer)


async def withdraw_coupon(house: House, call: Call) -> Reply:
    """End it."""
    answer = await house.ask(
        Asker.MERCHANT,
        coupons.WithdrawCoupon(shop_id=call.shop_id, coupon_id=call.uuid("coupon_id")),
        command_id=call.command_id(),
        body_hash=call.body_hash(house),
    )
    require_done(answer)
    return reply(Withdrawn(kinds=answer.kinds))


async def get_balances(house: House, call: Call) -> Reply:
    """Where the shop's money is."""
    balance = await house.questions.shop_desk.balances(call.shop_id)
    return reply(
        Balances(
            escrow_fen=balance.get("escrow", 0),
            pending_fen=balance.get("shop_pending", 0),
            available_fen=balance.get("shop_available", 0),
            payout_fen=balance.get("payout_payable", 0),
            refund_fen=balance.get("refund_payable", 0),
            fee_fen=balance.get("platform_fee", 0),
        )
    )


async def get_ledger(house: House, call: Call) -> Reply:
    """Every movement, newest first."""
    query: PageQuery = call.query
    rows = await house.questions.shop_desk.ledger(
        call.shop_id, after=_ledger_place(query.cursor), rows_max=query.limit + 1
    )
    shown = rows[: query.limit]
    last = shown[-1] if shown else None
    place = LedgerPlace(last.at_ms, last.stream_id, last.version, last.row_no) if last else None
    return reply(
        LedgerLines(
            rows=tuple(ledger_line(row) for row in shown),
            next_cursor=cursor_of(place if len(rows) > query.limit else None),
        )
    )


async def get_payouts(house: House, call: Call) -> Reply:
    """The shop's payouts, newest first."""
    query: PageQuery = call.query
    lines = await house.questions.shop_desk.payouts(
        call.shop_id, after=place_of(query.cursor, Place), lines_max=query.limit + 1
    )
    shown = lines[: query.limit]
    return reply(
        PayoutViews(
            payouts=tuple(payout_view(line) for line in shown),
            next_cursor=cursor_of(
                Place(shown[-1].created_at_ms, shown[-1].payout_id) if len(lines) > query.limit else None
            ),
        )
    )


async def request_payout(house: House, call: Call) -> Reply:
    """Draw settled money."""
    given: NewPayout = call.given
    answer = await house.ask(
        Asker.MERCHANT,
        payouts.RequestPayout(shop_id=call.shop_id, payout_id=house.new_id(), amount_fen=given.amount_fen),
        command_id=call.command_id(),
        body_hash=call.body_hash(house),
    )
    return _made(answer)


def _made(answer: Answer) -> Reply:
    require_done(answer)
    if answer.stream is None:
        raise Broken("a command that was done tells what it was about")
    return reply(Made(id=answer.stream.id), CREATED)


def _ends_at_ms(text: str | None) -> int:
    """Raises `FieldIsInvalid` for what is no moment."""
    if text is None:
        return 0
    try:
        at_ms = ms_of_moment(text)
    except (ValueError, OverflowError):
        raise FieldIsInvalid(field="ends_at", why="not an RFC 3339 moment") from None
    if not 0 < at_ms <= MOMENT_MAX_MS:
        raise FieldIsInvalid(field="ends_at", why="out_of_range")
    return at_ms


def _ledger_place(cursor: str) -> LedgerPlace | None:
    place = place_of(cursor, LedgerPlace)
    if place is not None and max(abs(place.version), abs(place.row_no)) >= 2**31:
        raise FieldIsInvalid(field="cursor", why="not one of ours")
    return place


ENDPOINTS: Final = (
    Endpoint(
        method="GET",
        path="/api/v1/shop/coupons",
        tag=COUPONS,
        summary="List your coupons",
        handle=get_coupons,
        query=PageQuery,
        answer=CouponViews,
    ),
    Endpoint(
        method="POST",
        path="/api/v1/shop/coupons",
        tag=COUPONS,
        summary="Make a coupon",
        description="Either `off_fen` or `off_bp`. Its id follows from its word.",
        handle=create_coupon,
        body=NewCoupon,
        answer=Made,
        status=CREATED,
        idempotency="optional",
        refusals=("NotFound", "CouponExists"),
        example=Example(
            request={"code": "GUOQING-8", "off_bp": 800, "uses_max": 100, "ends_at": "2026-10-08T00:00:00+08:00"},
            answer={"id": "5d0c53a4-3c9c-5d8b-9f0e-6f1f0a1f2d3c"},
        ),
    ),
    Endpoint(
        method="POST",
        path="/api/v1/shop/coupons/{coupon_id}/withdraw",
        tag=COUPONS,
        summary="End a coupon",
        handle=withdraw_coupon,
        body=Nothing,
        body_is_optional=True,
        answer=Withdrawn,
        idempotency="optional",
        refusals=("NotFound",),
    ),
    Endpoint(
        method="GET",
        path="/api/v1/shop/money",
        tag=MONEY,
        summary="Read your balances",
        handle=get_balances,
        answer=Balances,
    ),
    Endpoint(
        method="GET",
        path="/api/v1/shop/money/ledger",
        tag=MONEY,
        summary="Read your ledger",
        handle=get_ledger,
        query=PageQuery,
        answer=LedgerLines,
    ),
    Endpoint(
        method="GET",
        path="/api/v1/shop/payouts",
        tag=MONEY,
        summary="List your payouts",
        handle=get_payouts,
        query=PageQuery,
        answer=PayoutViews,
    ),
    Endpoint(
        method="POST",
        path="/api/v1/shop/payouts",
        tag=MONEY,
        summary="Draw money",
        description="The money leaves `available_fen` at once; the provider confirms later.",
        handle=request_payout,
        body=NewPayout,
        answer=Made,
        status=CREATED,
        idempotency="required",
        refusals=("BalanceIsTooLow", "PayoutAccountIsMissing", "PayoutWasRequested"),
        example=Example(request={"amount_fen": 120000}, answer={"id": "0198c1f4-1c52-7c10-9d4e-5a3a0c2f9e77"}),
    ),
)
