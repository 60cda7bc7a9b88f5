"""A dispute from both sides: how it stands, the standard's reading, offers, a question, a ruling."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Final

from msgspec import Meta

from fairkey.api.calls import Call, Reply, reply
from fairkey.api.endpoints import Endpoint, Example, Handle
from fairkey.api.order_shapes import Done
from fairkey.api.shapes import Fen, Hash, Id, In, Moment, Nothing, Out, moment, moment_or_none
from fairkey.api.v1.messages import of_buyer, of_shop
from fairkey.api.v1.orders import done
from fairkey.business.askers import Asker
from fairkey.business.basics import Command, Stream
from fairkey.business.complaints import (
    OFFERS_MAX,
    AnswerOffer,
    AppealRuling,
    AskBuyer,
    AskReview,
    ConfirmReplacement,
    OfferSettlement,
    RefuseReplacement,
    ReopenComplaint,
    ReplyToShop,
    SendReplacement,
    TakeRuling,
)
from fairkey.business.dispute_events import ComplaintIsInAnotherStage, Demand, Side
from fairkey.business.dispute_state import Complaint, ComplaintStage, Offer, Ruling, Turn
from fairkey.business.references import reference_of
from fairkey.business.standard.deciding import Change
from fairkey.engine.advising import Advice, CodeAdvice, advice_on
from fairkey.engine.house import House
from fairkey.engine.receipts import Party, case_file
from fairkey.read_tables.order_book import Fact, OrderRecord

TAG: Final = "disputes"
_ASKERS: Final = {Side.BUYER: Asker.BUYER, Side.SHOP: Asker.MERCHANT}
_PARTIES: Final = {Side.BUYER: Party.BUYER, Side.SHOP: Party.SHOP}

Why = Annotated[str, Meta(min_length=5, max_length=4_000)]


class MakeOffer(In, frozen=True, kw_only=True):
    """So much goes back, and the matter is over. At most what was demanded."""

    refund_fen: Fen
    text: Annotated[str, Meta(max_length=2_000)] = ""


class AnswerToOffer(In, frozen=True, kw_only=True):
    """Yes or no to an offer of the other side."""

    offer_no: Annotated[int, Meta(ge=1, le=OFFERS_MAX)]
    accepted: bool


class Question(In, frozen=True, kw_only=True):
    """What the shop needs to know. Once a complaint."""

    text: Annotated[str, Meta(min_length=5, max_length=2_000)]


class ReplyText(In, frozen=True, kw_only=True):
    """The buyer's reply."""

    text: Annotated[str, Meta(min_length=1, max_length=4_000)]


class Replacing(In, frozen=True, kw_only=True):
    """Which opened codes are replaced; empty: all of them."""

    codes: Annotated[tuple[Id, ...], Meta(max_length=1_000)] = ()


class Reasoned(In, frozen=True, kw_only=True):
    """Why."""

    text: Why


class OfferView(Out, frozen=True, kw_only=True):
    """A proposal to settle, until `until`. `state`: open, accepted, declined."""

    offer_no: int
    by: Side
    refund_fen: Fen
    text: str
    state: str
    until: Moment


class WaitView(Out, frozen=True, kw_only=True):
    """`whom` can do something until `until`: `turn` answer, reply, offer (answer it), appeal, last_appeal (after a
    review). `number`: of the offer or the ruling. Reminders go out 24 and 2 hours before.
    """

    whom: Side
    turn: Turn
    number: int
    until: Moment


class RulingView(Out, frozen=True, kw_only=True):
    """The last ruling. `level`: 0 the standard, else how many people decided. `version` and `sha256` name the standard.

    `verdict`: what it was made of, as canonical JSON. `stake_fen`: what an appeal by you would stake.
    """

    ruling_no: int
    level: int
    row: str
    case: str
    refund_fen: Fen
    pool_fen: Fen
    deduct_fen: Fen
    ruled_at: Moment
    appeal_by: Moment
    appealed_by: Side | None
    stake_fen: Fen
    review_by: Moment | None
    reviewed: bool
    version: str
    sha256: str
    verdict: str


class DisputeView(Out, frozen=True, kw_only=True):
    """A dispute as both sides read it. `due_at`: when its clock comes next."""

    stage: ComplaintStage
    demand: Demand
    demand_fen: Fen
    screen: str
    due_at: Moment | None
    waits: tuple[WaitView, ...]
    question: str
    answer: str
    offers: tuple[OfferView, ...]
    ruling: RulingView | None


