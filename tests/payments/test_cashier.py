"""The cashier as a buyer's browser meets it, and who may control the sandbox."""

import re
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from fairkey.adapters.payments.sandbox import SandboxProvider, wall_clock_ms
from fairkey.adapters.payments.sandbox_controls import SandboxControls
from fairkey.adapters.payments.sandbox_process import SandboxDidNotStart, running_sandbox
from payments_world import MINUTE_MS, SECRET, Receiver, Sale


@pytest.fixture
async def browser(sandbox_url: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=sandbox_url, trust_env=False) as browser:
        yield browser


async def test_a_buyer_pays_once_however_often_the_button_is_pressed(
    browser: httpx.AsyncClient, provider: SandboxProvider, sale: Sale
) -> None:
    page = await browser.get(sale.pay_url)
    assert page.status_code == 200
    for words in ("沙箱 SANDBOX", "不是真钱", "88.00", "Steam 充值卡 100 元 × 1", sale.reference, "Pay now"):
        assert words in page.text
    policy = page.headers["content-security-policy"]
    assert "script-src 'self'" in policy
    assert "form-action 'self' https://shop.example;" in policy
    for _ in range(2):
        paid = await browser.post(sale.pay_url, data={"way": "exact"})
        assert (paid.status_code, paid.headers["location"]) == (303, "https://shop.example/orders/1")
    assert len(await provider.query_payment(sale.reference)) == 1
    again = await browser.get(sale.pay_url)
    assert "已支付" in again.text
    assert "<form" not in again.text


@pytest.mark.parametrize(
    ("way", "amounts"),
    [
        ("short", [(8_700, "CNY")]),
        ("over", [(8_900, "CNY")]),
        ("twice", [(8_800, "CNY")] * 2),
        ("dollars", [(8_800, "USD")]),
        ("anything else", [(8_800, "CNY")]),
    ],
)
async def test_a_buyer_may_pay_wrongly_on_purpose(
    browser: httpx.AsyncClient, provider: SandboxProvider, sale: Sale, way: str, amounts: list[tuple[int, str]]
) -> None:
    await browser.post(sale.pay_url, data={"way": way})
    assert [(p.amount_fen, p.currency) for p in await provider.query_payment(sale.reference)] == amounts


async def test_after_its_time_nothing_is_taken(
    browser: httpx.AsyncClient, provider: SandboxProvider, sandbox: SandboxControls, sale: Sale
) -> None:
    await sandbox.settings(clock_offset_ms=16 * MINUTE_MS)
    page = await browser.get(sale.pay_url)
    assert "付款时间已过" in page.text
    assert "<form" not in page.text
    late = await browser.post(sale.pay_url, data={"way": "exact"})
    assert late.headers["location"] == f"/cashier/{sale.reference}"
    await sandbox.settings(clock_offset_ms=0)
    assert await provider.query_payment(sale.reference) == ()


async def test_an_unknown_reference_has_a_page_of_its_own(browser: httpx.AsyncClient) -> None:
    page = await browser.get("/cashier/<script>alert(1)</script>".replace("/s", "%2Fs"))
    assert page.status_code == 404
    assert "<script>alert" not in page.text


async def test_what_a_merchant_wrote_stays_text(
    browser: httpx.AsyncClient, provider: SandboxProvider, receiver: Receiver
) -> None:
    opened = await provider.collect(
        reference="html",
        amount_fen=1,
        subject="<img src=x onerror=alert(1)>'\"&",
        expires_at_ms=wall_clock_ms() + MINUTE_MS,
        return_url="https://shop.example/?a=1&b=%22",
        notify_url=receiver.url,
    )
    for page in (await browser.get(opened.pay_url), await browser.get("/cashier")):
        assert "<img src=x" not in page.text
        assert "&lt;img src=x" in page.text


async def test_the_admin_page_shows_money_faults_and_attempts(
    browser: httpx.AsyncClient, sandbox: SandboxControls, receiver: Receiver, sale: Sale
) -> None:
    await sandbox.go_wrong({"kind": "forge", "reference": sale.reference, "attempts": 1})
    receiver.answers = [(400, b"<b>forged</b>")]
    await sandbox.pay(sale.reference)
    assert await sandbox.drain() == 0
    page = await browser.get("/admin")
    assert page.status_code == 200
    assert "&lt;b&gt;forged&lt;/b&gt;" in page.text
    assert sale.reference in page.text
    number = re.search(r"/admin/notices/(\d+)/send-again", page.text)
    assert number is not None
    assert (await browser.post(number.group(0))).status_code == 303


