"""Settled money that a shop draws to its own account at the provider."""

from typing import assert_never

from msgspec import Struct
from msgspec.structs import replace

from .basics import Command, Event, InstructionState, Refusal, invariant, require, require_text

PAYOUT_MIN_FEN = 100


class PayoutRequested(Event, frozen=True):
    """The shop asked; the money left its available balance."""

    kind = "payment.payout_requested"
    amount_fen: int
    attempt: int


class PaidOut(Event, frozen=True):
    """The provider confirmed."""

    kind = "payment.paid_out"
    amount_fen: int


class PayoutFailed(Event, frozen=True):
    """The provider refused; the money is available again."""

    kind = "payment.payout_failed"
    sealed = frozenset({"reason"})
    amount_fen: int
    reason: str


class PayoutContradicted(Event, frozen=True):
    """After its end the provider reports the other one; no money moves until the operator has seen his statement."""

    kind = "payment.payout_contradicted"
    amount_fen: int
    succeeded: bool


class PayoutArrived(Event, frozen=True):
    """It had failed, and arrived after all: the statement says so. The sum leaves the balance again."""

    kind = "payment.payout_arrived"
    sealed = frozenset({"reason"})
    amount_fen: int
    reason: str


class PayoutReturned(Event, frozen=True):
    """It had arrived, and came back: the statement says so. The sum is available again."""

    kind = "payment.payout_returned"
    sealed = frozenset({"reason"})
    amount_fen: int
    reason: str


PayoutEvent = PayoutRequested | PaidOut | PayoutFailed | PayoutContradicted | PayoutArrived | PayoutReturned


class RequestPayout(Command, frozen=True):
    """Draw `amount_fen`."""

    payout_id: str
    amount_fen: int


class RecordPayout(Command, frozen=True):
    """A provider's report."""

    payout_id: str
    succeeded: bool
    reason: str = ""


class SettlePayout(Command, frozen=True):
    """Operator, with the provider's statement before him: the second end is the true one. `reason`: where it stands."""

    payout_id: str
    reason: str


PayoutCommand = RequestPayout | RecordPayout | SettlePayout


class BalanceIsTooLow(Refusal):
    """Details: available_fen."""


class PayoutAccountIsMissing(Refusal):
    """The shop has not said where its money shall go."""


class PayoutAccountIsNew(Refusal):
    """After a change of account the first payout waits. Details: payable_at_ms."""


class PayoutWasRequested(Refusal):
    """A payout is requested once."""


class PayoutIsNotContradicted(Refusal):
    """There is one end, or the second was settled."""


class FundsBriefing(Struct, frozen=True, kw_only=True):
    """What the shop may draw and whether it has an account to draw to."""

    available_fen: int
    has_payout_account: bool
    payable_from_ms: int = 0


class Payout(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One payout."""

    amount_fen: int = 0
    state: InstructionState | None = None
    requested_at_ms: int = 0
    ended_at_ms: int = 0
    contradicted_at_ms: int = 0
    settled_at_ms: int = 0


INITIAL = Payout()


def decide(command: PayoutCommand, payout: Payout, brief: FundsBriefing | None, at_ms: int) -> list[Event]:
    """What follows from `command` for this payout, or a `Refusal`."""
    match command:
        case RequestPayout():
            assert brief is not None
            if payout.state is not None:
                raise PayoutWasRequested
            require(command.amount_fen >= PAYOUT_MIN_FEN, "amount_fen", "too_small")
            if not brief.has_payout_account:
                raise PayoutAccountIsMissing
            if at_ms < brief.payable_from_ms:
                raise PayoutAccountIsNew(payable_at_ms=brief.payable_from_ms)
            if command.amount_fen > brief.available_fen:
                raise BalanceIsTooLow(available_fen=brief.available_fen)
            return [PayoutRequested(amount_fen=command.amount_fen, attempt=1)]
        case RecordPayout():
            invariant(payout.state is not None, "the provider reports on a payout we asked for")
            if payout.state is not InstructionState.ASKED:
                return _second_end(payout, succeeded=command.succeeded)
            if command.succeeded:
                return [PaidOut(amount_fen=payout.amount_fen)]
            return [PayoutFailed(amount_fen=payout.amount_fen, reason=command.reason)]
        case SettlePayout():
            assert brief is not None
            if not payout.contradicted_at_ms or payout.settled_at_ms:
                raise PayoutIsNotContradicted
            require_text(command.reason, "reason", 2_000, 5)
            if payout.state is InstructionState.DONE:
                return [PayoutReturned(amount_fen=payout.amount_fen, reason=command.reason)]
            if payout.amount_fen > brief.available_fen:
                raise BalanceIsTooLow(available_fen=brief.available_fen)
            return [PayoutArrived(amount_fen=payout.amount_fen, reason=command.reason)]
        case _:
            assert_never(command)


def _second_end(payout: Payout, *, succeeded: bool) -> list[Event]:
    """A repeat is nothing. The other end is not believed, since a notice says no time and may be an old one. It is
    noted once, for the operator.
    """
    if succeeded == (payout.state is InstructionState.DONE) or payout.contradicted_at_ms:
        return []
    return [PayoutContradicted(amount_fen=payout.amount_fen, succeeded=succeeded)]


def evolve(payout: Payout, event: PayoutEvent, at_ms: int) -> Payout:
    """The payout after `event`."""
    match event:
        case PayoutRequested():
            return Payout(amount_fen=event.amount_fen, state=InstructionState.ASKED, requested_at_ms=at_ms)
        case PaidOut():
            return replace(payout, state=InstructionState.DONE, ended_at_ms=at_ms)
        case PayoutFailed():
            return replace(payout, state=InstructionState.FAILED, ended_at_ms=at_ms)
        case PayoutContradicted():
            return replace(payout, contradicted_at_ms=at_ms)
        case PayoutArrived():
            return replace(payout, state=InstructionState.DONE, ended_at_ms=at_ms, settled_at_ms=at_ms)
        case PayoutReturned():
            return replace(payout, state=InstructionState.FAILED, ended_at_ms=at_ms, settled_at_ms=at_ms)
        case _:
            assert_never(event)
