"""Orders from the buyer's side: place, pay, open, and all that may follow. All but placing need the order's secret."""

from typing import Final

from fairkey.api.calls import JSON, TEXT, Call, Reply, reply, require_done, uuid_text
from fairkey.api.endpoints import Endpoint, Example
from fairkey.api.order_shapes import (
    Done,
    Facts,
    OpenCode,
    OpenCodes,
    OpenComplaint,
    OrderView,
    Paying,
    PayLink,
    PlacedOrder,
    PlaceOrder,
    Reveal,
    Review,
    Work,
    facts_view,
    order_view,
)
from fairkey.api.shapes import Nothing, moment
from fairkey.business import complaints, orders, reviews
from fairkey.business.askers import Asker
from fairkey.business.basics import Broken, Command, NotFound, Stream
from fairkey.business.order_refusals import OrderIsInAnotherStage
from fairkey.business.orders import Stage
from fairkey.engine import claiming, trade
from fairkey.engine.answers import Answer
from fairkey.engine.house import House
from fairkey.engine.people import network_of
from fairkey.engine.receipts import Party, promise_of, receipt_of
from fairkey.gates.refusals import OrderNotFound
from fairkey.read_tables.order_book import OrderRecord

TAG: Final = "orders"


async def place_order(house: House, call: Call) -> Reply:
    """Place an order: its codes are kept for it from now on."""
    given: PlaceOrder = call.given
    visit = call.visit
    if not visit.is_known:
        visit.door.work.require("place", network_of(visit.actor.address), call.header(b"proof-of-work"))
    shop_id = await house.numbers.shop_of(given.shop_no)
    if shop_id is None:
        raise NotFound(what="shop")
    placed = await trade.place(
        house,
        trade.Placing(
            shop_id=shop_id,
            listing_id=uuid_text(given.listing_id, "listing"),
            revision=given.revision,
            quantity=given.quantity,
            contact=given.contact,
            coupon_code=given.coupon_code,
            address=network_of(call.visit.actor.address),
            locale=call.header(b"accept-language").split(",")[0].split(";")[0].strip()[:35],
        ),
        command_id=call.command_id(),
    )
    require_done(placed.answer)
    facts = placed.answer.facts
    return reply(
        PlacedOrder(
            reference=placed.reference,
            secret=placed.secret,
            stage=Stage(str(facts["stage"])),
            amount_fen=_number(facts["amount_fen"]),
            expires_at=moment(_number(facts["expires_at_ms"])),
        ),
        201,
        ((b"location", f"/api/v1/orders/{placed.reference}".encode()),),
    )


async def get_work(_: House, call: Call) -> Reply:
    """A piece of work for a guest who wants to place an order."""
    work = call.visit.door.work
    challenge = work.challenge("place", network_of(call.visit.actor.address))
    return reply(Work(challenge=challenge, difficulty_bits=work.difficulty_bits))


async def get_order(house: House, call: Call) -> Reply:
    """The order as it is now."""
    return reply(order_view(await _record(house, call)))


async def get_order_facts(house: House, call: Call) -> Reply:
    """What happened to it."""
    shop_id, order_id = await _where(house, call)
    return reply(facts_view(await house.questions.order_book.facts(shop_id, order_id)))


async def get_receipt(house: House, call: Call) -> Reply:
    """The receipt of one fact, with the buyer's own sealed fields opened."""
    data = await receipt_of(house, await _stream(house, call), call.path["version"], Party.BUYER)
    return Reply(200, data, JSON)


async def get_promise(house: House, call: Call) -> Reply:
    """The log's promise about one fact."""
    return Reply(200, await promise_of(house, await _stream(house, call), call.path["version"]), TEXT)


async def _stream(house: House, call: Call) -> Stream:
    shop_id, order_id = await _where(house, call)
    return Stream(shop_id, "order", order_id)


async def pay_order(house: House, call: Call) -> Reply:
    """Open the collection at the provider."""
    record = await _record(house, call)
    order = record.file.order
    if order.stage is not Stage.PLACED:
        raise OrderIsInAnotherStage(stage=order.stage.value, allowed=[Stage.PLACED.value])
    given: Paying = call.given
    own_page = f"{house.settings.origin}/o/{call.path['ref']}"
    collection = await trade.collect(
        house,
        shop_id=record.shop_id,
        order_id=record.order_id,
        return_url=given.return_url or own_page,
    )
    return reply(
        PayLink(
            pay_url=collection.pay_url,
            qr_text=collection.qr_text,
            amount_fen=order.amount_fen,
            expires_at=moment(order.expires_at_ms),
        )
    )


