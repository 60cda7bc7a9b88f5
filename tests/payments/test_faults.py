"""The two ways a call can fail that look the same to the caller: failed and not done, failed but done."""

import asyncio
from collections.abc import Awaitable, Callable

import httpx
import pytest

from fairkey.adapters.payments.sandbox import SandboxProvider
from fairkey.adapters.payments.sandbox_controls import SandboxControls
from fairkey.effects.ports import (
    Instruction,
    InstructionKind,
    InstructionNotice,
    ProviderIsUnreachable,
    ProviderRefused,
)
from payments_world import SECRET, Receiver, Sale
from sandbox_provider.faults import FaultRule, Faults
from sandbox_provider.state import State

Ask = Callable[[SandboxProvider, str], Awaitable[Instruction]]
ASKS: dict[InstructionKind, Ask] = {
    "refund": lambda provider, txn: provider.refund(idempotency_key=f"k{txn}", provider_txn=txn, amount_fen=800),
    "release": lambda provider, txn: provider.release(
        idempotency_key=f"k{txn}", provider_txn=txn, shop_account=f"s{txn}", amount_fen=700, fee_fen=100
    ),
    "payout": lambda provider, txn: provider.pay_out(idempotency_key=f"k{txn}", shop_account=f"p{txn}", amount_fen=600),
}


@pytest.fixture(params=list(ASKS))
def kind(request: pytest.FixtureRequest) -> InstructionKind:
    """Each kind of instruction in turn."""
    asked: InstructionKind = request.param
    return asked


@pytest.fixture
async def txn(sandbox: SandboxControls, receiver: Receiver, sale: Sale) -> str:
    """A payment to give instructions about, and 10 yuan in a sub-account; both are told already."""
    [txn] = await sandbox.pay(sale.reference)
    await receiver.next()
    await sandbox.top_up(f"shop/p{txn}", 1_000)
    return txn


FAULTS: dict[str, tuple[dict[str, object], bool]] = {
    "down": ({"kind": "down"}, False),
    "answer lost": ({"kind": "answer_lost"}, True),
}


@pytest.mark.parametrize(("rule", "done"), FAULTS.values(), ids=list(FAULTS))
async def test_an_unreachable_provider_may_or_may_not_have_done_it(
    provider: SandboxProvider,
    sandbox: SandboxControls,
    kind: InstructionKind,
    txn: str,
    rule: dict[str, object],
    done: bool,
) -> None:
    await sandbox.go_wrong({**rule, "times": 1, "reference": f"k{txn}"})
    before = await sandbox.balances()
    with pytest.raises(ProviderIsUnreachable):
        await ASKS[kind](provider, txn)
    known = await provider.query_instruction(kind, f"k{txn}")
    assert (known is not None) == done
    assert (await sandbox.balances() != before) == done
    again = await ASKS[kind](provider, txn)
    assert again.state == "succeeded"
    after = await sandbox.balances()
    assert await ASKS[kind](provider, txn) == again
    assert await sandbox.balances() == after


async def test_too_slow_is_unreachable_but_done(
    sandbox_url: str, provider: SandboxProvider, sandbox: SandboxControls, kind: InstructionKind, txn: str
) -> None:
    await sandbox.go_wrong({"kind": "slow", "delay_ms": 60_000, "times": 1, "reference": f"k{txn}"})
    async with SandboxProvider(sandbox_url, SECRET.encode(), timeout=httpx.Timeout(0.3)) as hasty:
        with pytest.raises(ProviderIsUnreachable, match="Timeout"):
            await ASKS[kind](hasty, txn)
    known = await provider.query_instruction(kind, f"k{txn}")
    assert known is not None
    assert await ASKS[kind](provider, txn) == known


async def test_a_refusal_is_final_for_this_asking(
    provider: SandboxProvider, sandbox: SandboxControls, kind: InstructionKind, txn: str
) -> None:
    await sandbox.go_wrong({"kind": "refuse", "reason": "account_is_frozen", "times": 1, "on": [kind]})
    with pytest.raises(ProviderRefused, match="account_is_frozen"):
        await ASKS[kind](provider, txn)
    assert await provider.query_instruction(kind, f"k{txn}") is None
    assert (await ASKS[kind](provider, txn)).state == "succeeded"


