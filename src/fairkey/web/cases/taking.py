"""“Take this order outside”: a case out of an order of this house, facts confirmed by the log, receipts as files."""

import json
import shutil
from pathlib import Path
from typing import Any, Final

from litestar import Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from fairkey.business.basics import SECOND_MS, Refusal
from fairkey.business.listings import decode_terms
from fairkey.business.order_refusals import OrderIsInAnotherStage
from fairkey.business.references import reference_of
from fairkey.casework.folder import CaseFolder
from fairkey.casework.model import Capture, Case, ConfirmedFact, FactKind, FactRole, Party, Problem, Purchase
from fairkey.casework.moments import CHINA
from fairkey.casework.sealing import add_file
from fairkey.casework.stamping import close_list
from fairkey.engine.conversations import lines_of
from fairkey.engine.house import House
from fairkey.engine.receipts import Party as Side
from fairkey.engine.receipts import all_receipts
from fairkey.gates.refusals import SignInNeeded
from fairkey.gates.visits import visit_of
from fairkey.read_tables.order_book import Fact, OrderRecord
from fairkey.web.buyer.glance import record_of
from fairkey.web.cases.entries import tell_lists
from fairkey.web.frame import AnyRequest, refused
from fairkey.web.receipts import stream_of

_HOUSE: Final = {"service": "fairkey"}


@post("/o/{ref:str}/outside", status_code=303)
async def take_outside(request: AnyRequest, house: NamedDependency[House], ref: FromPath[str]) -> Response[Any]:
    """One click: a case with everything that the house knows of the order. Raises `SignInNeeded`, and
    `OrderIsInAnotherStage` where no money ever came in: then there is nothing to get back.
    """
    account_id = visit_of(request.scope).actor.account_id
    if account_id is None:
        raise SignInNeeded(back=f"/o/{ref}", expired=False)
    record = await record_of(house, ref)
    reference = reference_of(record.shop_no, record.order_id)
    if not record.file.escrow.received_fen:
        raise OrderIsInAnotherStage(stage=record.file.order.stage.value)
    facts = await house.questions.order_book.facts(record.shop_id, record.order_id, with_sealed=True)
    now_ms = house.now_ms()
    files = {
        f"{reference}-receipts.zip": await all_receipts(house, stream_of(record), Side.BUYER, reference),
        f"{reference}-facts.json": _told(facts),
        f"{reference}-messages.txt": _messages(facts),
    }
    case = case_of(house, record, facts, now_ms)
    place = house.cases.receiving()
    try:
        await house.cases.begin(account_id, case)
        given = {name: data for name, data in files.items() if data}
        await house.cases.change(account_id, case.case_id, lambda folder: _fill(folder, place, given, case, now_ms))
    except Refusal as refusal:
        return refused(request, house, type(refusal).__name__, refusal.details, back="/cases")
    finally:
        shutil.rmtree(place, ignore_errors=True)
    await tell_lists(house, account_id, case.case_id)
    return Redirect(f"/cases/{case.case_id}", status_code=303)


def case_of(house: House, record: OrderRecord, facts: list[Fact], now_ms: int) -> Case:
    """The case of an order, without its files."""
    order = record.file.order
    problem_ms = record.file.complaint.opened_at_ms or next(
        (one.at_ms for one in facts if one.kind == "code.revealed"), 0
    )
    product = decode_terms(record.terms_json).product
    platform = house.settings.platform_name
    reference = reference_of(record.shop_no, record.order_id)
    return Case(
        case_id=house.new_id(),
        created_at_ms=now_ms,
        title=f"{product} · {reference}"[:100],
        problem=Problem.OTHER if order.delivered_at_ms else Problem.NOT_DELIVERED,
        wishes=("refund",),
        respondents=(Party(kind="unknown", shop=record.shop_name, platform=platform),),
        purchase=Purchase(
            platform=platform,
            shop=record.shop_name,
            order_number=reference,
            product=product,
            quantity=max(1, order.quantity),
            amount_fen=record.file.escrow.received_fen,
            ordered_at_ms=order.placed_at_ms,
            paid_at_ms=order.paid_at_ms,
            delivered_at_ms=order.delivered_at_ms,
            problem_at_ms=problem_ms,
            promised_within_s=order.promise_min * 60,
        ),
    )


def _fill(folder: CaseFolder, place: Path, files: dict[str, bytes], case: Case, at_ms: int) -> None:
    """Seal the files and confirm the facts with all of them as proof."""
    for name, data in files.items():
        (place / name).write_bytes(data)
        capture = Capture(who=case.purchase.platform, how="export", made_at_ms=at_ms, environment=_HOUSE)
        add_file(folder, place / name, capture, at_ms=at_ms, purpose="order")
    close_list(folder, at_ms=at_ms)
    shown = tuple(one.seal.sha256 for one in folder.read().files)
    folder.change("facts.confirmed", lambda now: _with_facts(now, shown, at_ms), at_ms=at_ms, facts={"by": "order"})


def _with_facts(case: Case, shown: tuple[str, ...], at_ms: int) -> Case:
    from msgspec import structs  # noqa: PLC0415 - only here

    bought = case.purchase
    said: list[tuple[FactKind, FactRole, int | str]] = [
        (FactKind.PLATFORM, FactRole.NONE, bought.platform),
        (FactKind.SHOP, FactRole.NONE, bought.shop),
        (FactKind.ORDER_NUMBER, FactRole.NONE, bought.order_number),
        (FactKind.PRODUCT, FactRole.NONE, bought.product),
        (FactKind.AMOUNT, FactRole.PAID, bought.amount_fen),
        (FactKind.TIME, FactRole.ORDERED, _iso(bought.ordered_at_ms)),
        (FactKind.TIME, FactRole.PAID, _iso(bought.paid_at_ms)),
        (FactKind.TIME, FactRole.DELIVERED, _iso(bought.delivered_at_ms)),
        (FactKind.TIME, FactRole.PROBLEM, _iso(bought.problem_at_ms)),
    ]
    facts = tuple(
        ConfirmedFact(fact_id=f"order-{number}", kind=kind, role=role, value=value, files=shown, confirmed_at_ms=at_ms)
        for number, (kind, role, value) in enumerate(said)
        if value
    )
    return structs.replace(case, facts=facts)


def _iso(at_ms: int) -> str:
    from datetime import datetime  # noqa: PLC0415 - only here

    return datetime.fromtimestamp(at_ms // SECOND_MS, CHINA).isoformat() if at_ms else ""


def _told(facts: list[Fact]) -> bytes:
    listed = [
        {"version": one.version, "kind": one.kind, "at_ms": one.at_ms, "public": dict(one.public)} for one in facts
    ]
    return json.dumps(listed, ensure_ascii=False, indent=1, default=str).encode() + b"\n"


def _messages(facts: list[Fact]) -> bytes:
    return "".join(f"{_iso(one.at_ms)} {one.by.value}: {one.text}\n" for one in lines_of(facts)).encode()


HANDLERS: Final = (take_outside,)
