"""Notifications: what is believed, what is not, and every way they can go wrong."""

import hashlib
import hmac
import json

import pytest

from fairkey.adapters.payments.sandbox import SandboxProvider, wall_clock_ms
from fairkey.adapters.payments.sandbox_controls import SandboxControls
from fairkey.effects.ports import (
    InstructionNotice,
    NotificationIsForged,
    NotificationIsUnreadable,
    PaymentNotice,
)
from payments_world import MINUTE_MS, SECRET, Receiver, Sale

NOW_MS = 1_790_000_000_000
PAYMENT = {
    "event": "payment",
    "provider_txn": "t1",
    "reference": "r1",
    "amount_fen": 8_800,
    "currency": "CNY",
    "paid_at_ms": NOW_MS,
}
BODY = json.dumps(PAYMENT).encode()


def signed(body: bytes, at_ms: int = NOW_MS, secret: str = SECRET) -> dict[str, str]:
    v1 = hmac.new(secret.encode(), f"{at_ms}.".encode() + body, hashlib.sha256).hexdigest()
    return {"sandbox-signature": f"t={at_ms},v1={v1}"}


@pytest.fixture
async def reading() -> SandboxProvider:
    return SandboxProvider("http://127.0.0.1:1", SECRET.encode())


def test_a_signed_payment_is_read(reading: SandboxProvider) -> None:
    assert reading.read_notification(signed(BODY), BODY, NOW_MS) == PaymentNotice(
        provider_txn="t1", reference="r1", amount_fen=8_800, currency="CNY", paid_at_ms=NOW_MS
    )


def test_a_signed_end_of_an_instruction_is_read(reading: SandboxProvider) -> None:
    told: dict[str, object] = {
        "kind": "refund",
        "idempotency_key": "k",
        "provider_ref": "p",
        "succeeded": False,
        "amount_fen": 1,
        "reason": "account closed",
    }
    body = json.dumps({"event": "instruction", **told}).encode()
    assert reading.read_notification(signed(body), body, NOW_MS) == InstructionNotice(
        kind="refund", idempotency_key="k", provider_ref="p", succeeded=False, amount_fen=1, reason="account closed"
    )


GOOD = signed(BODY)["sandbox-signature"]


@pytest.mark.parametrize(
    "header",
    [
        "",
        "v1=",
        "t=,v1=",
        GOOD.replace("t=", "t=-"),
        GOOD.replace(f"t={NOW_MS}", f"t={NOW_MS + 1}"),
        GOOD.replace(",v1=", ",v0="),
        GOOD[:-1],
        GOOD + "0",
        GOOD.upper(),
        f"t={'9' * 5000},v1=00",
        "t=１２３,v1=ff",  # noqa: RUF100 full-width digits are digits to Python
        "t=1,v1=é",
        signed(BODY, secret="another secret of the same size")["sandbox-signature"],
        signed(BODY + b" ")["sandbox-signature"],
    ],
)
def test_a_bad_signature_is_a_forgery(reading: SandboxProvider, header: str) -> None:
    with pytest.raises(NotificationIsForged):
        reading.read_notification({"sandbox-signature": header}, BODY, NOW_MS)


def test_no_signature_is_a_forgery(reading: SandboxProvider) -> None:
    with pytest.raises(NotificationIsForged):
        reading.read_notification({}, BODY, NOW_MS)


@pytest.mark.parametrize("away_ms", [-5 * MINUTE_MS, 5 * MINUTE_MS])
def test_a_timestamp_counts_for_five_minutes(reading: SandboxProvider, away_ms: int) -> None:
    headers = signed(BODY, NOW_MS + away_ms)
    reading.read_notification(headers, BODY, NOW_MS)
    with pytest.raises(NotificationIsForged, match="too far"):
        reading.read_notification(headers, BODY, NOW_MS - (1 if away_ms > 0 else -1))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b"\xff",
        b'{"event":"subscription"}',
        BODY.replace(b"8800", b"88.00"),
        BODY.replace(b"8800", b'"8800"'),
        BODY.replace(b'"reference"', b'"order"'),
    ],
)
def test_signed_nonsense_is_unreadable_not_forged(reading: SandboxProvider, body: bytes) -> None:
    with pytest.raises(NotificationIsUnreadable):
        reading.read_notification(signed(body), body, NOW_MS)


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 16"):
        SandboxProvider("http://127.0.0.1:1", b"short")


async def test_it_is_repeated_until_it_is_taken_and_every_attempt_is_kept(
    sandbox: SandboxControls, receiver: Receiver, sale: Sale
) -> None:
    receiver.answers = [(500, b"oops"), (200, b"fail"), (302, b"success")]
    await sandbox.pay(sale.reference)
    told = [await receiver.next() for _ in range(4)]
    assert len(set(told)) == 1
    assert await sandbox.drain() == 0
    [notice] = await sandbox.notices(sale.reference)
    assert notice["state"] == "delivered"
    assert [(tried["status"], tried["answer"]) for tried in notice["attempts"]] == [
        (500, "oops"),
        (200, "fail"),
        (302, "success"),
        (200, "success"),
    ]


