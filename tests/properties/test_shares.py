"""Shares of a deposit: they sum to it exactly, nobody gets more than he claims, the order of claims changes nothing."""

from fractions import Fraction
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from fairkey.business.sharing import shares_of

CLAIMS = st.dictionaries(st.uuids().map(str), st.integers(1, 10**7), max_size=40)


@given(there_fen=st.integers(0, 10**8), claims=CLAIMS, more=st.integers(0, 10**6))
def test_shares(there_fen: int, claims: dict[str, int], more: int) -> None:
    shares = shares_of(there_fen, claims)
    whole = sum(claims.values())
    assert list(shares) == list(claims)
    assert sum(shares.values()) == min(there_fen, whole)
    assert all(0 <= shares[key] <= claims[key] for key in claims)
    if whole > there_fen:
        assert all(abs(shares[key] - Fraction(there_fen * claims[key], whole)) < 1 for key in claims)
    assert shares_of(there_fen, dict(reversed(claims.items()))) == shares
    larger = shares_of(there_fen + more, claims)
    assert sum(larger.values()) >= sum(shares.values())
    by_size = sorted(claims, key=lambda key: claims[key])
    assert all(shares[low] <= shares[high] + 1 for low, high in pairwise(by_size))
