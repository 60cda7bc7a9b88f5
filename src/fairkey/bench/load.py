"""The load generator: buyers who place, are paid for, and open, over raw keep-alive connections. A process of its own.

Every answer is checked: the order was placed, the notification was taken, exactly one code came, and never one that
came before.
"""

import asyncio
import hashlib
import hmac
import secrets
import time
from http import HTTPStatus
from typing import Any

import msgspec
import uvloop

from .parts import answer_questions
from .wire import Wire
from .world import PRICE_FEN

_TYPE = b"content-type: application/json\r\n"


class AnswerIsWrong(Exception):
    """The server said something else than it must."""


class _Placed(msgspec.Struct):
    reference: str
    secret: str


class _Code(msgspec.Struct):
    text: str


class _Opened(msgspec.Struct):
    codes: list[_Code]


_placed = msgspec.json.Decoder(_Placed).decode
_opened = msgspec.json.Decoder(_Opened).decode


class Buyers:
    """`how_many` buyers at one server, each doing one order after the other."""

    def __init__(self, port: int, secret: str, shops: list[dict[str, Any]], seen: set[str]) -> None:
        """`secret` is the sandbox provider's; `shops` have shop_no and listing_id; `seen`: codes that came before."""
        self._port = port
        self._keyed = hmac.new(secret.encode(), digestmod=hashlib.sha256)
        self._shops = shops
        self._seen = seen
        self._run = secrets.token_hex(4)
        self.calls_ms: tuple[list[float], list[float], list[float]] = ([], [], [])

    async def carry(self, orders: int, how_many: int) -> None:
        """Carry `orders` orders through. Raises `AnswerIsWrong`, `ConnectionError`."""
        numbers = iter(range(orders))
        self.calls_ms = ([], [], [])
        self._run = secrets.token_hex(4)

        async def buyer() -> None:
            wire = await Wire.connected(self._port)
            for number in numbers:
                await self._one_order(wire, number)
            wire.close()

        await asyncio.gather(*(buyer() for _ in range(how_many)))

    async def _one_order(self, wire: Wire, number: int) -> None:
        shop = self._shops[number % len(self._shops)]
        name = f"{self._run}-{number}"
        wish = (
            f'{{"shop_no":{shop["shop_no"]},"listing_id":"{shop["listing_id"]}","revision":1,"quantity":1,'
            f'"contact":"{name}@example.com"}}'
        )
        key = f"idempotency-key: bench-order-{name}\r\n".encode()
        started = time.perf_counter()
        status, body = await wire.post("/api/v1/orders", _TYPE + key, wish.encode())
        placed_at = time.perf_counter()
        if status != HTTPStatus.CREATED:
            raise AnswerIsWrong(f"place: {status} {body[:500]!r}")
        placed = _placed(body)
        notice = notice_of(placed.reference, f"T{name}", PRICE_FEN)
        status, body = await wire.post("/callbacks/sandbox", _TYPE + signature_of(self._keyed, notice), notice)
        paid_at = time.perf_counter()
        if status != HTTPStatus.OK or body != b"success":
            raise AnswerIsWrong(f"callback: {status} {body[:500]!r}")
        secret = f"order-secret: {placed.secret}\r\n".encode()
        status, body = await wire.post(f"/api/v1/orders/{placed.reference}/reveal", _TYPE + secret, b"{}")
        opened_at = time.perf_counter()
        codes = _opened(body).codes if status == HTTPStatus.OK else []
        if len(codes) != 1 or codes[0].text in self._seen:
            raise AnswerIsWrong(f"reveal: {status} {body[:500]!r}")
        self._seen.add(codes[0].text)
        for taken_ms, start, end in zip(
            self.calls_ms, (started, placed_at, paid_at), (placed_at, paid_at, opened_at), strict=True
        ):
            taken_ms.append((end - start) * 1000)


def notice_of(reference: str, provider_txn: str, amount_fen: int) -> bytes:
    """What the sandbox provider says when somebody paid."""
    return (
        f'{{"event":"payment","provider_txn":"{provider_txn}","reference":"{reference}","amount_fen":{amount_fen},'
        f'"currency":"CNY","paid_at_ms":{time.time_ns() // 1_000_000}}}'
    ).encode()


def signature_of(keyed: "hmac.HMAC", notice: bytes) -> bytes:
    """The header line that shows it comes from the provider."""
    at = str(time.time_ns() // 1_000_000).encode()
    mac = keyed.copy()
    mac.update(at + b"." + notice)
    return b"sandbox-signature: t=%s,v1=%s\r\n" % (at, mac.hexdigest().encode())


def main() -> None:
    """Answer `{port, secret, shops, orders, buyers}` with `{wall_s, cpu_s, calls_ms: [place, callback, reveal]}`."""
    seen: set[str] = set()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:

        def carry(question: dict[str, Any]) -> dict[str, Any]:
            buyers = Buyers(question["port"], question["secret"], question["shops"], seen)
            cpu_s, started = time.process_time(), time.perf_counter()
            runner.run(buyers.carry(question["orders"], question["buyers"]))
            wall_s = time.perf_counter() - started
            rounded = [[round(ms, 2) for ms in each] for each in buyers.calls_ms]
            return {"wall_s": wall_s, "cpu_s": time.process_time() - cpu_s, "calls_ms": rounded}

        answer_questions(carry)


if __name__ == "__main__":
    main()
