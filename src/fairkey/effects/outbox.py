"""The outbox: what must still be done outside, who does it now, and what came of each attempt."""

from dataclasses import dataclass
from typing import Protocol

from fairkey.business.basics import MINUTE_MS, SECOND_MS, Stream

LEASE_MS = 2 * MINUTE_MS  # how long a claimed effect belongs to its claimer; longer than any provider call may take
BACK_OFF_FIRST_MS = 2 * SECOND_MS
BACK_OFF_MAX_MS = 15 * MINUTE_MS
ASK_AGAIN_MS = 30 * SECOND_MS  # an accepted instruction whose confirmation did not come: ask, at first so soon


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """One effect that its claimer has to do now. `attempts` counts this one; `sent`: the provider took it before."""

    stream: Stream
    kind: str
    key: str
    payload: dict[str, object]
    attempts: int
    sent: bool


class NotYet(Exception):
    """What an effect waits for is not there yet: take it up again at `at_ms`."""

    def __init__(self, at_ms: int) -> None:
        super().__init__(at_ms)
        self.at_ms = at_ms


class Outbox(Protocol):
    """Rows of effects. A claim is a lease: if its holder dies, the row comes up again."""

    async def claim(self, now_ms: int, rows_max: int) -> list[Waiting]:
        """Take what is due; nobody else gets it until the lease ends."""

    async def done(self, waiting: Waiting, now_ms: int) -> None:
        """It is finished."""

    async def sent(self, waiting: Waiting, now_ms: int) -> None:
        """The provider accepted it; ask again later unless its report comes first."""

    async def failed(self, waiting: Waiting, now_ms: int, error: str) -> None:
        """It will never work as it is; shown to the operator."""

    async def not_yet(self, waiting: Waiting, at_ms: int) -> None:
        """Nothing was tried and nothing went wrong: take it up again at that moment."""

    async def later(self, waiting: Waiting, now_ms: int, error: str) -> None:
        """It did not work; try again after a back-off."""


def back_off_ms(attempts: int) -> int:
    """How long to wait after the `attempts`th try: doubling, bounded."""
    return min(BACK_OFF_FIRST_MS << min(attempts, 16), BACK_OFF_MAX_MS)