class ChangeView(Out, frozen=True, kw_only=True):
    """Were `tests` answered so, `case` would be named; `facts` are missing for it. `from_at`: only from then on."""

    row: str
    case: str
    side: str
    outcome: str
    refund_fen: int | None
    tests: dict[str, bool | None]
    facts: tuple[str, ...]
    from_at: Moment | None


class ReadingOfCodes(Out, frozen=True, kw_only=True):
    """What the standard says of codes about which the same is known; `code_nos` count from 1. `by`: standard's way."""

    code_nos: tuple[int, ...]
    row: str
    case: str
    side: str
    outcome: str
    by: str
    refund_fen: int | None
    deduction_fen: int | None
    decided_by: dict[str, bool | None]
    missing: tuple[str, ...]
    changes: tuple[ChangeView, ...]


class Reading(Out, frozen=True, kw_only=True):
    """What the standard says as things stand. `in_force`: when the order was placed; else it only shows the way."""

    standard: str
    version: str
    sha256: Hash
    in_force: bool
    is_open: bool
    refund_fen: Fen
    codes: tuple[ReadingOfCodes, ...]


async def _record(house: House, call: Call, side: Side) -> OrderRecord:
    return await (of_buyer(house, call) if side is Side.BUYER else of_shop(house, call))


async def _show(house: House, call: Call, side: Side) -> Reply:
    record = await _record(house, call, side)
    complaint = record.file.complaint
    facts = await house.questions.order_book.facts(record.shop_id, record.order_id, with_sealed=True)
    return reply(
        DisputeView(
            stage=complaint.stage,
            demand=complaint.demand,
            demand_fen=complaint.demand_fen,
            screen=complaint.screen,
            due_at=moment_or_none(complaint.due_at_ms),
            waits=tuple(
                WaitView(whom=one.whom, turn=one.turn, number=one.number, until=moment(one.until_ms))
                for one in complaint.waits(house.now_ms())
            ),
            question=_said(facts, "dispute.asked"),
            answer=_said(facts, "dispute.replied"),
            offers=tuple(_offer(one, facts) for one in complaint.offers),
            ruling=_ruling(complaint, facts, side),
        )
    )


def _said(facts: list[Fact], kind: str) -> str:
    return next((fact.sealed.get("text", "") for fact in facts if fact.kind == kind), "")


def _offer(offer: Offer, facts: list[Fact]) -> OfferView:
    texts = {
        fact.public.get("offer_no"): fact.sealed.get("text", "") for fact in facts if fact.kind == "dispute.offered"
    }
    text = texts.get(offer.offer_no, "")
    return OfferView(
        offer_no=offer.offer_no,
        by=offer.by,
        refund_fen=offer.refund_fen,
        text=text,
        state=offer.state,
        until=moment(offer.until_ms),
    )


def _ruling(complaint: Complaint, facts: list[Fact], side: Side) -> RulingView | None:
    ruling: Ruling | None = complaint.ruling
    if ruling is None:
        return None
    verdicts = [fact.sealed.get("verdict", "") for fact in facts if fact.kind == "dispute.ruled"]
    return RulingView(
        ruling_no=ruling.ruling_no,
        level=ruling.level,
        row=ruling.row,
        case=ruling.case,
        refund_fen=ruling.refund_fen,
        pool_fen=ruling.pool_fen,
        deduct_fen=ruling.deduct_fen,
        ruled_at=moment(ruling.at_ms),
        appeal_by=moment(ruling.appeal_by_ms),
        appealed_by=ruling.appealed_by,
        stake_fen=complaint.stake_fen(side),
        review_by=moment_or_none(ruling.review_by_ms),
        reviewed=ruling.reviewed,
        version=ruling.version,
        sha256=ruling.sha256,
        verdict=verdicts[-1] if verdicts else "",
    )


async def _read(house: House, call: Call, side: Side) -> Reply:
    record = await _record(house, call, side)
    facts = await house.questions.order_book.facts(record.shop_id, record.order_id, with_sealed=True)
    advice = await advice_on(house, record, facts)
    if advice is None:
        raise ComplaintIsInAnotherStage(stage=record.file.complaint.stage.value)
    return reply(_reading(advice))


