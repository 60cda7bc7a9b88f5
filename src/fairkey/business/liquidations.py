"""The deposit of a vanished shop is kept for claims about what it settled before (FK-AF-1, R18), and then divided.

Until `CLAIMS_WITHIN_MS` have passed buyers may claim; then the claims are paid, in proportion where they exceed what
was kept, and what is missing out of the guarantee pool under its caps. What nobody claimed goes to the pool.
"""

from typing import assert_never

from msgspec import Struct
from msgspec.structs import replace

from .basics import DAY_MS, Command, Event, Refusal, invariant
from .sharing import shares_of

CLAIMS_WITHIN_MS = 30 * DAY_MS


class Share(Struct, frozen=True, kw_only=True):
    """What one claim gets out of the deposit, in fen; `short_fen` is missing."""

    order_id: str
    row: str
    claim_fen: int
    share_fen: int

    @property
    def short_fen(self) -> int:
        """What the deposit does not pay."""
        return self.claim_fen - self.share_fen


class KeptForClaims(Event, frozen=True):
    """So much of a vanished shop's deposit is kept for claims until `until_ms`; `order_id`: of the ruling by R18."""

    kind = "deposit.kept_for_claims"
    order_id: str
    amount_fen: int
    until_ms: int


class Claimed(Event, frozen=True):
    """A buyer's claim about an order that was settled before counts: `claim_fen` by this row and case."""

    kind = "deposit.claimed"
    order_id: str
    row: str
    claim_fen: int


class DepositShared(Event, frozen=True):
    """The time for claims is over: what was kept is divided; `rest_fen` that nobody claimed goes to the pool."""

    kind = "deposit.shared"
    kept_fen: int
    shares: tuple[Share, ...]
    rest_fen: int


class SharePaid(Event, frozen=True):
    """One claim is paid: `share_fen` out of the deposit; `short_fen` the pool is asked for."""

    kind = "deposit.share_paid"
    order_id: str
    row: str
    share_fen: int
    short_fen: int


LiquidationEvent = KeptForClaims | Claimed | DepositShared | SharePaid


class KeepForClaims(Command, frozen=True):
    """Inner: the shop has vanished (0 fen: there may be claims), or a ruling by R18 took this from its deposit."""

    order_id: str
    amount_fen: int


class NoteClaim(Command, frozen=True):
    """Inner: a buyer's claim was found good."""

    order_id: str
    row: str
    claim_fen: int


class ShareDeposit(Command, frozen=True):
    """Clock: the time for claims is over."""


class PayShare(Command, frozen=True):
    """The engine: pay one claim its share, once."""

    order_id: str


LiquidationCommand = KeepForClaims | NoteClaim | ShareDeposit | PayShare


class ClaimsAreOver(Refusal):
    """The time for claims about this shop is over, or never began. Details: until_ms."""


class SharingIsNotDue(Refusal):
    """There is still time for claims. Details: due_at_ms."""


class Liquidation(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is kept of the deposit, who claims it, and the shares that are still to be paid. `until_ms` 0: no claims."""

    kept_fen: int = 0
    until_ms: int = 0
    claims: dict[str, int] = {}
    rows: dict[str, str] = {}
    unpaid: tuple[Share, ...] = ()
    paid_fen: int = 0

    @property
    def left_fen(self) -> int:
        """What lies here: kept, or divided and not yet paid."""
        return self.kept_fen + sum(one.share_fen for one in self.unpaid)


INITIAL = Liquidation()


def decide(command: LiquidationCommand, liquidation: Liquidation, brief: None, at_ms: int) -> list[Event]:
    """What follows from `command` for this shop's deposit, or a `Refusal`."""
    match command:
        case KeepForClaims():
            invariant(command.amount_fen >= 0, "what is kept is not negative")
            until_ms = liquidation.until_ms or at_ms + CLAIMS_WITHIN_MS
            if not command.amount_fen and liquidation.until_ms:
                return []
            return [KeptForClaims(order_id=command.order_id, amount_fen=command.amount_fen, until_ms=until_ms)]
        case NoteClaim():
            invariant(command.claim_fen > 0, "a claim is positive")
            if not at_ms < liquidation.until_ms:
                raise ClaimsAreOver(until_ms=liquidation.until_ms)
            if command.order_id in liquidation.claims:
                return []
            return [Claimed(order_id=command.order_id, row=command.row, claim_fen=command.claim_fen)]
        case ShareDeposit():
            if not liquidation.until_ms or at_ms < liquidation.until_ms:
                raise SharingIsNotDue(due_at_ms=liquidation.until_ms)
            return [_shared(liquidation)]
        case PayShare():
            return [
                SharePaid(order_id=one.order_id, row=one.row, share_fen=one.share_fen, short_fen=one.short_fen)
                for one in liquidation.unpaid
                if one.order_id == command.order_id
            ]
        case _:
            assert_never(command)


def _shared(liquidation: Liquidation) -> DepositShared:
    shares = shares_of(liquidation.kept_fen, liquidation.claims)
    return DepositShared(
        kept_fen=liquidation.kept_fen,
        shares=tuple(
            Share(order_id=order_id, row=liquidation.rows[order_id], claim_fen=claim_fen, share_fen=shares[order_id])
            for order_id, claim_fen in liquidation.claims.items()
        ),
        rest_fen=liquidation.kept_fen - sum(shares.values()),
    )


def evolve(liquidation: Liquidation, event: LiquidationEvent, at_ms: int) -> Liquidation:
    """After `event`."""
    del at_ms
    match event:
        case KeptForClaims():
            return replace(liquidation, kept_fen=liquidation.kept_fen + event.amount_fen, until_ms=event.until_ms)
        case Claimed():
            return replace(
                liquidation,
                claims=liquidation.claims | {event.order_id: event.claim_fen},
                rows=liquidation.rows | {event.order_id: event.row},
            )
        case DepositShared():
            unpaid = (*liquidation.unpaid, *event.shares)
            return replace(liquidation, kept_fen=0, until_ms=0, claims={}, rows={}, unpaid=unpaid)
        case SharePaid():
            unpaid = tuple(one for one in liquidation.unpaid if one.order_id != event.order_id)
            return replace(liquidation, unpaid=unpaid, paid_fen=liquidation.paid_fen + event.share_fen)
        case _:
            assert_never(event)
