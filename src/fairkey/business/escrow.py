"""Money of one order, held between buyer and shop. What came in leaves once: back to its payer, or to the shop.

Every payment is recorded before anything is judged. A refund names the payment it pays back, so money can only go
to where it came from; a release goes to the order's shop, less the platform's fee.
"""

from typing import assert_never

from msgspec import Struct
from msgspec.structs import replace

from .basics import Command, Event, InstructionState, Refusal, invariant


class PaymentReceived(Event, frozen=True):
    """The provider reports money for this order."""

    kind = "payment.received"
    provider: str
    provider_txn: str
    amount_fen: int
    paid_at_ms: int


class PaymentSurplus(Event, frozen=True):
    """More came than the order can take; `why` is surplus, second, late or short."""

    kind = "payment.surplus"
    amount_fen: int
    why: str


class RefundRequested(Event, frozen=True):
    """`amount_fen` of payment `provider_txn` goes back to its payer."""

    kind = "payment.refund_requested"
    refund_no: int
    provider: str
    provider_txn: str
    amount_fen: int
    why: str
    attempt: int


class PaymentRefunded(Event, frozen=True):
    """The provider confirmed refund number `refund_no`."""

    kind = "payment.refunded"
    refund_no: int
    amount_fen: int


class RefundFailed(Event, frozen=True):
    """The provider finally refused; the money stays owed and an operator must act."""

    kind = "payment.refund_failed"
    refund_no: int
    reason: str
    sealed = frozenset({"reason"})


class PaymentReleased(Event, frozen=True):
    """`shop_fen` of payment `provider_txn` is the shop's, `fee_fen` the platform's; the provider is told to split."""

    kind = "payment.released"
    release_no: int
    provider: str
    provider_txn: str
    shop_fen: int
    fee_fen: int
    attempt: int


class StakeKept(Event, frozen=True):
    """Of the platform's part of the split this is the stake of an appeal that the buyer lost: it pays arbitrators."""

    kind = "payment.stake_kept"
    amount_fen: int


class PaymentSettled(Event, frozen=True):
    """The provider confirmed the split: the shop may draw the money."""

    kind = "payment.settled"
    release_no: int
    shop_fen: int


class ReleaseFailed(Event, frozen=True):
    """The provider finally refused the split; an operator must act."""

    kind = "payment.release_failed"
    release_no: int
    reason: str
    sealed = frozenset({"reason"})


EscrowEvent = (
    PaymentReceived | PaymentSurplus | RefundRequested | PaymentRefunded | RefundFailed
    | PaymentReleased | StakeKept | PaymentSettled | ReleaseFailed
)  # fmt: skip


class RecordPayment(Command, frozen=True):
    """A provider's report: money that arrived is a fact. Only an order that does not exist cannot take it."""

    order_id: str
    provider: str
    provider_txn: str
    amount_fen: int
    paid_at_ms: int


class JudgePayment(Command, frozen=True):
    """Inner: after the order had its say, what of the money does not belong to it?"""

    order_id: str


class RefundHeld(Command, frozen=True):
    """Inner: `amount_fen` of the held money goes back (-1: all of it)."""

    order_id: str
    amount_fen: int
    why: str


class ReleaseHeld(Command, frozen=True):
    """Inner: all money still held goes to the shop, less the fee."""

    order_id: str


class RecordRefund(Command, frozen=True):
    """A provider's report about refund `refund_no`, asked for the `attempt`th time."""

    order_id: str
    refund_no: int
    attempt: int
    succeeded: bool
    reason: str = ""


class RecordRelease(Command, frozen=True):
    """A provider's report about release `release_no`, asked for the `attempt`th time."""

    order_id: str
    release_no: int
    attempt: int
    succeeded: bool
    reason: str = ""


class RetryRefund(Command, frozen=True):
    """Operator: tell the provider again."""

    order_id: str
    refund_no: int


class RetryRelease(Command, frozen=True):
    """Operator: tell the provider again."""

    order_id: str
    release_no: int


EscrowCommand = (
    RecordPayment | JudgePayment | RefundHeld | ReleaseHeld | RecordRefund | RecordRelease | RetryRefund | RetryRelease
)


class OrderIsUnknown(Refusal):
    """There is no such order: the money is recorded as unmatched instead."""


class NothingHasFailed(Refusal):
    """Only a failed instruction can be repeated."""


class Received(Struct, frozen=True, kw_only=True):
    """One payment and what of it has left, or is asked to leave, back to its payer or to the shop."""

    provider: str
    provider_txn: str
    amount_fen: int
    left_fen: int = 0


class Refund(Struct, frozen=True, kw_only=True):
    """One instruction to pay back."""

    refund_no: int
    provider: str
    provider_txn: str
    amount_fen: int
    why: str
    attempt: int = 1
    state: InstructionState = InstructionState.ASKED


class Release(Struct, frozen=True, kw_only=True):
    """One instruction to split."""

    release_no: int
    provider: str
    provider_txn: str
    shop_fen: int
    fee_fen: int
    attempt: int = 1
    state: InstructionState = InstructionState.ASKED


