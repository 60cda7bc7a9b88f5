"""The ledger: which event moves how much from where to where. Every row is one debit and one credit of equal amount.

`provider_clearing` is what the provider holds for us (an asset: debits raise it); all other accounts are what is owed
(credits raise them). No balance is ever below zero.
"""

from enum import StrEnum
from typing import NamedTuple

from . import escrow, payments, payouts
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
        case escrow.PaymentSettled(shop_fen=shop_fen) if shop_fen:
            return [Posting(Account.SHOP_PENDING, Account.SHOP_AVAILABLE, shop_fen)]
        case payouts.PayoutRequested():
            return [Posting(Account.SHOP_AVAILABLE, Account.PAYOUT_PAYABLE, event.amount_fen)]
        case payouts.PaidOut():
            return [Posting(Account.PAYOUT_PAYABLE, Account.PROVIDER_CLEARING, event.amount_fen)]
        case payouts.PayoutFailed():
            return [Posting(Account.PAYOUT_PAYABLE, Account.SHOP_AVAILABLE, event.amount_fen)]
        case payments.PaymentUnmatched():
            return [Posting(Account.PROVIDER_CLEARING, Account.UNMATCHED, event.amount_fen, event.currency)]
        case payments.UnmatchedRefundRequested(attempt=1):
            return [Posting(Account.UNMATCHED, Account.REFUND_PAYABLE, event.amount_fen, event.currency)]
        case payments.UnmatchedRefunded():
            return [Posting(Account.REFUND_PAYABLE, Account.PROVIDER_CLEARING, event.amount_fen, event.currency)]
        case _:
            return []
