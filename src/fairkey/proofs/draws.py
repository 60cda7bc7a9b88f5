"""Drawing a panel so that nobody chooses it and anybody can draw it again.

The seed is the root of the first witnessed checkpoint that covers the entry in which the pool was published: when the
pool was fixed, nobody knew it. Seats are taken in order; each takes one of the members who fit it, all equally likely,
by SHA-256(seed, panel, counter) with rejection (no modulo bias). The order in which a pool is given changes nothing.
"""

from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Final, NamedTuple

DOMAIN: Final = b"fairkey panel draw v1\n"
EXPERT, SELLERS, BUYERS, ANY = "expert", "sellers", "buyers", "any"
SIDES: Final = (EXPERT, SELLERS, BUYERS)
LEVELS: Final = (3, 7, 17)
STANDBYS_PER_SEAT: Final = 2
_WORD_BITS: Final = 64


class PoolIsMalformed(Exception):
    """The pool's lines cannot be read. The argument is a sentence."""


class Member(NamedTuple):
    """One who may be drawn. Written `id side category,category`."""

    id: str
    side: str
    categories: tuple[str, ...]

    def line(self) -> str:
        """How the pool is published."""
        return f"{self.id} {self.side} {','.join(self.categories)}"


class Drawn(NamedTuple):
    """A seat or standby: who, for which stratum, and whether the stratum had nobody left so that anyone was taken."""

    member_id: str
    stratum: str
    by_rule: str  # "" as wanted | other_category: no expert of the category was left | any: nobody of the side was left


class Result(NamedTuple):
    """A drawn panel; standbys take vacant seats in this order, whatever the seat."""

    seats: tuple[Drawn, ...]
    standbys: tuple[Drawn, ...]


def read_pool(lines: Sequence[str]) -> tuple[Member, ...]:
    """The members of a published pool. Raises `PoolIsMalformed`."""
    members = []
    for line in lines:
        parts = line.split(" ")
        if len(parts) != 3 or parts[1] not in SIDES or not parts[0]:  # noqa: PLR2004 - id, side, categories
            raise PoolIsMalformed(f"a line of the pool cannot be read: {line[:80]}")
        members.append(Member(parts[0], parts[1], tuple(one for one in parts[2].split(",") if one)))
    if len({one.id for one in members}) != len(members):
        raise PoolIsMalformed("somebody stands in the pool twice")
    return tuple(members)


def pool_hash(lines: Sequence[str]) -> str:
    """SHA-256 (hex) of the sorted lines, each ended by a line feed."""
    return sha256("".join(f"{line}\n" for line in sorted(lines)).encode()).hexdigest()


def strata_of(level: int) -> tuple[str, ...]:
    """The stratum of each seat: 1 expert, 1 sellers' side, 1 buyers' side of three; 3, 2, 2 of seven; 7, 5, 5 of
    seventeen. The sides are always as many as each other.
    """
    sides = level // 3
    experts = level - 2 * sides
    return (EXPERT,) * experts + (SELLERS,) * sides + (BUYERS,) * sides


def draw(*, seed: bytes, panel_id: str, level: int, category: str, pool: Sequence[Member]) -> Result | None:
    """The seats and standbys; None when the pool has fewer members than seats. `seed`: the checkpoint's root hash."""
    if len(pool) < level:
        return None
    left = sorted(pool)
    numbers = _numbers(seed, panel_id)
    seats = tuple(_take(left, stratum, category, numbers) for stratum in strata_of(level))
    wanted = min(len(left), STANDBYS_PER_SEAT * level)
    standbys = tuple(_take(left, ANY, category, numbers) for _ in range(wanted))
    return Result(seats, standbys)


def _take(left: list[Member], stratum: str, category: str, numbers: Iterator[int]) -> Drawn:
    by_rule = ""
    fitting = left
    if stratum != ANY:
        fitting = [one for one in left if one.side == stratum]
        if stratum == EXPERT:
            of_category = [one for one in fitting if category in one.categories]
            if fitting and not of_category:
                by_rule = "other_category"
            fitting = of_category or fitting
        if not fitting:
            fitting, by_rule = left, "any"
    taken = fitting[_below(len(fitting), numbers)]
    left.remove(taken)
    return Drawn(taken.id, stratum, by_rule)


def _numbers(seed: bytes, panel_id: str) -> Iterator[int]:
    counter = 0
    while True:
        digest = sha256(DOMAIN + seed + panel_id.encode() + b"\n" + counter.to_bytes(8, "big")).digest()
        yield int.from_bytes(digest[: _WORD_BITS // 8], "big")
        counter += 1


def _below(count: int, numbers: Iterator[int]) -> int:
    """A number below `count`, all equally likely: what lies above the last whole multiple is thrown away."""
    limit = (1 << _WORD_BITS) // count * count
    return next(number for number in numbers if number < limit) % count