def _reading(advice: Advice) -> Reading:
    return Reading(
        standard=advice.standard.name,
        version=advice.standard.version,
        sha256=advice.standard.sha256,
        in_force=advice.in_force,
        is_open=advice.is_open,
        refund_fen=advice.refund_fen,
        codes=tuple(_of_codes(one) for one in advice.codes),
    )


def _of_codes(one: CodeAdvice) -> ReadingOfCodes:
    finding = one.finding
    return ReadingOfCodes(
        code_nos=one.code_nos,
        row=finding.row,
        case=finding.case,
        side=finding.side,
        outcome=finding.outcome,
        by=finding.by,
        refund_fen=finding.refund_fen,
        deduction_fen=finding.deduction_fen,
        decided_by={each.test: each.answer for each in finding.decided_by},
        missing=finding.missing,
        changes=tuple(_change(each) for each in finding.changes),
    )


def _change(change: Change) -> ChangeView:
    return ChangeView(
        row=change.row,
        case=change.case,
        side=change.side,
        outcome=change.outcome,
        refund_fen=change.refund_fen,
        tests={each.test: each.answer for each in change.tests},
        facts=change.facts,
        from_at=moment_or_none(change.at_ms),
    )


async def _case(house: House, call: Call, side: Side) -> Reply:
    record = await _record(house, call, side)
    name = reference_of(record.shop_no, record.order_id)
    data = await case_file(house, Stream(record.shop_id, "order", record.order_id), _PARTIES[side], name)
    headers = (
        (b"content-disposition", f'attachment; filename="{name}-case.zip"'.encode()),
        (b"cache-control", b"private, no-store"),
    )
    return Reply(200, data, b"application/zip", headers)


async def _do(house: House, call: Call, side: Side, command: Command) -> Reply:
    answer = await house.ask(_ASKERS[side], command, command_id=call.command_id(), body_hash=call.body_hash(house))
    return done(answer)


async def _offered(house: House, call: Call, side: Side) -> Reply:
    record = await _record(house, call, side)
    given: MakeOffer = call.given
    command = OfferSettlement(
        shop_id=record.shop_id, order_id=record.order_id, by=side, refund_fen=given.refund_fen, text=given.text
    )
    return await _do(house, call, side, command)


async def _answered(house: House, call: Call, side: Side) -> Reply:
    record = await _record(house, call, side)
    given: AnswerToOffer = call.given
    command = AnswerOffer(
        shop_id=record.shop_id, order_id=record.order_id, by=side, offer_no=given.offer_no, accepted=given.accepted
    )
    return await _do(house, call, side, command)


async def _appealed(house: House, call: Call, side: Side) -> Reply:
    record = await _record(house, call, side)
    given: Reasoned = call.given
    command = AppealRuling(shop_id=record.shop_id, order_id=record.order_id, by=side, text=given.text)
    return await _do(house, call, side, command)


async def _taken(house: House, call: Call, side: Side) -> Reply:
    record = await _record(house, call, side)
    return await _do(house, call, side, TakeRuling(shop_id=record.shop_id, order_id=record.order_id, by=side))


async def _reviewed(house: House, call: Call, side: Side) -> Reply:
    record = await _record(house, call, side)
    given: Reasoned = call.given
    command = AskReview(shop_id=record.shop_id, order_id=record.order_id, by=side, text=given.text)
    return await _do(house, call, side, command)


async def ask_buyer(house: House, call: Call) -> Reply:
    """The shop asks, once."""
    record = await of_shop(house, call)
    given: Question = call.given
    command = AskBuyer(shop_id=record.shop_id, order_id=record.order_id, text=given.text)
    return await _do(house, call, Side.SHOP, command)


async def reopen_complaint(house: House, call: Call) -> Reply:
    """It ended by the buyer's silence; he has new evidence."""
    record = await of_buyer(house, call)
    given: Reasoned = call.given
    command = ReopenComplaint(shop_id=record.shop_id, order_id=record.order_id, text=given.text)
    return await _do(house, call, Side.BUYER, command)


async def confirm_replacement(house: House, call: Call) -> Reply:
    """The replacement works."""
    record = await of_buyer(house, call)
    command = ConfirmReplacement(shop_id=record.shop_id, order_id=record.order_id)
    return await _do(house, call, Side.BUYER, command)


