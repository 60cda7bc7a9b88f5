"""Simulated worlds in the normal run; `./run disorder 1000` for the night. See `simulate.py`."""

import pytest

from fairkey.business import briefings, coupons, escrow
from fairkey.engine import perform
from simulation.simulate import run_seed


def test_simulated_worlds(seeds: range) -> None:
    figures: dict[str, int] = {}
    for seed in seeds:
        for name, value in run_seed(seed).items():
            figures[name] = figures.get(name, 0) + value
    print(figures)
    if len(seeds) >= 60:
        for seen in (
            "completed",
            "cancelled",
            "expired",
            "refunded",
            "partly_refunded",
            "failed_after",
            "failed_conflict",
        ):
            assert figures.get(seen), f"no world came to {seen}: the simulation looks away"


def test_a_world_is_the_same_again() -> None:
    assert run_seed(7) == run_seed(7)


# The simulation sees what is wrong: each of these bugs is found within a few worlds.


def found(worlds: int) -> bool:
    for seed in range(worlds):
        try:
            run_seed(seed)
        except Exception:  # noqa: BLE001 - any failure is a finding
            return True
    return False


@pytest.mark.parametrize(
    "bug",
    [
        "late money is kept",
        "a limit off by one",
        "a coupon is not given back",
        "a repeat is decided again",
        "codes vanish",
    ],
)
def test_a_bug_is_found(bug: str, monkeypatch: pytest.MonkeyPatch) -> None:
    match bug:
        case "late money is kept":
            monkeypatch.setattr(briefings, "PROTECTED", briefings.PROTECTED | {briefings.Stage.EXPIRED})
        case "a limit off by one":
            monkeypatch.setattr(perform, "is_unpaid", lambda facets: False)
        case "a coupon is not given back":
            evolve = coupons.evolve
            monkeypatch.setattr(
                coupons,
                "evolve",
                lambda coupon, event, at_ms: (
                    coupon if event.kind == "coupon.returned" else evolve(coupon, event, at_ms)
                ),
            )
        case "a repeat is decided again":
            decide = escrow.decide
            monkeypatch.setattr(
                escrow,
                "decide",
                lambda command, state, brief, at_ms: decide(
                    command, escrow.INITIAL if type(command) is escrow.RecordPayment else state, brief, at_ms
                ),
            )
        case "codes vanish":
            monkeypatch.setattr(perform._Desk, "_count", lambda *_: None)
    assert found(100)
