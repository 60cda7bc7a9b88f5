"""Paying a buyer back after his money went to the shop: his own payment is refunded, out of a deposit or the pool.

At the provider this is one refund of the payment he made, with the split returned from the custody account (Alipay
`alipay.trade.refund`, `refund_royalty_parameters`; WeChat Pay: 分账回退, then refund).
"""

from typing import assert_never

from msgspec import Struct
from msgspec.structs import replace

from .basics import Command, Event, InstructionState, Refusal, invariant


class PaymentRestoring(Event, frozen=True):
    """`amount_fen` of payment `provider_txn` goes back to its payer out of `source`: deposit or pool."""

    kind = "payment.restoring"
    restore_no: int
    provider: str
    provider_txn: str
    amount_fen: int
    source: str
    attempt: int


class PaymentRestored(Event, frozen=True):
    """The provider confirmed."""

    kind = "payment.restored"
    restore_no: int
    amount_fen: int


class RestoreFailed(Event, frozen=True):
    """The provider finally refused; the money stays owed and an operator must act."""

    kind = "payment.restore_failed"
    sealed = frozenset({"reason"})
    restore_no: int
    reason: str


RestoringEvent = PaymentRestoring | PaymentRestored | RestoreFailed


class RestorePayment(Command, frozen=True):
    """Inner: pay the order's payer `amount_fen` out of `source`."""

    order_id: str
    amount_fen: int
    source: str


class RecordRestored(Command, frozen=True):
    """A provider's report."""

    order_id: str
    restore_no: int
    attempt: int
    succeeded: bool
    reason: str = ""


class RetryRestore(Command, frozen=True):
    """Operator: tell the provider again."""

    order_id: str
    restore_no: int


RestoringCommand = RestorePayment | RecordRestored | RetryRestore


class NothingToRestore(Refusal):
    """Only a refused restoring can be repeated."""


class Payable(Struct, frozen=True, kw_only=True):
    """A payment of the order and what of it did not go back by escrow."""

    provider: str
    provider_txn: str
    amount_fen: int


class PaymentsBriefing(Struct, frozen=True, kw_only=True):
    """The order's payments, oldest first."""

    payments: tuple[Payable, ...]


class One(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One instruction."""

    restore_no: int
    provider: str
    provider_txn: str
    amount_fen: int
    source: str
    attempt: int = 1
    state: InstructionState = InstructionState.ASKED


class Restored(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All of an order."""

    all: tuple[One, ...] = ()


INITIAL = Restored()


def decide(command: RestoringCommand, restored: Restored, brief: PaymentsBriefing | None, at_ms: int) -> list[Event]:
    """What follows from `command`, or a `Refusal`."""
    del at_ms
    match command:
        case RestorePayment():
            assert brief is not None
            return _restore(command, restored, brief)
        case RecordRestored():
            known = _find(restored, command.restore_no)
            invariant(known is not None, "the provider reports on what we asked for")
            assert known is not None
            if known.state is InstructionState.DONE:
                return []
            if command.succeeded:
                return [PaymentRestored(restore_no=known.restore_no, amount_fen=known.amount_fen)]
            if known.state is InstructionState.FAILED or command.attempt != known.attempt:
                return []
            return [RestoreFailed(restore_no=known.restore_no, reason=command.reason)]
        case RetryRestore():
            stuck = _find(restored, command.restore_no)
            if stuck is None or stuck.state is not InstructionState.FAILED:
                raise NothingToRestore
            return [_telling(stuck, stuck.attempt + 1)]
        case _:
            assert_never(command)


def _restore(command: RestorePayment, restored: Restored, brief: PaymentsBriefing) -> list[Event]:
    left_fen = command.amount_fen
    events: list[Event] = []
    for one in reversed(brief.payments):
        before_fen = sum(known.amount_fen for known in restored.all if known.provider_txn == one.provider_txn)
        part_fen = min(left_fen, one.amount_fen - before_fen)
        if part_fen > 0:
            left_fen -= part_fen
            new = One(
                restore_no=len(restored.all) + len(events) + 1,
                provider=one.provider,
                provider_txn=one.provider_txn,
                amount_fen=part_fen,
                source=command.source,
            )
            events.append(_telling(new, 1))
    invariant(left_fen == 0, "nobody gets back more than he paid")
    return events


def _telling(one: One, attempt: int) -> PaymentRestoring:
    return PaymentRestoring(
        restore_no=one.restore_no,
        provider=one.provider,
        provider_txn=one.provider_txn,
        amount_fen=one.amount_fen,
        source=one.source,
        attempt=attempt,
    )


def _find(restored: Restored, restore_no: int) -> One | None:
    return next((one for one in restored.all if one.restore_no == restore_no), None)


def evolve(restored: Restored, event: RestoringEvent, at_ms: int) -> Restored:
    """After `event`."""
    del at_ms
    match event:
        case PaymentRestoring() if event.attempt > 1:
            return _with(restored, event.restore_no, InstructionState.ASKED, event.attempt)
        case PaymentRestoring():
            new = One(
                restore_no=event.restore_no,
                provider=event.provider,
                provider_txn=event.provider_txn,
                amount_fen=event.amount_fen,
                source=event.source,
            )
            return Restored(all=(*restored.all, new))
        case PaymentRestored():
            return _with(restored, event.restore_no, InstructionState.DONE)
        case RestoreFailed():
            return _with(restored, event.restore_no, InstructionState.FAILED)
        case _:
            assert_never(event)


def _with(restored: Restored, restore_no: int, state: InstructionState, attempt: int = 0) -> Restored:
    return Restored(
        all=tuple(
            replace(one, state=state, attempt=attempt or one.attempt) if one.restore_no == restore_no else one
            for one in restored.all
        )
    )