async def refuse_replacement(house: House, call: Call) -> Reply:
    """The replacement fails."""
    record = await of_buyer(house, call)
    given: Reasoned = call.given
    command = RefuseReplacement(shop_id=record.shop_id, order_id=record.order_id, text=given.text)
    return await _do(house, call, Side.BUYER, command)


async def send_replacement(house: House, call: Call) -> Reply:
    """Other codes instead of those that fail."""
    record = await of_shop(house, call)
    given: Replacing = call.given
    command = SendReplacement(shop_id=record.shop_id, order_id=record.order_id, codes=given.codes)
    return await _do(house, call, Side.SHOP, command)


async def reply_to_shop(house: House, call: Call) -> Reply:
    """The buyer replies."""
    record = await of_buyer(house, call)
    given: ReplyText = call.given
    command = ReplyToShop(shop_id=record.shop_id, order_id=record.order_id, text=given.text)
    return await _do(house, call, Side.BUYER, command)


def _for(side: Side, act: Callable[[House, Call, Side], Awaitable[Reply]], name: str) -> Handle:
    """`act` as the handler of one side; the document calls it `name`."""

    async def handle(house: House, call: Call) -> Reply:
        return await act(house, call, side)

    handle.__name__ = f"{name}_of_{side.value}"
    return handle


_STAGE: Final = ("OrderNotFound", "NotFound", "ComplaintIsInAnotherStage")
_LOST: Final = (*_STAGE, "RulingIsNotAgainstYou")


def _endpoints(side: Side, path: str, whose: str) -> tuple[Endpoint, ...]:
    about = f"{path}/complaint"
    return (
        Endpoint(
            method="GET", path=about, tag=TAG, summary=f"Read the dispute about an order{whose}",
            handle=_for(side, _show, "get_dispute"), answer=DisputeView, refusals=("OrderNotFound",),
        ),
        Endpoint(
            method="GET", path=f"{about}/reading", tag=TAG,
            summary=f"Read what the standard says of the dispute now{whose}",
            description=(
                "By what log, issuers and both sides have shown: the row, what is missing and what would change it. "
                "It rules by itself as soon as it decides; this changes nothing."
            ),
            handle=_for(side, _read, "get_reading"), answer=Reading,
            refusals=("OrderNotFound", "ComplaintIsInAnotherStage"),
        ),
        Endpoint(
            method="GET", path=f"{path}/case.zip", tag=TAG, summary=f"Get the case file of an order{whose}",
            description="Receipts and the standard: `fairkey verdict verify` makes the ruling again from it.",
            handle=_for(side, _case, "get_case_file"), answer_text="A zip archive.", answer_type="application/zip",
            refusals=("OrderNotFound",),
        ),
        Endpoint(
            method="POST", path=f"{about}/offer", tag=TAG, summary=f"Offer a settlement{whose}",
            handle=_for(side, _offered, "offer_settlement"), body=MakeOffer, answer=Done, idempotency="optional",
            refusals=(*_STAGE, "FieldIsInvalid"),
            example=Example(
                request={"refund_fen": 5_000, "text": "各让一步，退一半。"},
                answer={"stage": "disputed", "kinds": ["dispute.offered"]},
            ),
        ),
        Endpoint(
            method="POST", path=f"{about}/answer", tag=TAG, summary=f"Accept or decline an offer{whose}",
            handle=_for(side, _answered, "answer_offer"), body=AnswerToOffer, answer=Done, idempotency="optional",
            refusals=(*_STAGE, "OfferHasEnded", "OfferIsNotThere"),
            example=Example(
                request={"offer_no": 1, "accepted": False},
                answer={"stage": "disputed", "kinds": ["dispute.declined"]},
            ),
        ),
        Endpoint(
            method="POST", path=f"{about}/appeal", tag=TAG, summary=f"Appeal a ruling to people{whose}",
            description=(
                "Within 24 hours, by who did not get all he wanted; 3, then 7, then 17 decide. "
                "Above 3 it stakes `stake_fen`."
            ),
            handle=_for(side, _appealed, "appeal_ruling"), body=Reasoned,
            answer=Done, idempotency="optional", refusals=(*_LOST, "DepositIsTooLow"),
            example=Example(
                request={"text": "判定未考虑我方提供的录屏。"},
                answer={"stage": "disputed", "kinds": ["dispute.appealed", "dispute.escalated"]},
            ),
        ),
        Endpoint(
            method="POST", path=f"{about}/take", tag=TAG, summary=f"Take a ruling as it is{whose}",
            description="It is carried out at once and can no longer be appealed.",
            handle=_for(side, _taken, "take_ruling"), body=Nothing, body_is_optional=True,
            answer=Done, idempotency="optional",
            refusals=_LOST,
        ),
        Endpoint(
            method="POST", path=f"{about}/review", tag=TAG,
            summary=f"Have a person look at an automatic ruling{whose}",
            handle=_for(side, _reviewed, "ask_review"), body=Reasoned, answer=Done, idempotency="optional",
            refusals=(*_LOST, "ReviewWasAsked"),
            example=Example(
                request={"text": "系统把区服认错了，请人工核对。"},
                answer={"stage": "disputed", "kinds": ["dispute.review_asked"]},
            ),
        ),
    )  # fmt: skip


