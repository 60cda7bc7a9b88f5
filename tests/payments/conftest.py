"""The real sandbox program as a child process, and what a test needs around it."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from itertools import count

import pytest

from fairkey.adapters.payments.sandbox import SandboxProvider, wall_clock_ms
from fairkey.adapters.payments.sandbox_controls import SandboxControls
from fairkey.adapters.payments.sandbox_process import sandbox_process
from payments_world import MINUTE_MS, SECRET, Receiver, Sale


@pytest.fixture(scope="session")
def sandbox_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the sandbox listens: one process for the run, stopped at its end."""
    state = tmp_path_factory.mktemp("sandbox") / "state.sqlite"
    with sandbox_process(SECRET, mode="test", state=state, more=["--first-pause-ms", "20"]) as url:
        yield url


@pytest.fixture
async def sandbox(sandbox_url: str) -> AsyncIterator[SandboxControls]:
    """Its controls; all goes well again after the test."""
    controls = SandboxControls(sandbox_url)
    try:
        yield controls
        await controls.go_well()
        await controls.settings(clock_offset_ms=0)
        await controls.balances()  # its own book must add up after every test
    finally:
        await controls.aclose()


@pytest.fixture
async def provider(sandbox_url: str) -> AsyncIterator[SandboxProvider]:
    """The adapter under test."""
    async with SandboxProvider(sandbox_url, SECRET.encode()) as provider:
        yield provider


@pytest.fixture
async def receiver(provider: SandboxProvider, sandbox: SandboxControls) -> AsyncIterator[Receiver]:
    """Somebody at our notification URL."""
    receiver = Receiver(provider)
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0)
    receiver.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/notify"
    await sandbox.settings(notify_url=receiver.url)
    async with server:
        yield receiver


_numbers = count(1)


@pytest.fixture
async def sale(provider: SandboxProvider, receiver: Receiver) -> Sale:
    """88.00 yuan asked for under a fresh reference."""
    reference = f"FK-{next(_numbers):04d}"
    opened = await provider.collect(
        reference=reference,
        amount_fen=8_800,
        subject="Steam 充值卡 100 元 × 1",
        expires_at_ms=wall_clock_ms() + 15 * MINUTE_MS,
        return_url="https://shop.example/orders/1",
        notify_url=receiver.url,
    )
    return Sale(reference, 8_800, opened.pay_url)
