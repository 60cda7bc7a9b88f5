"""The draw: fair, the same for everybody, blind to the order of the pool, and always by its strata or by the rule."""

from collections import Counter
from hashlib import sha256
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairkey.business.panels import count
from fairkey.proofs.draws import ANY, LEVELS, SIDES, Member, PoolIsMalformed, draw, pool_hash, read_pool, strata_of

CHI_SQUARE_MAX_29 = 58.3  # 29 degrees of freedom, p = 0.001
PANEL = "01990000-0000-8000-9000-0000000000aa"

members = st.lists(
    st.builds(
        Member,
        st.uuids().map(str),
        st.sampled_from(SIDES),
        st.lists(st.sampled_from(["games", "software", "members"]), unique=True).map(tuple),
    ),
    max_size=40,
    unique_by=lambda one: one.id,
)


def a_pool(size: int) -> list[Member]:
    """So many of each side, all of one category."""
    return [Member(f"{number:04d}", side, ("games",)) for number, side in enumerate(SIDES * size)]


def seed_of(number: int) -> bytes:
    return sha256(b"root %d" % number).digest()


def test_everybody_of_a_side_is_drawn_equally_often() -> None:
    pool = a_pool(30)
    drawn = Counter[str]()
    rounds = 3_000
    for number in range(rounds):
        result = draw(seed=seed_of(number), panel_id=PANEL, level=3, category="games", pool=pool)
        assert result is not None
        drawn.update(seat.member_id for seat in result.seats)
    for side in SIDES:
        of_side = [drawn[one.id] for one in pool if one.side == side]
        expected = rounds / len(of_side)
        assert sum((seen - expected) ** 2 / expected for seen in of_side) < CHI_SQUARE_MAX_29


@given(members, st.sampled_from(LEVELS), st.integers(0, 2**32), st.randoms(use_true_random=False))
@settings(max_examples=80, deadline=None)
def test_the_order_of_the_pool_changes_nothing(pool: list[Member], level: int, number: int, random: Random) -> None:
    first = draw(seed=seed_of(number), panel_id=PANEL, level=level, category="games", pool=pool)
    mixed = list(pool)
    random.shuffle(mixed)
    assert draw(seed=seed_of(number), panel_id=PANEL, level=level, category="games", pool=mixed) == first


@given(members, st.sampled_from(LEVELS), st.integers(0, 2**32))
@settings(max_examples=80, deadline=None)
def test_each_seat_is_of_its_stratum_or_says_by_which_rule_not(pool: list[Member], level: int, number: int) -> None:
    result = draw(seed=seed_of(number), panel_id=PANEL, level=level, category="games", pool=pool)
    if len(pool) < level:
        assert result is None
        return
    assert result is not None
    by_id = {one.id: one for one in pool}
    taken = [*result.seats, *result.standbys]
    assert len({one.member_id for one in taken}) == len(taken)
    assert [seat.stratum for seat in result.seats] == list(strata_of(level))
    left = set(by_id)
    for seat in result.seats:
        who = by_id[seat.member_id]
        if seat.by_rule == "any":
            assert all(by_id[one].side != seat.stratum for one in left)
        else:
            assert who.side == seat.stratum
        if seat.by_rule == "other_category":
            assert all("games" not in by_id[one].categories for one in left if by_id[one].side == seat.stratum)
        elif seat.stratum == "expert" and not seat.by_rule:
            assert "games" in who.categories
        left.remove(seat.member_id)
    assert all(one.stratum == ANY for one in result.standbys)


@pytest.mark.parametrize(("level", "sides"), [(3, 1), (7, 2), (17, 5)])
def test_the_sides_are_always_as_many_as_each_other(level: int, sides: int) -> None:
    counted = Counter(strata_of(level))
    assert (counted["sellers"], counted["buyers"], counted["expert"]) == (sides, sides, level - 2 * sides)


def test_another_root_or_panel_draws_another_panel() -> None:
    pool = a_pool(30)
    drawn = {
        draw(seed=seed_of(number), panel_id=panel, level=7, category="games", pool=pool)
        for number in range(5)
        for panel in (PANEL, PANEL[:-1] + "b")
    }
    assert len(drawn) == 10


def test_a_pool_reads_back_and_a_double_entry_is_refused() -> None:
    lines = [one.line() for one in a_pool(3)]
    assert list(read_pool(lines)) == a_pool(3)
    assert pool_hash(lines) == pool_hash(list(reversed(lines)))
    with pytest.raises(PoolIsMalformed):
        read_pool([*lines, lines[0]])


@given(st.lists(st.integers(0, 1_000), min_size=1, max_size=17))
def test_no_count_of_votes_is_a_tie_and_every_refund_was_somebodys(refunds: list[int]) -> None:
    result = count(tuple((no, refund_fen, "R05a") for no, refund_fen in enumerate(refunds, 1)), 1_000)
    assert result.for_buyer != result.for_shop
    assert result.refund_fen in refunds
    assert bool(result.refund_fen) == (result.for_buyer > result.for_shop)


@pytest.mark.parametrize(("share", "worst"), [(0.05, 0.02), (0.15, 0.10), (0.30, 0.27)])
def test_a_ring_wins_a_panel_of_three_no_oftener_than_chance_lets_it(share: float, worst: float) -> None:
    """A majority of three seats is needed: 3p²(1-p) + p³, and an appeal to 17 makes it rarer."""
    size = 40
    ring = {one.id for number, one in enumerate(a_pool(size)) if (number // 3) < share * size}
    won = {3: 0, 17: 0}
    rounds = 600
    for number in range(rounds):
        for level in won:
            result = draw(seed=seed_of(number), panel_id=PANEL, level=level, category="games", pool=a_pool(size))
            assert result is not None
            won[level] += 2 * sum(seat.member_id in ring for seat in result.seats) > level
    assert won[3] / rounds <= worst
    assert won[17] <= won[3]
