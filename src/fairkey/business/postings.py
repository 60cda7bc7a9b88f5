"""The ledger: which event moves how much from where to where. Every row is one debit and one credit of equal amount.

`provider_clearing` is what the provider holds for us (an asset: debits raise it); all other accounts are what is owed
(credits raise them). No balance is ever below zero.
"""

from enum import StrEnum
from typing import NamedTuple

from . import deposit_events, escrow, liquidations, payments, payouts, pool, restoring
from .basics import CURRENCY, Event


class Account(StrEnum):
    """Ledger accounts, per shop and currency."""

    PROVIDER_CLEARING = "provider_clearing"
    ESCROW = "escrow"
    SHOP_PENDING = "shop_pending"
    SHOP_AVAILABLE = "shop_available"
    PLATFORM_FEE = "platform_fee"
    REFUND_PAYABLE = "refund_payable"
    PAYOUT_PAYABLE = "payout_payable"
    UNMATCHED = "unmatched"
    DEPOSIT_COMING = "deposit_coming"
    DEPOSIT_FREE = "deposit_free"
    DEPOSIT_LOCKED = "deposit_locked"
    STAKE = "stake"
    GUARANTEE_POOL = "guarantee_pool"
    ARBITRATION = "arbitration"


ASSETS = frozenset({Account.PROVIDER_CLEARING})


class Posting(NamedTuple):
    """One ledger row."""

    debit: Account
    credit: Account
    amount_fen: int
    currency: str = CURRENCY


def postings_of(event: Event) -> list[Posting]:
    """The rows that `event` writes."""
    match event:
        case escrow.PaymentReceived():
            return [Posting(Account.PROVIDER_CLEARING, Account.ESCROW, event.amount_fen)]
        case escrow.RefundRequested(attempt=1):
            return [Posting(Account.ESCROW, Account.REFUND_PAYABLE, event.amount_fen)]
        case escrow.PaymentRefunded():
            return [Posting(Account.REFUND_PAYABLE, Account.PROVIDER_CLEARING, event.amount_fen)]
        case escrow.PaymentReleased(attempt=1):
            rows = [
                Posting(Account.ESCROW, Account.SHOP_PENDING, event.shop_fen),
                Posting(Account.ESCROW, Account.PLATFORM_FEE, event.fee_fen),
            ]
            return [row for row in rows if row.amount_fen]
        case escrow.StakeKept():
            return [Posting(Account.PLATFORM_FEE, Account.ARBITRATION, event.amount_fen)]
        case escrow.PaymentSettled(shop_fen=shop_fen) if shop_fen:
            return [Posting(Account.SHOP_PENDING, Account.SHOP_AVAILABLE, shop_fen)]
        case payouts.PayoutRequested():
            return [Posting(Account.SHOP_AVAILABLE, Account.PAYOUT_PAYABLE, event.amount_fen)]
        case payouts.PaidOut():
            return [Posting(Account.PAYOUT_PAYABLE, Account.PROVIDER_CLEARING, event.amount_fen)]
        case payouts.PayoutFailed():
            return [Posting(Account.PAYOUT_PAYABLE, Account.SHOP_AVAILABLE, event.amount_fen)]
        case payouts.PayoutArrived():
            return [Posting(Account.SHOP_AVAILABLE, Account.PROVIDER_CLEARING, event.amount_fen)]
        case payouts.PayoutReturned():
            return [Posting(Account.PROVIDER_CLEARING, Account.SHOP_AVAILABLE, event.amount_fen)]
        case payments.PaymentUnmatched():
            return [Posting(Account.PROVIDER_CLEARING, Account.UNMATCHED, event.amount_fen, event.currency)]
        case payments.UnmatchedRefundRequested(attempt=1):
            return [Posting(Account.UNMATCHED, Account.REFUND_PAYABLE, event.amount_fen, event.currency)]
        case payments.UnmatchedRefunded():
            return [Posting(Account.REFUND_PAYABLE, Account.PROVIDER_CLEARING, event.amount_fen, event.currency)]
        case _:
            return _of_deposits(event)


def _of_deposits(event: Event) -> list[Posting]:
    """Between a shop and the pool money passes through clearing: each ledger row belongs to one shop."""
    match event:
        case deposit_events.DepositToppedUp(attempt=1):
            rows = [Posting(Account.PROVIDER_CLEARING, Account.DEPOSIT_COMING, event.amount_fen)]
        case deposit_events.DepositSecured():
            rows = [Posting(Account.DEPOSIT_COMING, Account.DEPOSIT_FREE, event.amount_fen)]
        case deposit_events.DepositDeducted():
            rows = [
                Posting(Account.DEPOSIT_FREE, Account.REFUND_PAYABLE, event.refund_fen),
                Posting(Account.DEPOSIT_FREE, Account.PROVIDER_CLEARING, event.penalty_fen),
            ]
        case deposit_events.OwedCollected():
            rows = [Posting(Account.DEPOSIT_FREE, Account.PROVIDER_CLEARING, event.amount_fen)]
        case deposit_events.StakeLocked():
            rows = [Posting(Account.DEPOSIT_FREE, Account.STAKE, event.amount_fen)]
        case deposit_events.StakeReturned():
            rows = [Posting(Account.STAKE, Account.DEPOSIT_FREE, event.amount_fen)]
        case deposit_events.StakeForfeited():
            rows = [Posting(Account.STAKE, Account.PROVIDER_CLEARING, event.amount_fen)]
        case deposit_events.ReleaseRequested():
            rows = [Posting(Account.DEPOSIT_FREE, Account.DEPOSIT_LOCKED, event.amount_fen)]
        case deposit_events.ReleaseCut():
            rows = [Posting(Account.DEPOSIT_LOCKED, Account.DEPOSIT_FREE, event.amount_fen)]
        case deposit_events.DepositReleased(attempt=1):
            rows = [Posting(Account.DEPOSIT_LOCKED, Account.PAYOUT_PAYABLE, event.amount_fen)]
        case deposit_events.DepositReturned():
            rows = [Posting(Account.PAYOUT_PAYABLE, Account.PROVIDER_CLEARING, event.amount_fen)]
        case liquidations.KeptForClaims():
            rows = [Posting(Account.PROVIDER_CLEARING, Account.DEPOSIT_LOCKED, event.amount_fen)]
        case liquidations.DepositShared():
            rows = [Posting(Account.DEPOSIT_LOCKED, Account.PROVIDER_CLEARING, event.rest_fen)]
        case liquidations.SharePaid():
            rows = [Posting(Account.DEPOSIT_LOCKED, Account.REFUND_PAYABLE, event.share_fen)]
        case pool.PoolFunded() | pool.PoolTook():
            rows = [Posting(Account.PROVIDER_CLEARING, Account.GUARANTEE_POOL, event.amount_fen)]
        case pool.PoolPaid():
            rows = [Posting(Account.GUARANTEE_POOL, Account.PROVIDER_CLEARING, event.amount_fen)]
        case restoring.PaymentRestoring(attempt=1, source="pool"):
            rows = [Posting(Account.PROVIDER_CLEARING, Account.REFUND_PAYABLE, event.amount_fen)]
        case restoring.PaymentRestored():
            rows = [Posting(Account.REFUND_PAYABLE, Account.PROVIDER_CLEARING, event.amount_fen)]
        case _:
            return []
    return [row for row in rows if row.amount_fen]
