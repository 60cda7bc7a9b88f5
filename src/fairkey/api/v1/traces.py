"""A code's life for whoever holds it, and what backs a listing for anybody."""

from typing import Annotated, Final, Literal

from msgspec import Meta

from fairkey.api.calls import Call, Reply, reply
from fairkey.api.endpoints import Endpoint, Example
from fairkey.api.shapes import Hash, Id, In, Moment, Out, moment, moment_or_none
from fairkey.business.basics import NotFound
from fairkey.business.codes import CodeStage
from fairkey.engine import tracing
from fairkey.engine.house import House
from fairkey.engine.people import network_of
from fairkey.engine.trace_port import BackingBatch
from fairkey.engine.tracing import CODE_CHARS_MAX, CodeLife, Step

TAG: Final = "traces"
TRACE_LIMIT_TEXT: Final = (
    "Unknown codes, codes not on sale yet and codes shorter than eight characters get the same answer. Guests have to "
    "prove work where `GET /api/v1/work` asks for it, and few requests are taken from one network."
)

Source = Literal["issuer", "invoice", "typed"]
LogIndex = Annotated[int | None, Meta(description="Place in the public log, from 0; null: none yet.")]


class HeldCode(In, frozen=True, kw_only=True):
    """The code itself, as it was delivered. Goes in the body, so that no address or log holds it."""

    code: Annotated[str, Meta(min_length=1, max_length=CODE_CHARS_MAX)]


class StepView(Out, frozen=True, kw_only=True):
    """One station of a code's life."""

    what: str
    at: Moment
    log_index: LogIndex
    is_published: Annotated[bool, Meta(description="Whether a receipt can be had.")]
    says: Annotated[dict[str, str | int | bool | list[int]], Meta(description="Public fields of the fact.")]


class LifeView(Out, frozen=True, kw_only=True):
    """The life of one code: when, never to whom or for how much."""

    shop_no: int
    listing_id: Id
    revision: int
    code_id: Id
    stage: CodeStage
    source: Source
    place: Annotated[int | None, Meta(description="Place under the batch's root, from 0; null: typed at delivery.")]
    count: int
    root: Annotated[str, Meta(description="Root of the batch, SHA-256 in hexadecimal; empty: typed at delivery.")]
    is_erased: Annotated[bool, Meta(description="The salt was erased: what is left cannot prove the text.")]
    steps: tuple[StepView, ...]


class BackingView(Out, frozen=True, kw_only=True):
    """One batch of which codes are for sale now."""

    batch_id: Id
    free: Annotated[int, Meta(ge=1)]
    count: Annotated[int, Meta(ge=1, description="All codes of the batch, sold ones too.")]
    root: Hash
    source: Source
    invoice_sha256: str
    is_attested: bool
    registered_at: Moment
    log_index: LogIndex
    is_published: bool
    doubted_at: Annotated[
        Moment | None, Meta(description="When a ruling took it off sale; what is free was let back since.")
    ]


class StockView(Out, frozen=True, kw_only=True):
    """Committed codes that were never delivered; `stock` is the number the store shows."""

    stock: int
    batches: tuple[BackingView, ...]


async def trace_code(house: House, call: Call) -> Reply:
    """The life of a code."""
    held = _held(call)
    return reply(_life_view(await tracing.life_of(house, held)), headers=((b"cache-control", b"no-store"),))


async def trace_file(house: House, call: Call) -> Reply:
    """The same with everything that proves it."""
    data = await tracing.life_file(house, _held(call))
    name = b'attachment; filename="code-life.zip"'
    return Reply(
        200, data, b"application/zip", ((b"content-disposition", name), (b"cache-control", b"no-store"))
    )


async def read_stock(house: House, call: Call) -> Reply:
    """What backs a listing."""
    shop_id = await house.numbers.shop_of(call.shop_no())
    if shop_id is None:
        raise NotFound(what="shop")
    listing_id = call.uuid("listing_id")
    if await house.questions.storefront.listing(shop_id, listing_id) is None:
        raise NotFound(what="listing")
    proof = await house.traces.stock(shop_id, listing_id)
    return reply(StockView(stock=proof.stock, batches=tuple(map(_backing_view, proof.batches))))


def _held(call: Call) -> str:
    visit = call.visit
    if not visit.is_known:
        visit.door.work.require("place", network_of(visit.actor.address), call.header(b"proof-of-work"))
    given: HeldCode = call.given
    return given.code


def _life_view(life: CodeLife) -> LifeView:
    return LifeView(
        shop_no=life.shop_no,
        listing_id=life.listing_id,
        revision=life.revision,
        code_id=life.code_id,
        stage=CodeStage(life.stage),
        source=_source(life.source),
        place=life.place,
        count=life.count,
        root=life.root,
        is_erased=life.is_erased,
        steps=tuple(map(_step_view, life.steps)),
    )


def _step_view(step: Step) -> StepView:
    return StepView(
        what=step.what,
        at=moment(step.at_ms),
        log_index=step.log_index,
        is_published=step.is_published,
        says={name: value for name, value in step.says.items() if isinstance(value, str | int | bool | list)},
    )


def _backing_view(batch: BackingBatch) -> BackingView:
    return BackingView(
        batch_id=batch.batch_id,
        free=batch.free,
        count=batch.count,
        root=batch.root,
        source=_source(batch.source),
        invoice_sha256=batch.invoice_sha256,
        is_attested=batch.is_attested,
        doubted_at=moment_or_none(batch.doubted_at_ms),
        registered_at=moment(batch.registered_at_ms),
        log_index=batch.log_index,
        is_published=batch.is_published,
    )


def _source(name: str) -> Source:
    return "issuer" if name == "issuer" else "invoice" if name == "invoice" else "typed"


ENDPOINTS: Final = (
    Endpoint(
        method="POST",
        path="/api/v1/trace",
        tag=TAG,
        summary="Trace a code you hold",
        description=f"Its life from deposit to today, without buyer, order or price. {TRACE_LIMIT_TEXT}",
        handle=trace_code,
        body=HeldCode,
        answer=LifeView,
        refusals=("CodeIsNotKnown", "WorkIsMissing"),
        example=Example(request={"code": "XK7Q-93MD-PPL2-0QZV"}),
    ),
    Endpoint(
        method="POST",
        path="/api/v1/trace/life.zip",
        tag=TAG,
        summary="Get the proofs of a code's life",
        description=(
            "Receipts of every fact, and a `.fairkey-code` that proves text, id and place of the code; it holds the "
            f"code in clear. {TRACE_LIMIT_TEXT}"
        ),
        handle=trace_file,
        body=HeldCode,
        answer_text="A zip.",
        answer_type="application/zip",
        refusals=("CodeIsNotKnown", "WorkIsMissing"),
        example=Example(request={"code": "XK7Q-93MD-PPL2-0QZV"}),
    ),
    Endpoint(
        method="GET",
        path="/api/v1/listings/{shop_no}/{listing_id}/stock",
        tag=TAG,
        summary="Read the proof of stock of a listing",
        description="How many committed, undelivered codes back it, by batch, with the roots in the public log.",
        handle=read_stock,
        answer=StockView,
        refusals=("NotFound",),
    ),
)