ENDPOINTS: Final = (
    *_endpoints(Side.BUYER, "/api/v1/orders/{ref}", ""),
    *_endpoints(Side.SHOP, "/api/v1/shop/orders/{ref}", " of your shop"),
    Endpoint(
        method="POST",
        path="/api/v1/orders/{ref}/complaint/reply",
        tag=TAG,
        summary="Reply to the shop's question",
        description="Within 48 hours; silence ends the complaint (row R16).",
        handle=reply_to_shop,
        body=ReplyText,
        answer=Done,
        idempotency="optional",
        refusals=_STAGE,
        example=Example(
            request={"text": "在国服账号上兑换的。"}, answer={"stage": "disputed", "kinds": ["dispute.replied"]}
        ),
    ),
    Endpoint(
        method="POST",
        path="/api/v1/orders/{ref}/complaint/reopen",
        tag=TAG,
        summary="Re-open what ended by silence",
        description="Once, within 48 hours of the end by row R16, with evidence given after the shop's question.",
        handle=reopen_complaint,
        body=Reasoned,
        answer=Done,
        idempotency="optional",
        refusals=(*_STAGE, "ReopeningIsOver", "NewEvidenceIsMissing"),
        example=Example(
            request={"text": "已补充兑换页面的录屏。"},
            answer={"stage": "disputed", "kinds": ["dispute.reopened"]},
        ),
    ),
    Endpoint(
        method="POST",
        path="/api/v1/orders/{ref}/complaint/confirm",
        tag=TAG,
        summary="Say that the replacement works",
        description="The complaint ends and the shop is paid. Silence for 48 hours says the same.",
        handle=confirm_replacement,
        body=Nothing,
        body_is_optional=True,
        answer=Done,
        idempotency="optional",
        refusals=_STAGE,
    ),
    Endpoint(
        method="POST",
        path="/api/v1/orders/{ref}/complaint/again",
        tag=TAG,
        summary="Complain about the replacement",
        description="Nothing was corrected then: the shop has to answer anew and cannot send a third code.",
        handle=refuse_replacement,
        body=Reasoned,
        answer=Done,
        idempotency="optional",
        refusals=_STAGE,
        example=Example(
            request={"text": "补发的卡密也提示无效。"},
            answer={"stage": "disputed", "kinds": ["dispute.resend_refused"]},
        ),
    ),
    Endpoint(
        method="POST",
        path="/api/v1/shop/orders/{ref}/complaint/resend",
        tag=TAG,
        summary="Send other codes out of the vault instead",
        description=(
            "Once, where the buyer wants a working code or says that his is not valid. They lie sealed in his box; "
            "he confirms within 48 hours or complains again."
        ),
        handle=send_replacement,
        body=Replacing,
        body_is_optional=True,
        answer=Done,
        idempotency="optional",
        refusals=(*_STAGE, "ReplacementWasSent", "ReplacementIsNotWanted", "CodeWasNotOpened", "StockIsShort"),
    ),
    Endpoint(
        method="POST",
        path="/api/v1/shop/orders/{ref}/complaint/ask",
        tag=TAG,
        summary="Ask the buyer a question, once",
        handle=ask_buyer,
        body=Question,
        answer=Done,
        idempotency="optional",
        refusals=(*_STAGE, "BuyerWasAsked"),
        example=Example(
            request={"text": "请问您在哪个区服兑换的？"}, answer={"stage": "disputed", "kinds": ["dispute.asked"]}
        ),
    ),
)