async def reveal_codes(house: House, call: Call) -> Reply:
    """Open codes: written down first, shown then."""
    shop_id, order_id = await _where(house, call)
    given: Reveal = call.given
    answer, opened = await trade.open_codes(
        house,
        shop_id=shop_id,
        order_id=order_id,
        code_ids=[uuid_text(code_id, "code") for code_id in given.codes],
        account_name=given.account_name,
        account_region=given.account_region,
        command_id=call.command_id(),
        body_hash=call.body_hash(house),
    )
    require_done(answer)
    return reply(
        OpenCodes(
            codes=tuple(
                OpenCode(code_id=code_id, text=code.text, salt=code.salt.hex(), commitment=code.commitment.hex())
                for code_id, code in opened.items()
            )
        )
    )


async def confirm_order(house: House, call: Call) -> Reply:
    """All is well: the shop gets its money."""
    shop_id, order_id = await _where(house, call)
    return await _ask(house, call, orders.ConfirmOrder(shop_id=shop_id, order_id=order_id))


async def withdraw_order(house: House, call: Call) -> Reply:
    """Step back while every code is sealed."""
    shop_id, order_id = await _where(house, call)
    return await _ask(house, call, orders.WithdrawOrder(shop_id=shop_id, order_id=order_id))


async def give_up_order(house: House, call: Call) -> Reply:
    """Let an unpaid order go."""
    shop_id, order_id = await _where(house, call)
    # What was paid a moment ago is found first: it then pays the order instead of coming too late.
    await trade.catch_up_quietly(house, shop_id, order_id)
    return await _ask(house, call, orders.GiveUpOrder(shop_id=shop_id, order_id=order_id))


async def agree_to_wait(house: House, call: Call) -> Reply:
    """Give a late merchant one more promise period."""
    shop_id, order_id = await _where(house, call)
    return await _ask(house, call, orders.AgreeToWait(shop_id=shop_id, order_id=order_id))


async def file_claim(house: House, call: Call) -> Reply:
    """Claim what a shop that has vanished since was paid."""
    record = await _record(house, call)
    return done(await claiming.claim(house, record, call.command_id(), call.body_hash(house)))


async def open_complaint(house: House, call: Call) -> Reply:
    """Open the complaint of the order."""
    shop_id, order_id = await _where(house, call)
    given: OpenComplaint = call.given
    return await _ask(
        house,
        call,
        complaints.OpenComplaint(
            shop_id=shop_id,
            order_id=order_id,
            reason=given.reason,
            text=given.text,
            demand_fen=given.demand_fen,
            demand=given.demand,
            screen=given.screen,
        ),
    )


async def withdraw_complaint(house: House, call: Call) -> Reply:
    """Withdraw the complaint."""
    shop_id, order_id = await _where(house, call)
    return await _ask(house, call, complaints.WithdrawComplaint(shop_id=shop_id, order_id=order_id))


async def post_review(house: House, call: Call) -> Reply:
    """Review a completed order."""
    shop_id, order_id = await _where(house, call)
    given: Review = call.given
    return await _ask(
        house,
        call,
        reviews.PostReview(
            shop_id=shop_id, order_id=order_id, speed=given.speed, code_worked=given.code_worked, text=given.text
        ),
    )


async def _where(house: House, call: Call) -> tuple[str, str]:
    where = await trade.locate(house, call.path["ref"])
    if where is None:  # the secret fits, yet there is no such shop: the secret of an order that never was
        raise OrderNotFound
    return where


async def _record(house: House, call: Call) -> OrderRecord:
    record = await house.questions.order_book.find(*await _where(house, call))
    if record is None:
        raise OrderNotFound
    return record


async def _ask(house: House, call: Call, command: Command, by: Asker = Asker.BUYER) -> Reply:
    answer = await house.ask(by, command, command_id=call.command_id(), body_hash=call.body_hash(house))
    return done(answer)


def done(answer: Answer) -> Reply:
    """What a command to an order came to. Raises what it was refused with."""
    require_done(answer)
    return reply(Done(stage=Stage(str(answer.facts["stage"])), kinds=answer.kinds))


def _number(value: object) -> int:
    if not isinstance(value, int):
        raise Broken("the engine tells numbers of an order as numbers")
    return value


