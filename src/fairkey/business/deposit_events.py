"""What happens to a shop's deposit; the rules are in `deposits`."""

from .basics import Event


class DepositAgreed(Event, frozen=True):
    """The shop accepted this version of the deposit terms."""

    kind = "deposit.agreed"
    version: str


class TopUpAsked(Event, frozen=True):
    """The shop wants to pay in; the provider collects under a reference made of `top_up_id`."""

    kind = "deposit.top_up_asked"
    top_up_id: str
    amount_fen: int
    expires_at_ms: int


class DepositToppedUp(Event, frozen=True):
    """Money for the deposit arrived; the provider is told to keep it in custody (`attempt` counts the tellings)."""

    kind = "deposit.topped_up"
    top_up_no: int
    top_up_id: str
    provider: str
    provider_txn: str
    amount_fen: int
    attempt: int


class DepositSecured(Event, frozen=True):
    """The provider keeps top-up `top_up_no` in custody: it counts from now."""

    kind = "deposit.secured"
    top_up_no: int
    amount_fen: int


class DepositNotSecured(Event, frozen=True):
    """The provider finally refused to keep it; an operator must act."""

    kind = "deposit.not_secured"
    sealed = frozenset({"reason"})
    top_up_no: int
    reason: str


class DepositDeducted(Event, frozen=True):
    """A ruling took from the deposit: `refund_fen` to the buyer, `penalty_fen` to the pool; `short_fen` of the refund
    and `owed_fen` of the penalty were not there. The sums are what this ruling added for the order.
    """

    kind = "deposit.deducted"
    order_id: str
    ruling_no: int
    row: str
    refund_fen: int
    penalty_fen: int
    short_fen: int
    owed_fen: int


class OwedCollected(Event, frozen=True):
    """Of what rulings about an order took and did not find, so much was taken out of a later top-up, for the pool."""

    kind = "deposit.owed_collected"
    order_id: str
    amount_fen: int


class StakeLocked(Event, frozen=True):
    """The shop stakes this on a panel."""

    kind = "deposit.stake_locked"
    panel_id: str
    amount_fen: int


class StakeReturned(Event, frozen=True):
    """The shop won: its stake is free again."""

    kind = "deposit.stake_returned"
    panel_id: str
    amount_fen: int


class StakeForfeited(Event, frozen=True):
    """The shop lost: its stake goes to the pool."""

    kind = "deposit.stake_forfeited"
    panel_id: str
    amount_fen: int


class ReleaseRequested(Event, frozen=True):
    """The shop wants `amount_fen` back; it is locked until the notice ends."""

    kind = "deposit.release_requested"
    release_no: int
    amount_fen: int
    due_at_ms: int


class ReleaseCut(Event, frozen=True):
    """A ruling, or what is still unsettled, needs `amount_fen` of a release that waits: it is free deposit again."""

    kind = "deposit.release_cut"
    release_no: int
    amount_fen: int


class DepositReleased(Event, frozen=True):
    """The notice is over: `amount_fen` of top-up `provider_txn` goes back to where it came from."""

    kind = "deposit.released"
    return_no: int
    release_no: int
    provider: str
    provider_txn: str
    amount_fen: int
    attempt: int


class DepositReturned(Event, frozen=True):
    """The provider confirmed that return."""

    kind = "deposit.returned"
    return_no: int
    amount_fen: int


class DepositNotReturned(Event, frozen=True):
    """The provider finally refused; the money stays owed and an operator must act."""

    kind = "deposit.not_returned"
    sealed = frozenset({"reason"})
    return_no: int
    reason: str


DepositEvent = (
    DepositAgreed | TopUpAsked | DepositToppedUp | DepositSecured | DepositNotSecured | DepositDeducted | OwedCollected
    | StakeLocked | StakeReturned | StakeForfeited | ReleaseRequested | ReleaseCut | DepositReleased | DepositReturned
    | DepositNotReturned
)  # fmt: skip
