"""Money that belongs to no order we know: held apart, visible to the operator, and back to its payer in seven days."""

from typing import assert_never

from msgspec import Struct
from msgspec.structs import replace

from .basics import CURRENCY, DAY_MS, Command, Event, InstructionState, Refusal, invariant

HELD_FOR_MS = 7 * DAY_MS


class PaymentUnmatched(Event, frozen=True):
    """Money with an unknown reference, or in a currency that no order has."""

    kind = "payment.unmatched"
    sealed = frozenset({"reference"})
    provider: str
    provider_txn: str
    reference: str
    amount_fen: int
    currency: str
    paid_at_ms: int


class UnmatchedRefundRequested(Event, frozen=True):
    """It goes back to its payer."""

    kind = "payment.unmatched_refund_requested"
    provider: str
    provider_txn: str
    amount_fen: int
    currency: str
    by: str
    attempt: int


class UnmatchedRefunded(Event, frozen=True):
    """The provider confirmed."""

    kind = "payment.unmatched_refunded"
    amount_fen: int
    currency: str


class UnmatchedRefundFailed(Event, frozen=True):
    """The provider finally refused; an operator must act."""

    kind = "payment.unmatched_refund_failed"
    sealed = frozenset({"reason"})
    reason: str


PaymentsEvent = PaymentUnmatched | UnmatchedRefundRequested | UnmatchedRefunded | UnmatchedRefundFailed


class RecordUnmatched(Command, frozen=True):
    """A provider's report, never refused."""

    payment_id: str
    provider: str
    provider_txn: str
    reference: str
    amount_fen: int
    currency: str
    paid_at_ms: int


class RefundUnmatched(Command, frozen=True):
    """Operator: send it back now (again, if the provider had refused)."""

    payment_id: str


class ReturnUnmatched(Command, frozen=True):
    """Clock: nobody claimed it in seven days."""

    payment_id: str


class RecordUnmatchedRefund(Command, frozen=True):
    """A provider's report about the refund, asked for the `attempt`th time."""

    payment_id: str
    attempt: int
    succeeded: bool
    reason: str = ""


PaymentsCommand = RecordUnmatched | RefundUnmatched | ReturnUnmatched | RecordUnmatchedRefund


class AlreadyOnItsWayBack(Refusal):
    """The refund was asked for before."""


class Unmatched(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One unmatched payment; `refund` is empty until it is sent back."""

    provider: str = ""
    provider_txn: str = ""
    amount_fen: int = 0
    currency: str = CURRENCY
    received_at_ms: int = 0
    refund: InstructionState | None = None
    attempt: int = 0


INITIAL = Unmatched()


def decide(command: PaymentsCommand, unmatched: Unmatched, brief: None, at_ms: int) -> list[Event]:
    """What follows from `command` for this payment, or a `Refusal`."""
    match command:
        case RecordUnmatched():
            if unmatched.provider_txn:
                return []
            return [
                PaymentUnmatched(
                    provider=command.provider,
                    provider_txn=command.provider_txn,
                    reference=command.reference,
                    amount_fen=command.amount_fen,
                    currency=command.currency,
                    paid_at_ms=command.paid_at_ms,
                )
            ]
        case RefundUnmatched():
            if not unmatched.provider_txn or unmatched.refund in (InstructionState.ASKED, InstructionState.DONE):
                raise AlreadyOnItsWayBack
            return [_refund(unmatched, "operator")]
        case ReturnUnmatched():
            if not unmatched.provider_txn or unmatched.refund or at_ms < unmatched.received_at_ms + HELD_FOR_MS:
                raise AlreadyOnItsWayBack
            return [_refund(unmatched, "clock")]
        case RecordUnmatchedRefund():
            invariant(unmatched.refund is not None, "the provider reports on a refund we asked for")
            if unmatched.refund is InstructionState.DONE:
                return []
            if command.succeeded:
                return [UnmatchedRefunded(amount_fen=unmatched.amount_fen, currency=unmatched.currency)]
            if unmatched.refund is InstructionState.FAILED or command.attempt != unmatched.attempt:
                return []
            return [UnmatchedRefundFailed(reason=command.reason)]
        case _:
            assert_never(command)


def _refund(unmatched: Unmatched, by: str) -> UnmatchedRefundRequested:
    return UnmatchedRefundRequested(
        provider=unmatched.provider,
        provider_txn=unmatched.provider_txn,
        amount_fen=unmatched.amount_fen,
        currency=unmatched.currency,
        by=by,
        attempt=unmatched.attempt + 1,
    )


def evolve(unmatched: Unmatched, event: PaymentsEvent, at_ms: int) -> Unmatched:
    """The payment after `event`."""
    match event:
        case PaymentUnmatched():
            return Unmatched(
                provider=event.provider,
                provider_txn=event.provider_txn,
                amount_fen=event.amount_fen,
                currency=event.currency,
                received_at_ms=at_ms,
            )
        case UnmatchedRefundRequested():
            return replace(unmatched, refund=InstructionState.ASKED, attempt=event.attempt)
        case UnmatchedRefunded():
            return replace(unmatched, refund=InstructionState.DONE)
        case UnmatchedRefundFailed():
            return replace(unmatched, refund=InstructionState.FAILED)
        case _:
            assert_never(event)