_REF_EXAMPLE: Final = "06A3GQ8NV9F2S1X7M0K4D5T8ZB35"
_ANOTHER_STAGE: Final = ("OrderIsInAnotherStage",)

PLACE: Final = Endpoint(
    method="POST",
    path="/api/v1/orders",
    tag=TAG,
    summary="Place an order",
    description=(
        "Codes of a vault listing are kept for the order in the same transaction, or the whole order is refused. "
        "It can be paid for 15 minutes. Works as a guest; with a merchant key the key's own limits count. "
        "The same `Idempotency-Key` and body give the same order again. Where `GET /api/v1/work` asks for work, guests "
        "send its proof in `Proof-Of-Work`."
    ),
    handle=place_order,
    body=PlaceOrder,
    answer=PlacedOrder,
    status=201,
    idempotency="required",
    refusals=(
        "WorkIsMissing", "NotFound", "ShopIsClosed", "ShopIsFrozen", "ListingIsNotOnSale", "ListingHasChanged",
        "QuantityIsOutOfRange",
        "PurchaseLimitIsReached", "FirstOrderIsTooLarge", "ShopIsNotCovered", "TooManyUnpaidOrders",
        "CouponIsNotValid", "CouponIsUsedUp", "StockIsShort",
    ),
    example=Example(
        request={
            "shop_no": 101,
            "listing_id": "0198c1f0-7a52-7c10-9d4e-5a3a0c2f9e11",
            "revision": 1,
            "quantity": 1,
            "contact": "buyer@example.com",
        },
        answer={
            "reference": _REF_EXAMPLE,
            "secret": "K7Q2-M9XD-4TVB-01HZ",
            "stage": "placed",
            "amount_fen": 9500,
            "expires_at": "2026-05-04T09:15:00.000Z",
        },
    ),
)  # fmt: skip

REVEAL: Final = Endpoint(
    method="POST",
    path="/api/v1/orders/{ref}/reveal",
    tag=TAG,
    summary="Open codes",
    description=(
        "The first opening of a code is a timed fact and is written before anything is shown. Asking again shows the "
        "same codes again and changes nothing."
    ),
    handle=reveal_codes,
    body=Reveal,
    body_is_optional=True,
    answer=OpenCodes,
    idempotency="optional",
    refusals=("CodeIsNotDelivered",),
    example=Example(
        request={"account_name": "xiaoman_1997", "account_region": "CN"},
        answer={
            "codes": [
                {
                    "code_id": "0198c1f0-8d11-7a3e-b0a7-2f6f4f1f7c55",
                    "text": "F3KQ-7HZN-W2PD-9XTC",
                    "salt": "9f2c41d07be85a6312cc04d9e8b7a135",
                    "commitment": "3f1d7c9a5b2e8064d7a1c3f5b9e2d8064a7c1f3e5b9d2087c6a4f1e3d5b79c20",
                }
            ]
        },
    ),
)