class Escrow(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All money of one order."""

    received: tuple[Received, ...] = ()
    refunds: tuple[Refund, ...] = ()
    releases: tuple[Release, ...] = ()
    stake_fen: int = 0  # of the platform's part: lost stakes

    @property
    def received_fen(self) -> int:
        """All that ever came in."""
        return sum(one.amount_fen for one in self.received)

    @property
    def held_fen(self) -> int:
        """What came in and was not told to leave."""
        return sum(one.amount_fen - one.left_fen for one in self.received)

    @property
    def refunded_fen(self) -> int:
        """What was told to go back (confirmed or not)."""
        return sum(one.amount_fen for one in self.refunds)

    @property
    def released_fen(self) -> int:
        """What was told to go to the shop (confirmed or not), without the fee."""
        return sum(one.shop_fen for one in self.releases)

    @property
    def fee_fen(self) -> int:
        """The platform's part, lost stakes included."""
        return sum(one.fee_fen for one in self.releases)


INITIAL = Escrow()


class StandingBriefing(Struct, frozen=True, kw_only=True):
    """What the order says its money is for: how much it may keep, its fee, and why the rest must leave."""

    keep_fen: int
    fee_bp: int
    why: str
    stake_fen: int = 0  # of what is held: the buyer's, lost


class ExistenceBriefing(Struct, frozen=True, kw_only=True):
    """Whether there is an order that this money can be for."""

    order_exists: bool


def decide(
    command: EscrowCommand, escrow: Escrow, brief: StandingBriefing | ExistenceBriefing | None, at_ms: int
) -> list[Event]:
    """What follows from `command` for this order's money, or a `Refusal`."""
    match command:
        case RecordPayment():
            assert isinstance(brief, ExistenceBriefing)
            invariant(command.amount_fen > 0, "a payment is positive")
            if not brief.order_exists:
                raise OrderIsUnknown
            if any(one.provider_txn == command.provider_txn for one in escrow.received):
                return []
            return [
                PaymentReceived(
                    provider=command.provider,
                    provider_txn=command.provider_txn,
                    amount_fen=command.amount_fen,
                    paid_at_ms=command.paid_at_ms,
                )
            ]
        case JudgePayment():
            assert isinstance(brief, StandingBriefing)
            over_fen = escrow.held_fen - brief.keep_fen
            if over_fen <= 0:
                return []
            return [PaymentSurplus(amount_fen=over_fen, why=brief.why), *_refund(escrow, over_fen, brief.why)]
        case RefundHeld():
            amount_fen = escrow.held_fen if command.amount_fen < 0 else command.amount_fen
            return _refund(escrow, amount_fen, command.why)
        case ReleaseHeld():
            assert isinstance(brief, StandingBriefing)
            return _release(escrow, brief.fee_bp, max(brief.stake_fen - escrow.stake_fen, 0))
        case RecordRefund():
            return _record_refund(command, escrow)
        case RecordRelease():
            return _record_release(command, escrow)
        case RetryRefund():
            failed = [one for one in escrow.refunds if one.refund_no == command.refund_no]
            if not failed or failed[0].state is not InstructionState.FAILED:
                raise NothingHasFailed
            return [_asked_again(failed[0])]
        case RetryRelease():
            stuck = [one for one in escrow.releases if one.release_no == command.release_no]
            if not stuck or stuck[0].state is not InstructionState.FAILED:
                raise NothingHasFailed
            return [_split_again(stuck[0])]
        case _:
            assert_never(command)


def _refund(escrow: Escrow, amount_fen: int, why: str) -> list[Event]:
    """Pay back from the newest payment first: the surplus is always part of the newest."""
    invariant(0 <= amount_fen <= escrow.held_fen, "a refund is part of what is held")
    events: list[Event] = []
    for one in reversed(escrow.received):
        part_fen = min(amount_fen, one.amount_fen - one.left_fen)
        if part_fen:
            amount_fen -= part_fen
            events.append(
                RefundRequested(
                    refund_no=len(escrow.refunds) + len(events) + 1,
                    provider=one.provider,
                    provider_txn=one.provider_txn,
                    amount_fen=part_fen,
                    why=why,
                    attempt=1,
                )
            )
    invariant(amount_fen == 0, "every fen of a refund has a payment it came from")
    return events


def _release(escrow: Escrow, fee_bp: int, stake_fen: int) -> list[Event]:
    """What is held goes to the shop less the fee; a lost stake goes the way of the fee, and none is taken of it."""
    events: list[Event] = []
    invariant(stake_fen <= escrow.held_fen, "a stake is kept out of what is held")
    fee_left_fen = (escrow.held_fen - stake_fen) * fee_bp // 10_000 + stake_fen
    for one in escrow.received:
        part_fen = one.amount_fen - one.left_fen
        if part_fen:
            fee_fen = min(fee_left_fen, part_fen)
            fee_left_fen -= fee_fen
            events.append(
                PaymentReleased(
                    release_no=len(escrow.releases) + len(events) + 1,
                    provider=one.provider,
                    provider_txn=one.provider_txn,
                    shop_fen=part_fen - fee_fen,
                    fee_fen=fee_fen,
                    attempt=1,
                )
            )
    return [*events, StakeKept(amount_fen=stake_fen)] if stake_fen else events


def _record_refund(command: RecordRefund, escrow: Escrow) -> list[Event]:
    known = [one for one in escrow.refunds if one.refund_no == command.refund_no]
    invariant(bool(known), "the provider reports on a refund we asked for")
    if known[0].state is InstructionState.DONE:
        return []
    if command.succeeded:
        return [PaymentRefunded(refund_no=command.refund_no, amount_fen=known[0].amount_fen)]
    if known[0].state is InstructionState.FAILED or command.attempt != known[0].attempt:
        return []
    return [RefundFailed(refund_no=command.refund_no, reason=command.reason)]


def _record_release(command: RecordRelease, escrow: Escrow) -> list[Event]:
    known = [one for one in escrow.releases if one.release_no == command.release_no]
    invariant(bool(known), "the provider reports on a release we asked for")
    if known[0].state is InstructionState.DONE:
        return []
    if command.succeeded:
        return [PaymentSettled(release_no=command.release_no, shop_fen=known[0].shop_fen)]
    if known[0].state is InstructionState.FAILED or command.attempt != known[0].attempt:
        return []
    return [ReleaseFailed(release_no=command.release_no, reason=command.reason)]


def _asked_again(refund: Refund) -> RefundRequested:
    return RefundRequested(
        refund_no=refund.refund_no,
        provider=refund.provider,
        provider_txn=refund.provider_txn,
        amount_fen=refund.amount_fen,
        why=refund.why,
        attempt=refund.attempt + 1,
    )


def _split_again(release: Release) -> PaymentReleased:
    return PaymentReleased(
        release_no=release.release_no,
        provider=release.provider,
        provider_txn=release.provider_txn,
        shop_fen=release.shop_fen,
        fee_fen=release.fee_fen,
        attempt=release.attempt + 1,
    )


def evolve(escrow: Escrow, event: EscrowEvent, at_ms: int) -> Escrow:
    """The money after `event`."""
    match event:
        case PaymentReceived():
            new = Received(provider=event.provider, provider_txn=event.provider_txn, amount_fen=event.amount_fen)
            return replace(escrow, received=(*escrow.received, new))
        case PaymentSurplus():
            return escrow
        case RefundRequested() if event.attempt > 1:
            return _with_refund(escrow, event.refund_no, InstructionState.ASKED, event.attempt)
        case RefundRequested():
            refund = Refund(
                refund_no=event.refund_no,
                provider=event.provider,
                provider_txn=event.provider_txn,
                amount_fen=event.amount_fen,
                why=event.why,
            )
            return _leaving(
                replace(escrow, refunds=(*escrow.refunds, refund)), event.provider_txn, event.amount_fen
            )
        case PaymentRefunded():
            return _with_refund(escrow, event.refund_no, InstructionState.DONE)
        case RefundFailed():
            return _with_refund(escrow, event.refund_no, InstructionState.FAILED)
        case PaymentReleased() if event.attempt > 1:
            return _with_release(escrow, event.release_no, InstructionState.ASKED, event.attempt)
        case PaymentReleased():
            release = Release(
                release_no=event.release_no,
                provider=event.provider,
                provider_txn=event.provider_txn,
                shop_fen=event.shop_fen,
                fee_fen=event.fee_fen,
            )
            return _leaving(
                replace(escrow, releases=(*escrow.releases, release)),
                event.provider_txn,
                event.shop_fen + event.fee_fen,
            )
        case StakeKept():
            return replace(escrow, stake_fen=escrow.stake_fen + event.amount_fen)
        case PaymentSettled():
            return _with_release(escrow, event.release_no, InstructionState.DONE)
        case ReleaseFailed():
            return _with_release(escrow, event.release_no, InstructionState.FAILED)
        case _:
            assert_never(event)


def _leaving(escrow: Escrow, provider_txn: str, amount_fen: int) -> Escrow:
    received = tuple(
        replace(one, left_fen=one.left_fen + amount_fen) if one.provider_txn == provider_txn else one
        for one in escrow.received
    )
    invariant(all(one.left_fen <= one.amount_fen for one in received), "money leaves once")
    return replace(escrow, received=received)


def _with_refund(escrow: Escrow, refund_no: int, state: InstructionState, attempt: int = 0) -> Escrow:
    return replace(
        escrow,
        refunds=tuple(
            replace(one, state=state, attempt=attempt or one.attempt) if one.refund_no == refund_no else one
            for one in escrow.refunds
        ),
    )


def _with_release(escrow: Escrow, release_no: int, state: InstructionState, attempt: int = 0) -> Escrow:
    return replace(
        escrow,
        releases=tuple(
            replace(one, state=state, attempt=attempt or one.attempt) if one.release_no == release_no else one
            for one in escrow.releases
        ),
    )
