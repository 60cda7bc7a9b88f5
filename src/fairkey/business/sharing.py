"""Dividing what is there among claims that exceed it: in proportion, in whole fen, to the last one."""

from collections.abc import Mapping


def shares_of(there_fen: int, claims: Mapping[str, int]) -> dict[str, int]:
    """What each claim gets of `there_fen`, in fen, in the order of `claims`.

    All of it where it suffices. Else each gets there × claim ÷ all claims rounded down, and the fen that are left go,
    one each, to the largest remainders; of equal remainders to the smaller key (Hamilton's method). So the shares sum
    to `there_fen` exactly, and no share exceeds its claim.
    """
    whole_fen = sum(claims.values())
    if whole_fen <= there_fen:
        return dict(claims)
    shares = {key: there_fen * fen // whole_fen for key, fen in claims.items()}
    left_fen = there_fen - sum(shares.values())
    by_remainder = sorted(claims, key=lambda key: (-(there_fen * claims[key] % whole_fen), key))
    for key in by_remainder[:left_fen]:
        shares[key] += 1
    return shares
