"""Joint cases: people who were cheated by the same shop find each other, by their own wish, and name two to speak.

Whoever has not joined sees nothing. Who has joined sees how many there are, and from three persons on what they paid in
all, between which days, and what went wrong. What a person releases goes to the two representatives alone.
"""

from typing import Final, Protocol

from msgspec import Struct

from fairkey.business.basics import Refusal
from fairkey.casework.joint.claims import Claim
from fairkey.casework.joint.shops import ShopIdentity

SHOWN_FROM: Final = 3
GROUP_MAX: Final = 200


class JointIsNotReady(Refusal):
    """The group cannot do this now. Details: `why` (joined_twice, full, not_joined, not_released, choice, not_agreed,
    not_chosen, changed).
    """


class Speaker(Struct, frozen=True, kw_only=True):
    """Somebody who is ready to speak for all, by the name that he released."""

    case_id: str
    name: str


class Group(Struct, frozen=True, kw_only=True):
    """What a member sees. Sums, days and problems are empty below three persons. `chosen`: what he himself chose;
    `agreed`: the two whom all who released chose, or empty.
    """

    members: int
    released: int
    amount_fen: int = 0
    first_at_ms: int = 0
    last_at_ms: int = 0
    problems: tuple[tuple[str, int], ...] = ()
    has_released: bool = False
    speaks: bool = False
    speakers: tuple[Speaker, ...] = ()
    chosen: tuple[str, ...] = ()
    agreed: tuple[str, ...] = ()
    may_pack: bool = False


class Released(Struct, frozen=True, kw_only=True):
    """What one person released. `release_id` changes when he releases anew."""

    case_id: str
    account_id: str
    release_id: str
    with_pack: bool
    claim: Claim


class Bundle(Struct, frozen=True, kw_only=True):
    """Everything released in a group, in the order of joining, and the numbers (from 1) of its representatives."""

    released: tuple[Released, ...]
    representatives: tuple[int, ...]


class JointRoom(Protocol):
    """Groups of cases by shop. Every method takes the case by its owner; `NotFound` for anybody else's."""

    async def group(self, account_id: str, case_id: str) -> Group | None:
        """What the member sees; None when this case has not joined."""

    async def join(self, account_id: str, case_id: str, shop: ShopIdentity, claim: Claim) -> None:
        """Join those with the same shop; of the claim only problem, amount and day are kept. Twice is once.

        Raises `JointIsNotReady`.
        """

    async def leave(self, account_id: str, case_id: str) -> None:
        """Leave, and take back everything; at any time, and twice is once."""

    async def release(self, account_id: str, case_id: str, claim: Claim, *, speaks: bool, with_pack: bool) -> None:
        """Release a statement for the representatives, in place of an earlier one. Raises `JointIsNotReady`."""

    async def take_back(self, account_id: str, case_id: str) -> None:
        """Take the statement back and stay in the group."""

    async def choose(self, account_id: str, case_id: str, pair: tuple[str, ...]) -> None:
        """Name two of those who are ready to speak. Raises `JointIsNotReady`."""

    async def bundle(self, account_id: str, case_id: str) -> Bundle:
        """What was released, for an agreed representative alone. Raises `JointIsNotReady`."""

    async def require_unchanged(self, account_id: str, case_id: str, bundle: Bundle) -> None:
        """Nobody took anything back meanwhile. Raises `JointIsNotReady`."""
