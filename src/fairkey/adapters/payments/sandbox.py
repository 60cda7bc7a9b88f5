"""The sandbox provider behind the payment port: signed HTTP both ways, no retries, typed errors.

Wire format (the sandbox program's own, described in docs/payments.md): header `Sandbox-Signature: t=<ms>,v1=<hex>` with
HMAC-SHA256 over `t.METHOD target.body` (request), `t.answer STATUS v1-of-the-request.body` (answer) or `t.body`
(notification).
"""

import hashlib
import hmac
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Annotated, Literal, Self, TypeVar
from urllib.parse import quote, urlencode

import httpx
import msgspec

from fairkey.effects.ports import (
    Collection,
    Instruction,
    InstructionKind,
    InstructionNotice,
    InstructionState,
    Notice,
    NotificationIsForged,
    NotificationIsUnreadable,
    PaymentNotice,
    ProviderIsUnreachable,
    ProviderRefused,
)

SIGNATURE_HEADER = "sandbox-signature"
TOLERANCE_MS = 300_000
"""How far a notification's timestamp may lie from now, either way. Repeats are signed anew, so old ones are replays."""
SHORTEST_SECRET_BYTES = 16
TIMEOUT = httpx.Timeout(10.0, connect=3.0, pool=5.0)
LIMITS = httpx.Limits(max_connections=32, max_keepalive_connections=16)
NOT_AN_ANSWER = {401, 403, 408, 425, 429}
"""Statuses that say nothing about the request itself: wrong secret, clock or pace. Worth another try once repaired."""


Shape = TypeVar("Shape")


# What no provider means even when it signs it: our tables could not keep it, and telling us again would not help.
_Name = Annotated[str, msgspec.Meta(pattern=r"^[\x21-\x7e]{1,200}$")]
_AmountFen = Annotated[int, msgspec.Meta(ge=1, le=2**53)]
_MomentMs = Annotated[int, msgspec.Meta(ge=0, le=2**45)]


class _PaymentTold(msgspec.Struct, frozen=True, tag_field="event", tag="payment"):
    provider_txn: _Name
    reference: Annotated[str, msgspec.Meta(max_length=200)]
    amount_fen: _AmountFen
    currency: Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$")]
    paid_at_ms: _MomentMs


class _InstructionTold(msgspec.Struct, frozen=True, tag_field="event", tag="instruction"):
    kind: Literal["refund", "release", "payout"]
    idempotency_key: str
    provider_ref: str
    succeeded: bool
    amount_fen: int
    reason: str


class _CollectionAnswer(msgspec.Struct, frozen=True):
    pay_url: str
    qr_text: str


class _PaymentAnswer(msgspec.Struct, frozen=True):
    provider_txn: str
    reference: str
    amount_fen: int
    currency: str
    paid_at_ms: int


class _PaymentsAnswer(msgspec.Struct, frozen=True):
    payments: list[_PaymentAnswer]


class _InstructionAnswer(msgspec.Struct, frozen=True):
    idempotency_key: str
    provider_ref: str
    state: InstructionState
    reason: str


class _RefusedAnswer(msgspec.Struct, frozen=True):
    error: str
    reason: str = ""


_read_notice = msgspec.json.Decoder(_PaymentTold | _InstructionTold).decode


def wall_clock_ms() -> int:
    """Milliseconds UTC of this machine."""
    return time.time_ns() // 1_000_000


