"""Each benchmark runs tiny and gives the figures that it promises; the command line prints them as one object, last."""

import json
from typing import Any

import pytest

from fairkey import bench

pytestmark = [pytest.mark.pg, pytest.mark.slow]


def figures_of(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    figures: dict[str, Any] = json.loads(json.dumps(bench.run(words[0], [*words[1:], "--json"])))
    assert not capsys.readouterr().out, "with --json the object is all that is printed, by the command line"
    return figures


@pytest.mark.timeout(300)
def test_orders_stands_beside_pgbench_and_the_engine_alone(capsys: pytest.CaptureFixture[str]) -> None:
    figures = figures_of(capsys, "orders", "--codes", "2000", "--orders", "100", "--rounds", "1", "--buyers", "8")

    rates = ("orders_per_s", "pgbench_per_s", "ratio", "engine_per_s", "engine_ratio", "pgbench_apart_per_s")
    assert all(figures[name] > 0 for name in (*rates, "p50_ms", "p99_ms", "start_s"))
    assert figures["codes"] == 2000
    assert set(figures["p99_ms_by_call"]) == {"place", "callback", "reveal"}
    assert {"http_server", "http_database", "http_load_generator", "engine_process", "pgbench_database"} <= set(
        figures["cpu_us_per_order"]
    )


@pytest.mark.timeout(300)
def test_import_tells_codes_a_second(capsys: pytest.CaptureFixture[str]) -> None:
    figures = figures_of(capsys, "import", "--codes", "2000", "--runs", "1")

    assert figures["codes_per_s"] > 0
    assert figures["codes"] == 2000


@pytest.mark.timeout(600)
@pytest.mark.parametrize("kill", [(), ("--kill",)], ids=["undisturbed", "killed at random"])
def test_in_a_race_nobody_loses_an_order(capsys: pytest.CaptureFixture[str], kill: tuple[str, ...]) -> None:
    words = ("--processes", "2", "--orders", "12", "--codes", "9", "--seed", "3", *kill)
    figures = figures_of(capsys, "race", *words)

    wanted = {"delivered": 12, "duplicates": 0, "paid_without_code": 0, "stuck": 0, "refunded": 0}
    assert {name: figures[name] for name in wanted} == wanted
    assert figures["scarce"] == wanted | {"delivered": 9, "refunded": 3}
    assert figures["findings"] == []
    assert figures["audit_ok"]


@pytest.mark.timeout(300)
def test_log_stands_beside_plain_hashing_and_stays_flat(capsys: pytest.CaptureFixture[str]) -> None:
    figures = figures_of(capsys, "log", "--entries", "22000", "--events", "600", "--receipts", "2")

    assert all(figures[name] > 0 for name in ("events_per_s", "sha256_per_s", "flat_ratio", "verify_per_s"))
    assert 0 < figures["receipt_p50_ms"] <= figures["receipt_p99_ms"]
    assert 22_000 <= figures["entries"] <= 22_010  # the bench's own world has a few events
    assert figures["files_a_proof"] <= 4


def test_sealing_stands_beside_plain_hashing_in_constant_memory(capsys: pytest.CaptureFixture[str]) -> None:
    figures = figures_of(capsys, "seal", "--mib", "96", "--rounds", "1")

    assert all(figures[f"{name}_mib_per_s"] > 0 for name in ("plain_sha256", "hashed", "moved", "added", "cp"))
    assert figures["peak_mib_sealing_all"] < figures["peak_mib_sealing_32_mib"] + 48
