"""Whatever outages there are and however often a clock is looked at: never earlier, never more than 72 hours."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from fairkey.business.basics import HOUR_MS
from fairkey.business.stopping import STANDS_MAX_MS, KnownOutage, Running, Stop, standing, stood_ms, stopped

START_MS = 10_000 * HOUR_MS  # when the clock begins; the moment 0 would say that an outage lasts


@st.composite
def outages(draw: st.DrawFn) -> list[KnownOutage]:
    """Of two issuers; those of one do not overlap; the last of each may last."""
    found = []
    for issuer in ("a", "b"):
        behind = -200
        for number in range(1, draw(st.integers(0, 3)) + 1):
            began = behind + draw(st.integers(0, 120))
            behind = began + draw(st.integers(0, 120))
            found.append(
                KnownOutage(
                    issuer_id=issuer,
                    outage_no=number,
                    began_at_ms=START_MS + began * HOUR_MS,
                    ended_at_ms=START_MS + behind * HOUR_MS,
                )
            )
    return found


def seen_at(all_of_them: list[KnownOutage], at_ms: int) -> list[KnownOutage]:
    """What is known at a moment: what has begun, and its end when that has come."""
    return [
        one if one.ended_at_ms <= at_ms else replace(one, ended_at_ms=0)
        for one in all_of_them
        if one.began_at_ms <= at_ms
    ]


@given(outages(), st.lists(st.integers(0, 400), max_size=12), st.integers(0, 72), st.integers(1, 168))
def test_a_clock_stands_for_what_both_lasted(
    all_of_them: list[KnownOutage], looks: list[int], elsewhere_h: int, length_h: int
) -> None:
    elsewhere_ms = elsewhere_h * HOUR_MS
    clock = Running(clock="answer", since_ms=START_MS, due_at_ms=START_MS + length_h * HOUR_MS)
    first_due_ms, stops = clock.due_at_ms, list[Stop]()
    for at in sorted([*looks, 400, 401, 402]):
        at_ms = START_MS + at * HOUR_MS
        known = seen_at(all_of_them, at_ms)
        for one in stopped(clock, stops, known, elsewhere_ms, at_ms):
            if one.until_ms:
                assert one.due_at_ms >= clock.due_at_ms, "a deadline never moves earlier"
                assert one.due_at_ms - clock.due_at_ms == one.by_ms
                clock = replace(clock, due_at_ms=one.due_at_ms)
            stops.append(one)
        assert stopped(clock, stops, known, elsewhere_ms, at_ms) == [], "looking twice is looking once"
    assert stood_ms(stops) + elsewhere_ms <= max(STANDS_MAX_MS, elsewhere_ms)
    assert clock.due_at_ms - first_due_ms == stood_ms(stops)
    assert standing(clock, stops) is None, "in the end every clock runs again"
    done = [(one.issuer_id, one.outage_no) for one in stops if one.until_ms]
    assert len(done) == len(set(done)), "one fact for an outage and a clock"
    covered = {hour for one in all_of_them for hour in range(one.began_at_ms // HOUR_MS, one.ended_at_ms // HOUR_MS)}
    assert stood_ms(stops) <= len([hour for hour in covered if hour * HOUR_MS >= START_MS]) * HOUR_MS