class SandboxProvider:
    """Port `PaymentProvider`. Safe to share between tasks; close it, or use it as an async context manager."""

    name = "sandbox"

    def __init__(
        self,
        base_url: str,
        secret: bytes,
        *,
        now_ms: Callable[[], int] = wall_clock_ms,
        timeout: httpx.Timeout = TIMEOUT,
    ) -> None:
        """Talk to the sandbox at `base_url` with the `secret` it was started with; `now_ms` stamps our requests."""
        if len(secret) < SHORTEST_SECRET_BYTES:
            msg = f"the sandbox secret must have at least {SHORTEST_SECRET_BYTES} bytes"
            raise ValueError(msg)
        self._secret = secret
        self._now_ms = now_ms
        # Hashing the key's padding once and copying is a third faster than a new HMAC for each notification.
        self._keyed = hmac.new(secret, digestmod=hashlib.sha256)
        self._http = httpx.AsyncClient(
            base_url=base_url,
            timeout=timeout,
            limits=LIMITS,
            trust_env=False,  # the environment's proxies are not for us: the sandbox is a neighbour
            verify=base_url.startswith(
                "https:"
            ),  # reading the trust store takes longer than a hundred calls without TLS
        )

    async def __aenter__(self) -> Self:
        """Use, then close."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def collect(
        self, *, reference: str, amount_fen: int, subject: str, expires_at_ms: int, return_url: str, notify_url: str
    ) -> Collection:
        """See the port."""
        answer = await self._post(
            "/v1/collections",
            {
                "reference": reference,
                "amount_fen": amount_fen,
                "currency": "CNY",
                "subject": subject,
                "expires_at_ms": expires_at_ms,
                "return_url": return_url,
                "notify_url": notify_url,
            },
            _CollectionAnswer,
        )
        return Collection(pay_url=answer.pay_url, qr_text=answer.qr_text)

    async def query_payment(self, reference: str) -> tuple[PaymentNotice, ...]:
        """See the port."""
        answer = await self._get(f"/v1/collections/{quote(reference, safe='')}/payments", _PaymentsAnswer)
        return tuple(
            PaymentNotice(
                provider_txn=payment.provider_txn,
                reference=payment.reference,
                amount_fen=payment.amount_fen,
                currency=payment.currency,
                paid_at_ms=payment.paid_at_ms,
            )
            for payment in answer.payments
        )

    async def refund(
        self, *, idempotency_key: str, provider_txn: str, amount_fen: int, out_of: str = ""
    ) -> Instruction:
        """See the port."""
        body = {"idempotency_key": idempotency_key, "provider_txn": provider_txn, "amount_fen": amount_fen}
        if out_of:
            body["out_of"] = out_of
        return _stands(await self._post("/v1/refunds", body, _InstructionAnswer))

    async def release(
        self, *, idempotency_key: str, provider_txn: str, shop_account: str, amount_fen: int, fee_fen: int
    ) -> Instruction:
        """See the port."""
        body = {
            "idempotency_key": idempotency_key,
            "provider_txn": provider_txn,
            "shop_account": shop_account,
            "amount_fen": amount_fen,
            "fee_fen": fee_fen,
        }
        return _stands(await self._post("/v1/releases", body, _InstructionAnswer))

    async def pay_out(self, *, idempotency_key: str, shop_account: str, amount_fen: int) -> Instruction:
        """See the port."""
        body = {"idempotency_key": idempotency_key, "shop_account": shop_account, "amount_fen": amount_fen}
        return _stands(await self._post("/v1/payouts", body, _InstructionAnswer))

    async def query_instruction(self, kind: InstructionKind, idempotency_key: str) -> Instruction | None:
        """See the port."""
        query = urlencode({"kind": kind, "idempotency_key": idempotency_key}, quote_via=quote)
        try:
            return _stands(await self._get(f"/v1/instructions?{query}", _InstructionAnswer))
        except ProviderRefused as no:
            if no.reason.startswith("instruction_is_unknown"):
                return None
            raise

    def read_notification(self, headers: Mapping[str, str], body: bytes, now_ms: int) -> Notice:
        """See the port."""
        stamp, _, v1 = headers.get(SIGNATURE_HEADER, "").partition(",v1=")
        digits = stamp.removeprefix("t=")
        if not (digits.isascii() and digits.isdigit() and v1.isascii()):
            raise NotificationIsForged("signature missing or malformed")
        keyed = self._keyed.copy()
        keyed.update(digits.encode() + b"." + body)
        if not hmac.compare_digest(keyed.hexdigest(), v1):
            raise NotificationIsForged("signature does not match")
        if abs(now_ms - int(digits)) > TOLERANCE_MS:
            raise NotificationIsForged("timestamp is too far from now")
        try:
            told = _read_notice(body)
        except msgspec.MsgspecError as error:
            raise NotificationIsUnreadable(str(error)) from error
        if isinstance(told, _PaymentTold):
            return PaymentNotice(
                provider_txn=told.provider_txn,
                reference=told.reference,
                amount_fen=told.amount_fen,
                currency=told.currency,
                paid_at_ms=told.paid_at_ms,
            )
        return InstructionNotice(
            kind=told.kind,
            idempotency_key=told.idempotency_key,
            provider_ref=told.provider_ref,
            succeeded=told.succeeded,
            amount_fen=told.amount_fen,
            reason=told.reason,
        )

    async def _post(self, target: str, body: Mapping[str, object], shape: type[Shape]) -> Shape:
        return await self._ask("POST", target, msgspec.json.encode(body), shape)

    async def _get(self, target: str, shape: type[Shape]) -> Shape:
        return await self._ask("GET", target, b"", shape)

    async def _ask(self, method: str, target: str, body: bytes, shape: type[Shape]) -> Shape:
        at = str(self._now_ms()).encode()
        v1 = self._mac(at, f"{method} {target}".encode(), body)
        headers = {SIGNATURE_HEADER: f"t={at.decode()},v1={v1}"}
        if body:
            headers["content-type"] = "application/json"
        try:
            answer = await self._http.request(method, target, content=body, headers=headers)
        except httpx.HTTPError as error:
            raise ProviderIsUnreachable(f"{type(error).__name__}: {error}") from error
        if answer.status_code >= httpx.codes.INTERNAL_SERVER_ERROR or answer.status_code in NOT_AN_ANSWER:
            raise ProviderIsUnreachable(f"answered {answer.status_code}: {answer.text[:200]}")
        stamp, _, answer_v1 = answer.headers.get(SIGNATURE_HEADER, "").partition(",v1=")
        expected = self._mac(
            stamp.removeprefix("t=").encode(), f"answer {answer.status_code} {v1}".encode(), answer.content
        )
        # Somebody else may be listening where the provider should be: an unsigned yes or no is neither.
        if not hmac.compare_digest(expected.encode(), answer_v1.encode()):
            raise ProviderIsUnreachable("the answer is not signed by the provider")
        try:
            if answer.is_success:
                return msgspec.json.decode(answer.content, type=shape)
            refused = msgspec.json.decode(answer.content, type=_RefusedAnswer)
        except msgspec.MsgspecError as error:
            raise ProviderIsUnreachable(f"the answer is unreadable: {error}") from error
        raise ProviderRefused(f"{refused.error}: {refused.reason}")

    def _mac(self, *parts: bytes) -> str:
        keyed = self._keyed.copy()
        keyed.update(b".".join(parts))
        return keyed.hexdigest()


def _stands(answer: _InstructionAnswer) -> Instruction:
    return Instruction(
        idempotency_key=answer.idempotency_key,
        provider_ref=answer.provider_ref,
        state=answer.state,
        reason=answer.reason,
    )
