"""Which statements issuers have sent: each id counts once, for one text."""

from collections.abc import Mapping
from typing import NamedTuple, Protocol


class Claimed(NamedTuple):
    """What was claimed before. `fresh`: ids nobody had used; `taken`: ids that stand for another text or holder."""

    fresh: frozenset[str]
    taken: frozenset[str]


class StatementIds(Protocol):
    """Ids of statements, by issuer; ids and texts as keyed hashes: equal for equal ones, telling nothing else."""

    async def known(self, issuer_id: str, ids: Mapping[str, bytes]) -> Claimed:
        """How these ids (with the hash of their text) stand, without claiming any."""

    async def claim(self, issuer_id: str, ids: Mapping[str, bytes]) -> Claimed:
        """Claim all that are fresh; if one is taken, none. Claiming again with the same text changes nothing."""
