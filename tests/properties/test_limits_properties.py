"""Rate limits under a virtual clock: never more than promised, never less, never without bound."""

from hypothesis import given
from hypothesis import strategies as st

from fairkey.gates.limits import RATES, Buckets, Rate

SOME = Rate(burst=5, refill_ms=1_000)
waits_ms = st.lists(st.integers(min_value=0, max_value=5_000), min_size=1, max_size=80)


@given(waits_ms)
def test_in_any_window_at_most_the_burst_and_what_refilled(gaps_ms: list[int]) -> None:
    buckets = Buckets({"x": SOME})
    now_ms, passed_at_ms = 0, []
    for gap_ms in gaps_ms:
        now_ms += gap_ms
        if buckets.take("x", "me", now_ms) == 0:
            passed_at_ms.append(now_ms)
    for first, start_ms in enumerate(passed_at_ms):
        for last in range(first, len(passed_at_ms)):
            assert last - first + 1 <= SOME.burst + (passed_at_ms[last] - start_ms) / SOME.refill_ms


@given(waits_ms)
def test_who_waits_as_long_as_told_is_let_in_and_not_a_moment_sooner(gaps_ms: list[int]) -> None:
    buckets = Buckets({"x": SOME})
    now_ms = 0
    for gap_ms in gaps_ms:
        now_ms += gap_ms
        wait_ms = buckets.take("x", "me", now_ms)
        if wait_ms:
            assert buckets.take("x", "me", now_ms + wait_ms - 1) == 1
            now_ms += wait_ms
            assert buckets.take("x", "me", now_ms) == 0


@given(waits_ms)
def test_a_patient_caller_never_waits(gaps_ms: list[int]) -> None:
    buckets = Buckets({"x": SOME})
    now_ms = 0
    for gap_ms in gaps_ms:
        now_ms += gap_ms + SOME.refill_ms
        assert buckets.take("x", "me", now_ms) == 0


@given(st.lists(st.integers(min_value=-10_000, max_value=1_000), min_size=1, max_size=80))
def test_a_clock_that_steps_back_gives_nothing_twice(steps_ms: list[int]) -> None:
    buckets = Buckets({"x": SOME})
    now_ms, latest_ms, passed = 0, 0, 0
    for step_ms in steps_ms:
        now_ms += step_ms
        latest_ms = max(latest_ms, now_ms)
        passed += buckets.take("x", "me", now_ms) == 0
    # The first call sets the time at which the bucket was full, at the earliest the lowest the clock ever showed.
    assert passed <= SOME.burst + (latest_ms - min(0, steps_ms[0])) / SOME.refill_ms


@given(st.lists(st.integers(min_value=0, max_value=1_000), max_size=300))
def test_memory_is_bounded_and_callers_do_not_disturb_each_other(callers: list[int]) -> None:
    buckets = Buckets({"x": SOME}, buckets_max=20)
    for caller in callers:
        buckets.take("x", str(caller), 0)
    assert len(buckets) <= 20
    assert buckets.take("x", "somebody new", 0) == 0


def test_factor_zero_lifts_limits_and_other_factors_scale_them() -> None:
    assert all(Buckets({"x": SOME}, factor=0).take("x", "me", 0) == 0 for _ in range(100))
    double = Buckets({"x": SOME}, factor=2)
    assert [double.take("x", "me", 0) for _ in range(11)] == [0] * 10 + [500]


def test_every_class_lets_a_person_work() -> None:
    for name, rate in RATES.items():
        assert rate.burst >= 5, name


def test_a_clock_that_steps_back_costs_nobody_anything() -> None:
    buckets = Buckets({"x": SOME})
    assert [buckets.take("x", "me", now_ms) for now_ms in (60_000, 0, 0, 0, 0)] == [0] * 5
    assert buckets.take("x", "me", 0) == 1_000