ENDPOINTS: Final = (
    Endpoint(
        method="GET",
        path="/api/v1/work",
        tag=TAG,
        summary="Get a piece of work",
        description=(
            "With `difficulty_bits` 0 none is asked for. Otherwise find a `nonce` such that SHA-256 of "
            "`challenge:nonce` begins with that many zero bits, and send `Proof-Of-Work: challenge:nonce` with the "
            "order. Good for ten minutes and one request."
        ),
        handle=get_work,
        answer=Work,
    ),
    PLACE,
    Endpoint(
        method="GET", path="/api/v1/orders/{ref}", tag=TAG, summary="Read an order", handle=get_order, answer=OrderView
    ),
    Endpoint(
        method="GET",
        path="/api/v1/orders/{ref}/facts",
        tag=TAG,
        summary="Read what happened to an order",
        description="Public facts with their leaf hashes; what is sealed shows as commitments only.",
        handle=get_order_facts,
        answer=Facts,
    ),
    Endpoint(
        method="GET",
        path="/api/v1/orders/{ref}/facts/{version}/receipt",
        tag=TAG,
        summary="Get the receipt of a fact",
        description=(
            "Proves to anybody, offline, that the fact is in the public log; opens what only its buyer may read. There "
            "once the published checkpoint covers the fact, about a second after it happened; until then the answer is "
            "409 with `Retry-After`."
        ),
        handle=get_receipt,
        answer_text="A `.fairkey-receipt`: its bytes as they are.",
        answer_type="application/json",
        refusals=("ReceiptIsNotReady",),
    ),
    Endpoint(
        method="GET",
        path="/api/v1/orders/{ref}/facts/{version}/promise",
        tag=TAG,
        summary="Get the promise about a fact",
        description="Signed by the log's key, there at once: the fact will be in the public log within a day.",
        handle=get_promise,
        answer_text="A `.fairkey-promise`: a signed note.",
    ),
    Endpoint(
        method="POST",
        path="/api/v1/orders/{ref}/pay",
        tag=TAG,
        summary="Get the provider's payment page",
        description="Asking again gives the same page. Paying is reported to us by the provider, not by the buyer.",
        handle=pay_order,
        body=Paying,
        body_is_optional=True,
        answer=PayLink,
        idempotency="optional",
        refusals=(*_ANOTHER_STAGE, "ProviderHasRefused"),
    ),
    REVEAL,
    Endpoint(
        method="POST",
        path="/api/v1/orders/{ref}/confirm",
        tag=TAG,
        summary="Confirm that all is well",
        handle=confirm_order,
        body=Nothing,
        body_is_optional=True,
        answer=Done,
        idempotency="optional",
        refusals=_ANOTHER_STAGE,
    ),
    Endpoint(
        method="POST",
        path="/api/v1/orders/{ref}/withdraw",
        tag=TAG,
        summary="Step back while every code is sealed",
        handle=withdraw_order,
        body=Nothing,
        body_is_optional=True,
        answer=Done,
        idempotency="optional",
        refusals=(*_ANOTHER_STAGE, "CodeWasAlreadyOpened"),
    ),
    Endpoint(
        method="POST",
        path="/api/v1/orders/{ref}/give-up",
        tag=TAG,
        summary="Let an unpaid order go",
        handle=give_up_order,
        body=Nothing,
        body_is_optional=True,
        answer=Done,
        idempotency="optional",
        refusals=_ANOTHER_STAGE,
    ),
    Endpoint(
        method="POST",
        path="/api/v1/orders/{ref}/wait",
        tag=TAG,
        summary="Give a late merchant one more promise period",
        handle=agree_to_wait,
        body=Nothing,
        body_is_optional=True,
        answer=Done,
        idempotency="optional",
        refusals=(*_ANOTHER_STAGE, "WaitWasAlreadyAgreed"),
    ),
    Endpoint(
        method="POST",
        path="/api/v1/orders/{ref}/claim",
        tag=TAG,
        summary="Claim the money of a completed order whose shop has vanished",
        description="Only the issuer's word counts. Paid out of what is left of the deposit, then out of the pool.",
        handle=file_claim,
        body=Nothing,
        body_is_optional=True,
        answer=Done,
        idempotency="optional",
        refusals=("OrderCannotBeClaimed", "IssuerHasNotSpoken", "ClaimsAreOver"),
    ),
    Endpoint(
        method="POST",
        path="/api/v1/orders/{ref}/complaint",
        tag=TAG,
        summary="Complain about a delivered order",
        description="The merchant has 48 hours to answer; silence loses.",
        handle=open_complaint,
        body=OpenComplaint,
        answer=Done,
        idempotency="optional",
        refusals=("ComplaintExists", "OrderCannotBeComplainedAbout"),
        example=Example(
            request={"reason": "already_used", "text": "兑换时提示该卡密已被使用。", "demand_fen": 0},
            answer={"stage": "disputed", "kinds": ["dispute.opened", "order.disputed"]},
        ),
    ),
    Endpoint(
        method="POST",
        path="/api/v1/orders/{ref}/complaint/withdraw",
        tag=TAG,
        summary="Withdraw the complaint",
        handle=withdraw_complaint,
        body=Nothing,
        body_is_optional=True,
        answer=Done,
        idempotency="optional",
        refusals=("NotFound", "ComplaintIsInAnotherStage"),
    ),
    Endpoint(
        method="POST",
        path="/api/v1/orders/{ref}/review",
        tag=TAG,
        summary="Review a completed order",
        handle=post_review,
        body=Review,
        answer=Done,
        idempotency="optional",
        refusals=("OrderIsNotCompleted", "ReviewExists"),
        example=Example(
            request={"speed": 5, "code_worked": True, "text": "秒发,一次兑换成功。"},
            answer={"stage": "completed", "kinds": ["review.posted"]},
        ),
    ),
)
