"""The provider's API for its customer: signed requests, signed answers, idempotent by key."""

import asyncio
from collections.abc import Callable
from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, Response, get, post
from litestar.handlers import HTTPRouteHandler

from sandbox_provider.book import CollectionTerms, Instruction, Refused
from sandbox_provider.faults import Operation
from sandbox_provider.provider import Provider
from sandbox_provider.signing import HEADER, request_is_ours, sign_answer

Fen = Annotated[int, msgspec.Meta(ge=1, le=10**12)]
FenOrNone = Annotated[int, msgspec.Meta(ge=0, le=10**12)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200, pattern=r"\A[\x21-\x7e]+\Z")]
Reference = Annotated[str, msgspec.Meta(min_length=1, max_length=64, pattern=r"\A[A-Za-z0-9_.-]+\Z")]
Url = Annotated[str, msgspec.Meta(max_length=2000, pattern=r"\Ahttps?://[^\s]+\Z")]


class Asked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every request body is: complete, and nothing besides."""


class CollectAsked(Asked, frozen=True, kw_only=True):
    """POST /v1/collections."""

    reference: Reference
    amount_fen: Fen
    currency: Literal["CNY"] = "CNY"
    subject: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    expires_at_ms: Annotated[int, msgspec.Meta(ge=0, le=253_402_300_799_000)]
    return_url: Url
    notify_url: Url


class RefundAsked(Asked, frozen=True, kw_only=True):
    """POST /v1/refunds."""

    idempotency_key: Name
    provider_txn: Name
    amount_fen: Fen
    out_of: Name | None = None


class ReleaseAsked(Asked, frozen=True, kw_only=True):
    """POST /v1/releases."""

    idempotency_key: Name
    provider_txn: Name
    shop_account: Name
    amount_fen: FenOrNone
    fee_fen: FenOrNone


class PayoutAsked(Asked, frozen=True, kw_only=True):
    """POST /v1/payouts."""

    idempotency_key: Name
    shop_account: Name
    amount_fen: Fen


AnyRequest = Request[Any, Any, Any]
Doing = Callable[[], tuple[int, object]]


def _stands(instruction: Instruction) -> tuple[int, object]:
    return 200, {
        "kind": instruction.kind,
        "idempotency_key": instruction.idempotency_key,
        "provider_ref": instruction.provider_ref,
        "state": instruction.state,
        "reason": instruction.reason,
    }


class Counter:
    """Where the customer's requests are checked, done and answered, with the faults in force."""

    def __init__(self, provider: Provider) -> None:
        """Speak for this provider."""
        self.provider = provider

    async def serve(
        self, request: AnyRequest, operation: Operation, read: Callable[[bytes], tuple[tuple[str, ...], Doing]]
    ) -> Response[bytes]:
        """Check the signature, do what is asked (unless a fault says no), sign the answer."""
        provider = self.provider
        body = await request.body()
        target = request.scope["raw_path"] + (
            b"?" + request.scope["query_string"] if request.scope["query_string"] else b""
        )
        v1 = request_is_ours(
            provider.secret,
            request.headers.get(HEADER, ""),
            provider.clock.now_ms(),
            request.method,
            target.decode(),
            body,
        )
        if v1 is None:
            return _json(401, {"error": "not_signed", "reason": "the signature is missing, wrong or too old"})
        try:
            names, do = read(body)
            status, said = await self._do(operation, names, do)
        except msgspec.MsgspecError as error:
            status, said = 400, {"error": "request_is_unreadable", "reason": str(error)}
        except Refused as no:
            status, said = no.status, {"error": no.code, "reason": no.reason}
        answer = _json(status, said)
        answer.headers[HEADER] = sign_answer(provider.secret, provider.clock.now_ms(), status, v1, answer.content)
        return answer

    async def _do(self, operation: Operation, names: tuple[str, ...], do: Doing) -> tuple[int, object]:
        faults = self.provider.faults
        if faults.draw("down", operation, *names):
            return 503, {"error": "down", "reason": "the sandbox was told to be down; nothing was done"}
        if refuse := faults.draw("refuse", operation, *names):
            raise Refused(422, refuse.rule.reason, "the sandbox was told to refuse")
        slow = faults.draw("slow", operation, *names)
        lost = faults.draw("answer_lost", operation, *names)
        status, said = do()
        if slow:
            await asyncio.sleep(slow.delay_ms(1_000) / 1000)
        if lost:
            return 500, {"error": "answer_lost", "reason": "the sandbox did what was asked and was told not to say so"}
        return status, said

    def about_payment(self, provider_txn: str, *names: str) -> tuple[str, ...]:
        """An instruction's names, the order reference behind its payment among them."""
        payment = self.provider.book.payment(provider_txn)
        return names if payment is None else (names[0], payment.reference, *names[1:])


