"""What a provider's notice becomes. Money that arrived is a fact: no notice is ever dropped."""

from .basics import CURRENCY, PLATFORM, Command, Stream
from .deposits import RecordReturned, RecordSecured
from .escrow import RecordPayment, RecordRefund, RecordRelease
from .payments import RecordUnmatched, RecordUnmatchedRefund
from .payouts import RecordPayout
from .restoring import RecordRestored


def report_of(  # noqa: PLR0913 - the notice, spelled out
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


def report_of_instruction(
    what: str, stream: Stream, *, number: int, attempt: int, succeeded: bool, reason: str
) -> Command | None:
    """The command that a provider's report about one of our instructions becomes; `None` if we never give such."""
    match what, stream.kind:
        case "refund", "order":
            return RecordRefund(
                shop_id=stream.shop_id,
                order_id=stream.id,
                refund_no=number,
                attempt=attempt,
                succeeded=succeeded,
                reason=reason,
            )
        case "release", "order":
            return RecordRelease(
                shop_id=stream.shop_id,
                order_id=stream.id,
                release_no=number,
                attempt=attempt,
                succeeded=succeeded,
                reason=reason,
            )
        case "refund", "payment":
            return RecordUnmatchedRefund(
                shop_id=stream.shop_id, payment_id=stream.id, attempt=attempt, succeeded=succeeded, reason=reason
            )
        case "restore", "order":
            return RecordRestored(
                shop_id=stream.shop_id,
                order_id=stream.id,
                restore_no=number,
                attempt=attempt,
                succeeded=succeeded,
                reason=reason,
            )
        case "release", "deposit":
            return RecordSecured(
                shop_id=stream.shop_id, top_up_no=number, attempt=attempt, succeeded=succeeded, reason=reason
            )
        case "refund", "deposit":
            return RecordReturned(
                shop_id=stream.shop_id, return_no=number, attempt=attempt, succeeded=succeeded, reason=reason
            )
        case "payout", "payout":
            return RecordPayout(shop_id=stream.shop_id, payout_id=stream.id, succeeded=succeeded, reason=reason)
        case _:
            return None