async def test_a_lost_one_never_comes_but_the_money_is_found_by_asking(
    provider: SandboxProvider, sandbox: SandboxControls, receiver: Receiver, sale: Sale
) -> None:
    await sandbox.go_wrong({"kind": "lose", "reference": sale.reference})
    await sandbox.pay(sale.reference)
    assert await sandbox.drain(hurry=True) == 0
    assert receiver.arrived.empty()
    [found] = await provider.query_payment(sale.reference)
    assert found.amount_fen == 8_800
    [notice] = await sandbox.notices(sale.reference)
    assert (notice["state"], notice["faults"]) == ("lost", "lose")
    await sandbox.send_again(notice["id"])
    assert await receiver.next() == found


async def test_a_repeated_one_is_word_for_word_the_same(
    sandbox: SandboxControls, receiver: Receiver, sale: Sale
) -> None:
    await sandbox.go_wrong({"kind": "repeat", "reference": sale.reference, "copies": 3})
    await sandbox.pay(sale.reference)
    bodies = {(await receiver.raw())[1] for _ in range(4)}
    assert len(bodies) == 1
    assert await sandbox.drain() == 0
    assert receiver.arrived.empty()


async def test_a_delayed_one_waits_for_its_time(sandbox: SandboxControls, receiver: Receiver, sale: Sale) -> None:
    await sandbox.go_wrong({"kind": "delay", "reference": sale.reference, "delay_ms": 3_600_000})
    await sandbox.pay(sale.reference)
    assert await sandbox.drain(timeout_s=0) == 1
    assert receiver.arrived.empty()
    assert await sandbox.drain(hurry=True) == 0
    assert isinstance(await receiver.next(), PaymentNotice)


async def test_reordered_ones_come_in_another_order(
    provider: SandboxProvider, sandbox: SandboxControls, receiver: Receiver, sale: Sale
) -> None:
    await sandbox.go_wrong({"kind": "reorder", "reference": sale.reference, "window": 3, "delay_ms": 3_600_000})
    [txn] = await sandbox.pay(sale.reference)
    await provider.release(idempotency_key=f"1:{txn}", provider_txn=txn, shop_account="r", amount_fen=800, fee_fen=0)
    assert receiver.arrived.empty()
    await provider.refund(idempotency_key=f"2:{txn}", provider_txn=txn, amount_fen=8_000)
    came = [await receiver.next() for _ in range(3)]
    kinds = ["payment" if isinstance(notice, PaymentNotice) else notice.kind for notice in came]
    assert sorted(kinds) == ["payment", "refund", "release"]
    assert kinds != ["payment", "release", "refund"]


async def test_a_forged_one_is_refused_and_the_true_one_follows(
    sandbox: SandboxControls, receiver: Receiver, sale: Sale
) -> None:
    await sandbox.go_wrong({"kind": "forge", "reference": sale.reference, "attempts": 1})
    receiver.answers = [(400, b"forged")]
    await sandbox.pay(sale.reference)
    with pytest.raises(NotificationIsForged):
        await receiver.next()
    assert isinstance(await receiver.next(), PaymentNotice)


@pytest.mark.parametrize(
    ("rule", "amount_fen", "currency"),
    [
        ({"kind": "change_amount", "by_fen": -8_799}, 1, "CNY"),
        ({"kind": "change_amount", "by_fen": 5}, 8_805, "CNY"),
        ({"kind": "change_currency", "currency": "JPY"}, 8_800, "JPY"),
    ],
)
async def test_a_changed_one_is_signed_but_asking_tells_the_truth(
    provider: SandboxProvider,
    sandbox: SandboxControls,
    receiver: Receiver,
    sale: Sale,
    rule: dict[str, object],
    amount_fen: int,
    currency: str,
) -> None:
    await sandbox.go_wrong({**rule, "reference": sale.reference})
    await sandbox.pay(sale.reference)
    told = await receiver.next()
    assert isinstance(told, PaymentNotice)
    assert (told.amount_fen, told.currency) == (amount_fen, currency)
    [found] = await provider.query_payment(sale.reference)
    assert (found.amount_fen, found.currency) == (8_800, "CNY")


@pytest.mark.parametrize(
    ("rule", "amounts_fen"),
    [
        ({"kind": "pay_short", "by_fen": 100}, [8_700]),
        ({"kind": "pay_over", "by_fen": 100}, [8_900]),
        ({"kind": "pay_twice"}, [8_800, 8_800]),
    ],
)
async def test_buyers_pay_wrongly(
    provider: SandboxProvider,
    sandbox: SandboxControls,
    receiver: Receiver,
    sale: Sale,
    rule: dict[str, object],
    amounts_fen: list[int],
) -> None:
    await sandbox.go_wrong({**rule, "reference": sale.reference})
    await sandbox.pay(sale.reference)
    told = [await receiver.next() for _ in amounts_fen]
    assert [notice.amount_fen for notice in told] == amounts_fen
    assert [payment.amount_fen for payment in await provider.query_payment(sale.reference)] == amounts_fen


async def test_a_moved_clock_moves_signatures_and_payments(
    provider: SandboxProvider, sandbox: SandboxControls, receiver: Receiver, sale: Sale
) -> None:
    await sandbox.settings(clock_offset_ms=3_600_000)
    await sandbox.pay(sale.reference)
    headers, body = await receiver.raw()
    with pytest.raises(NotificationIsForged, match="too far"):
        provider.read_notification(headers, body, wall_clock_ms())
    told = provider.read_notification(headers, body, wall_clock_ms() + 3_600_000)
    assert isinstance(told, PaymentNotice)
    assert told.paid_at_ms > wall_clock_ms() + 3_500_000
