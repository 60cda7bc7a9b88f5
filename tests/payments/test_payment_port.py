"""What the port promises, asked of the sandbox program itself. A new provider's adapter has to pass the same."""

import asyncio
from typing import Any

import pytest

from fairkey.adapters.payments.sandbox import SandboxProvider, wall_clock_ms
from fairkey.adapters.payments.sandbox_controls import SandboxControls
from fairkey.effects.ports import InstructionNotice, PaymentNotice, PaymentProvider, ProviderRefused
from payments_world import MINUTE_MS, Receiver, Sale


async def test_it_is_a_payment_provider(provider: SandboxProvider) -> None:
    port: PaymentProvider = provider
    assert port.name == "sandbox"


async def test_the_way_of_the_money_when_all_goes_well(
    provider: SandboxProvider, sandbox: SandboxControls, receiver: Receiver, sale: Sale
) -> None:
    assert sale.pay_url.endswith(f"/cashier/{sale.reference}")
    assert await provider.query_payment(sale.reference) == ()

    [txn] = await sandbox.pay(sale.reference)
    paid = await receiver.next()
    assert isinstance(paid, PaymentNotice)
    assert (paid.provider_txn, paid.reference, paid.amount_fen, paid.currency) == (txn, sale.reference, 8_800, "CNY")
    assert await provider.query_payment(sale.reference) == (paid,)
    assert (await sandbox.balances())[f"held/{txn}"] == 8_800

    released = await provider.release(
        idempotency_key=f"release:{txn}", provider_txn=txn, shop_account=f"shop-{txn}", amount_fen=8_500, fee_fen=300
    )
    assert (released.state, released.reason) == ("succeeded", "")
    assert await receiver.next() == InstructionNotice(
        kind="release",
        idempotency_key=f"release:{txn}",
        provider_ref=released.provider_ref,
        succeeded=True,
        amount_fen=8_500,
        reason="",
    )

    paid_out = await provider.pay_out(idempotency_key=f"payout:{txn}", shop_account=f"shop-{txn}", amount_fen=8_000)
    told = await receiver.next()
    assert isinstance(told, InstructionNotice)
    assert (told.kind, told.provider_ref, told.succeeded) == ("payout", paid_out.provider_ref, True)
    balances = await sandbox.balances()
    assert balances[f"shop/shop-{txn}"] == 500
    assert f"held/{txn}" not in balances


async def test_a_collection_is_one_by_reference(provider: SandboxProvider, receiver: Receiver, sale: Sale) -> None:
    terms: dict[str, Any] = {
        "reference": f"{sale.reference}-again",
        "subject": "x",
        "expires_at_ms": wall_clock_ms() + MINUTE_MS,
        "return_url": "https://shop.example/",
        "notify_url": receiver.url,
    }
    first = await provider.collect(amount_fen=100, **terms)
    assert await provider.collect(amount_fen=100, **terms) == first
    assert await provider.collect(amount_fen=100, **{**terms, "return_url": "https://shop.example/back"}) == first
    with pytest.raises(ProviderRefused, match="reference_is_taken"):
        await provider.collect(amount_fen=101, **terms)


async def test_all_money_for_a_reference_is_found_oldest_first(
    provider: SandboxProvider, sandbox: SandboxControls, sale: Sale
) -> None:
    [first] = await sandbox.pay(sale.reference, 100)
    [second] = await sandbox.pay(sale.reference, 8_700, "USD")
    found = await provider.query_payment(sale.reference)
    assert [(p.provider_txn, p.amount_fen, p.currency) for p in found] == [(first, 100, "CNY"), (second, 8_700, "USD")]


async def test_money_for_a_reference_nobody_opened_is_told_and_found(
    provider: SandboxProvider, sandbox: SandboxControls, receiver: Receiver
) -> None:
    [txn] = await sandbox.pay("nobody-asked", 42)
    told = await receiver.next()
    assert isinstance(told, PaymentNotice)
    assert told.provider_txn == txn
    assert await provider.query_payment("nobody-asked") == (told,)


async def test_an_instruction_is_done_once_however_often_it_is_asked(
    provider: SandboxProvider, sandbox: SandboxControls, sale: Sale
) -> None:
    [txn] = await sandbox.pay(sale.reference)
    key = f"refund:{txn}"
    asked = [provider.refund(idempotency_key=key, provider_txn=txn, amount_fen=3_000) for _ in range(8)]
    answers = await asyncio.gather(*asked)
    assert len(set(answers)) == 1
    assert (await sandbox.balances())[f"held/{txn}"] == 5_800
    assert await provider.query_instruction("refund", key) == answers[0]
    with pytest.raises(ProviderRefused, match="idempotency_key_is_taken"):
        await provider.refund(idempotency_key=key, provider_txn=txn, amount_fen=3_001)


async def test_an_instruction_never_heard_of_is_none(provider: SandboxProvider) -> None:
    assert await provider.query_instruction("refund", "never/heard of?&") is None