async def test_a_pending_instruction_holds_its_money_until_it_is_told(
    provider: SandboxProvider, sandbox: SandboxControls, receiver: Receiver, kind: InstructionKind, txn: str
) -> None:
    await sandbox.go_wrong({"kind": "stay_pending", "reference": f"k{txn}"})
    taken = await ASKS[kind](provider, txn)
    assert taken.state == "pending"
    assert (await sandbox.balances())[f"transit/{kind}/k{txn}"] > 0
    assert receiver.arrived.empty()
    assert await sandbox.drain(hurry=True) == 0
    told = await receiver.next()
    assert isinstance(told, InstructionNotice)
    assert (told.kind, told.idempotency_key, told.provider_ref) == (kind, f"k{txn}", taken.provider_ref)
    assert told.succeeded
    known = await provider.query_instruction(kind, f"k{txn}")
    assert known is not None
    assert known.state == "succeeded"
    assert f"transit/{kind}/k{txn}" not in await sandbox.balances()


@pytest.mark.parametrize("delay_ms", [0, 3_600_000])
async def test_a_failed_instruction_gives_its_money_back_where_it_was(
    provider: SandboxProvider,
    sandbox: SandboxControls,
    receiver: Receiver,
    kind: InstructionKind,
    txn: str,
    delay_ms: int,
) -> None:
    await sandbox.go_wrong(
        {"kind": "fail", "reference": f"k{txn}", "reason": "bank said no", "delay_ms": delay_ms, "times": 1}
    )
    before = await sandbox.balances()
    taken = await ASKS[kind](provider, txn)
    assert taken.state == ("pending" if delay_ms else "failed")
    assert await sandbox.drain(hurry=True) == 0
    told = await receiver.next()
    assert isinstance(told, InstructionNotice)
    assert (told.succeeded, told.reason) == (False, "bank said no")
    assert await sandbox.balances() == before
    # A final failure stays one under its key; a new key may try again.
    assert (await ASKS[kind](provider, txn)).state == "failed"


async def test_nothing_listens_there() -> None:
    async with SandboxProvider("http://127.0.0.1:1", SECRET.encode()) as nobody:
        with pytest.raises(ProviderIsUnreachable, match="ConnectError"):
            await nobody.query_payment("r")


async def test_with_another_secret_neither_side_believes_the_other(sandbox_url: str, sandbox: SandboxControls) -> None:
    async with SandboxProvider(sandbox_url, b"not the secret of the sandbox") as stranger:
        with pytest.raises(ProviderIsUnreachable, match="401"):
            await stranger.query_payment("r")


@pytest.mark.parametrize("status", [200, 422])
async def test_an_answer_somebody_else_gives_is_no_answer(status: int) -> None:
    async def imposter(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        said = b'{"payments":[],"error":"no","reason":"no"}'
        head = b"HTTP/1.1 %d x\r\nconnection: close\r\nsandbox-signature: t=1,v1=00\r\ncontent-length: %d\r\n\r\n"
        writer.write(head % (status, len(said)) + said)
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(imposter, "127.0.0.1", 0)
    async with server, SandboxProvider(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", SECRET.encode()) as us:
        with pytest.raises(ProviderIsUnreachable, match="not signed"):
            await us.query_payment("r")


async def test_a_stale_request_is_not_done(sandbox_url: str, provider: SandboxProvider, txn: str) -> None:
    async with SandboxProvider(sandbox_url, SECRET.encode(), now_ms=lambda: 1_700_000_000_000) as late:
        with pytest.raises(ProviderIsUnreachable, match="401"):
            await ASKS["refund"](late, txn)
    assert await provider.query_instruction("refund", f"k{txn}") is None


def test_chance_is_the_same_for_the_same_seed_whatever_the_order_of_subjects() -> None:
    def fates(seed: int, subjects: list[str]) -> dict[str, bool]:
        state = State(None)
        faults = Faults(state, seed)
        faults.add([FaultRule(kind="lose", probability=0.5)])
        struck = {subject: faults.draw("lose", "payment", subject) is not None for subject in subjects}
        state.close()
        return struck

    subjects = [f"order-{number}" for number in range(64)]
    assert fates(7, subjects) == fates(7, subjects[::-1])
    assert fates(7, subjects) != fates(8, subjects)
    assert 16 < sum(fates(7, subjects).values()) < 48