@pytest.mark.parametrize(
    "target", ["/control/pay", "/control/faults", "/control/settings", "/admin/notices/1/send-again"]
)
async def test_another_sites_page_controls_nothing(browser: httpx.AsyncClient, target: str) -> None:
    answer = await browser.post(target, json={}, headers={"sec-fetch-site": "cross-site"})
    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("target", "body", "status"),
    [
        ("/control/pay", '{"reference":"never opened"}', 400),
        ("/control/pay", '{"reference":"never-opened"}', 404),
        ("/control/pay", '{"reference":"x","amount_fen":0}', 400),
        ("/control/faults", '{"rules":[{"kind":"explode"}]}', 400),
        ("/control/faults", '{"rules":[{"kind":"delay","delay":1}]}', 400),
        ("/control/top-up", '{"account":"held/1","amount_fen":1}', 422),
        ("/control/settings", "not json", 400),
        ("/v1/refunds", "{}", 401),
    ],
)
async def test_bad_words_are_refused_plainly(browser: httpx.AsyncClient, target: str, body: str, status: int) -> None:
    answer = await browser.post(target, content=body)
    assert (answer.status_code, set(answer.json())) == (status, {"error", "reason"})


async def test_a_body_too_large_is_refused(browser: httpx.AsyncClient) -> None:
    answer = await browser.post("/v1/refunds", content=b"x" * 100_000)
    assert answer.status_code == 413


def start(*words: str, mode: str | None = None) -> subprocess.CompletedProcess[str]:
    environment = {"PYTHONPATH": str(Path(__file__).parents[2] / "src"), "SANDBOX_PROVIDER_SECRET": SECRET}
    return subprocess.run(
        [sys.executable, "-m", "sandbox_provider", "--stop-with-stdin", *words],
        stdin=subprocess.DEVNULL,
        env=environment | ({"FAIRKEY_MODE": mode} if mode else {}),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("words", "mode"), [((), None), ((), "production"), (("--mode", "demo"), "production"), (("--mode", "live"), None)]
)
def test_it_does_not_start_where_money_is_real(words: tuple[str, ...], mode: str | None) -> None:
    ended = start(*words, mode=mode)
    assert ended.returncode == 2
    assert "url" not in ended.stdout


def test_it_does_not_start_with_a_short_secret() -> None:
    ended = start("--mode", "test", "--secret", "short")
    assert ended.returncode == 2
    assert "at least 16" in ended.stderr


def test_it_says_where_it_listens_and_stops_when_its_input_closes() -> None:
    ended = start("--mode", "test")
    assert ended.returncode == 0, ended.stderr
    assert re.fullmatch(r'\{"provider": "sandbox", "url": "http://127\.0\.0\.1:\d+"\}\n', ended.stdout)


async def test_money_rules_and_what_is_not_told_yet_outlive_a_restart(tmp_path: Path, receiver: Receiver) -> None:
    state = tmp_path / "state.sqlite"
    async with running_sandbox(SECRET, mode="test", state=state, notify_url=receiver.url) as first:
        await first.go_wrong({"kind": "delay", "times": 1, "delay_ms": 3_600_000})
        [txn] = await first.pay("kept", 500)
        assert await first.drain(timeout_s=0) == 1
    async with running_sandbox(SECRET, mode="test", state=state) as second:
        assert (await second.balances())[f"held/{txn}"] == 500
        assert await second.drain(hurry=True) == 0
        assert (await receiver.next()).amount_fen == 500
        [second_txn] = await second.pay("kept", 500)
        assert second_txn != txn


async def test_a_sandbox_that_cannot_start_says_so(tmp_path: Path) -> None:
    with pytest.raises(SandboxDidNotStart):
        async with running_sandbox(SECRET, mode="live", state=tmp_path / "state.sqlite"):
            pytest.fail("it started")