@pytest.mark.parametrize(
    ("already_refunded_fen", "asked_fen", "refused"),
    [(0, 8_800, None), (0, 8_801, "more_than_was_paid"), (800, 8_000, None), (800, 8_001, "more_than_was_paid")],
)
async def test_never_more_goes_back_than_came(
    provider: SandboxProvider,
    sandbox: SandboxControls,
    sale: Sale,
    already_refunded_fen: int,
    asked_fen: int,
    refused: str | None,
) -> None:
    [txn] = await sandbox.pay(sale.reference)
    if already_refunded_fen:
        await provider.refund(idempotency_key=f"1:{txn}", provider_txn=txn, amount_fen=already_refunded_fen)
    if refused is None:
        await provider.refund(idempotency_key=f"2:{txn}", provider_txn=txn, amount_fen=asked_fen)
        assert f"held/{txn}" not in await sandbox.balances()
    else:
        with pytest.raises(ProviderRefused, match=refused):
            await provider.refund(idempotency_key=f"2:{txn}", provider_txn=txn, amount_fen=asked_fen)
        assert await provider.query_instruction("refund", f"2:{txn}") is None


async def test_held_money_leaves_once(provider: SandboxProvider, sandbox: SandboxControls, sale: Sale) -> None:
    [txn] = await sandbox.pay(sale.reference)
    await provider.release(
        idempotency_key=f"1:{txn}", provider_txn=txn, shop_account="once", amount_fen=8_000, fee_fen=800
    )
    with pytest.raises(ProviderRefused, match="not_enough_held"):
        await provider.release(
            idempotency_key=f"2:{txn}", provider_txn=txn, shop_account="once", amount_fen=1, fee_fen=0
        )


async def test_after_the_split_a_refund_comes_from_the_platform(
    provider: SandboxProvider, sandbox: SandboxControls, sale: Sale
) -> None:
    [txn] = await sandbox.pay(sale.reference)
    await provider.release(
        idempotency_key=f"1:{txn}", provider_txn=txn, shop_account="late", amount_fen=8_000, fee_fen=0
    )
    before_fen = await sandbox.top_up("platform", 1_000)
    refund = await provider.refund(idempotency_key=f"2:{txn}", provider_txn=txn, amount_fen=1_000)
    assert refund.state == "succeeded"
    after = await sandbox.balances()
    assert (f"held/{txn}" in after, before_fen - after["platform"]) == (False, 200)


async def test_a_refund_the_platform_cannot_pay_is_refused_until_it_can(
    provider: SandboxProvider, sandbox: SandboxControls, receiver: Receiver
) -> None:
    [txn] = await sandbox.pay("dear", 10**10)
    await provider.release(
        idempotency_key="dear-1", provider_txn=txn, shop_account="dear", amount_fen=10**10, fee_fen=0
    )
    with pytest.raises(ProviderRefused, match="platform_account_is_short"):
        await provider.refund(idempotency_key="dear-2", provider_txn=txn, amount_fen=10**10)
    await sandbox.top_up("platform", 10**10)
    assert (await provider.refund(idempotency_key="dear-2", provider_txn=txn, amount_fen=10**10)).state == "succeeded"


async def test_no_payout_beyond_the_account(
    provider: SandboxProvider, sandbox: SandboxControls, receiver: Receiver
) -> None:
    await sandbox.top_up("shop/bond", 500)
    with pytest.raises(ProviderRefused, match="not_enough_in_account"):
        await provider.pay_out(idempotency_key="bond-1", shop_account="bond", amount_fen=501)
    await provider.pay_out(idempotency_key="bond-1", shop_account="bond", amount_fen=500)


async def test_foreign_money_is_not_split_but_goes_back(
    provider: SandboxProvider, sandbox: SandboxControls, sale: Sale
) -> None:
    [txn] = await sandbox.pay(sale.reference, 8_800, "USD")
    with pytest.raises(ProviderRefused, match="currency_cannot_be_split"):
        await provider.release(
            idempotency_key=f"1:{txn}", provider_txn=txn, shop_account="usd", amount_fen=8_800, fee_fen=0
        )
    assert (await provider.refund(idempotency_key=f"2:{txn}", provider_txn=txn, amount_fen=8_800)).state == "succeeded"
    assert f"held/{txn} USD" not in await sandbox.balances()


@pytest.mark.parametrize("amount_fen", [0, -1, 10**13])
async def test_amounts_that_are_none_are_refused(
    provider: SandboxProvider, sandbox: SandboxControls, sale: Sale, amount_fen: int
) -> None:
    [txn] = await sandbox.pay(sale.reference)
    with pytest.raises(ProviderRefused, match="request_is_unreadable"):
        await provider.refund(idempotency_key=f"1:{txn}", provider_txn=txn, amount_fen=amount_fen)


async def test_an_unknown_payment_is_refused(provider: SandboxProvider) -> None:
    with pytest.raises(ProviderRefused, match="payment_is_unknown"):
        await provider.refund(idempotency_key="1", provider_txn="none", amount_fen=1)