def api_routes(provider: Provider, public_url: Callable[[], str]) -> list[HTTPRouteHandler]:
    """All routes under /v1."""
    counter = Counter(provider)

    @post("/v1/collections")
    async def collect(request: AnyRequest) -> Response[bytes]:
        def read(body: bytes) -> tuple[tuple[str, ...], Doing]:
            asked = msgspec.json.decode(body, type=CollectAsked)

            def do() -> tuple[int, object]:
                opened = provider.collect(CollectionTerms(**msgspec.structs.asdict(asked)))
                url = f"{public_url()}/cashier/{asked.reference}"
                return (201 if opened else 200), {"pay_url": url, "qr_text": url}

            return (asked.reference,), do

        return await counter.serve(request, "collect", read)

    @post("/v1/refunds")
    async def refund(request: AnyRequest) -> Response[bytes]:
        def read(body: bytes) -> tuple[tuple[str, ...], Doing]:
            asked = msgspec.json.decode(body, type=RefundAsked)
            return counter.about_payment(asked.provider_txn, asked.idempotency_key), lambda: _stands(
                provider.refund(asked.idempotency_key, asked.provider_txn, asked.amount_fen, asked.out_of or "")
            )

        return await counter.serve(request, "refund", read)

    @post("/v1/releases")
    async def release(request: AnyRequest) -> Response[bytes]:
        def read(body: bytes) -> tuple[tuple[str, ...], Doing]:
            asked = msgspec.json.decode(body, type=ReleaseAsked)
            names = counter.about_payment(asked.provider_txn, asked.idempotency_key, asked.shop_account)
            return names, lambda: _stands(
                provider.release(
                    asked.idempotency_key, asked.provider_txn, asked.shop_account, asked.amount_fen, asked.fee_fen
                )
            )

        return await counter.serve(request, "release", read)

    @post("/v1/payouts")
    async def pay_out(request: AnyRequest) -> Response[bytes]:
        def read(body: bytes) -> tuple[tuple[str, ...], Doing]:
            asked = msgspec.json.decode(body, type=PayoutAsked)
            return (asked.idempotency_key, asked.shop_account), lambda: _stands(
                provider.pay_out(asked.idempotency_key, asked.shop_account, asked.amount_fen)
            )

        return await counter.serve(request, "payout", read)

    return [collect, refund, release, pay_out, *_query_routes(counter)]


def _query_routes(counter: Counter) -> list[HTTPRouteHandler]:
    book = counter.provider.book

    @get("/v1/collections/{reference:str}/payments")
    async def payments(request: AnyRequest, reference: str) -> Response[bytes]:
        def do() -> tuple[int, object]:
            return 200, {
                "payments": [
                    {
                        "provider_txn": payment.provider_txn,
                        "reference": payment.reference,
                        "amount_fen": payment.amount_fen,
                        "currency": payment.currency,
                        "paid_at_ms": payment.paid_at_ms,
                    }
                    for payment in book.payments_of(reference)
                ]
            }

        return await counter.serve(request, "query", lambda _: ((reference,), do))

    @get("/v1/instructions")
    async def instruction(request: AnyRequest) -> Response[bytes]:
        kind = request.query_params.get("kind", "")
        idempotency_key = request.query_params.get("idempotency_key", "")

        def do() -> tuple[int, object]:
            known = book.instruction(kind, idempotency_key)
            if known is None:
                raise Refused(404, "instruction_is_unknown", "no instruction has this key")
            return _stands(known)

        return await counter.serve(request, "query", lambda _: ((idempotency_key,), do))

    return [payments, instruction]


def _json(status: int, said: object) -> Response[bytes]:
    return Response(content=msgspec.json.encode(said), status_code=status, media_type="application/json")
