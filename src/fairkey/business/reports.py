"""What a provider's notice becomes. Money that arrived is a fact: no notice is ever dropped."""

from .basics import CURRENCY, PLATFORM
from .escrow import RecordPayment
from .payments import RecordUnmatched


def report_of(
    *,
    reference_is_known: bool,
    shop_id: str,
    order_id: str,
    payment_id: str,
    provider: str,
    provider_txn: str,
    reference: str,
    amount_fen: int,
    currency: str,
    paid_at_ms: int,
) -> RecordPayment | RecordUnmatched:
    """The command that a provider's notice of money becomes: no notice is ever dropped."""
    if reference_is_known and currency == CURRENCY:
        return RecordPayment(
            shop_id=shop_id,
            order_id=order_id,
            provider=provider,
            provider_txn=provider_txn,
            amount_fen=amount_fen,
            paid_at_ms=paid_at_ms,
        )
    return RecordUnmatched(
        shop_id=PLATFORM,
        payment_id=payment_id,
        provider=provider,
        provider_txn=provider_txn,
        reference=reference,
        amount_fen=amount_fen,
        currency=currency,
        paid_at_ms=paid_at_ms,
    )
