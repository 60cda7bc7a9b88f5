"""A shop's deposit: from it buyers are paid what escrow no longer holds, and deductions are taken.

Terms are a versioned page that the shop accepts (电商法 58: amount, management, use, return). Money counts once the
provider keeps it in the custody account. A deduction is the highest of an order, never a sum; what is asked back
waits `NOTICE_MS` and stays liable meanwhile.
"""

from typing import assert_never

from msgspec import Struct
from msgspec.structs import replace

from .basics import AMOUNT_MAX_FEN, DAY_MS, Command, Event, InstructionState, Refusal, invariant, require
from .deposit_events import (
    DepositAgreed,
    DepositDeducted,
    DepositEvent,
    DepositNotReturned,
    DepositNotSecured,
    DepositReleased,
    DepositReturned,
    DepositSecured,
    DepositToppedUp,
    OwedCollected,
    ReleaseCut,
    ReleaseRequested,
    StakeForfeited,
    StakeLocked,
    StakeReturned,
    TopUpAsked,
)

TERMS_VERSION = "1.1"  # 1.1: stakes on appeals
TOP_UP_MIN_FEN = 10_000
NOTICE_MS = 15 * DAY_MS
TOP_UPS_OPEN_MAX = 20


class AgreeDeposit(Command, frozen=True):
    """The shop accepts a version of the terms."""

    version: str


class TopUpDeposit(Command, frozen=True):
    """The shop wants to pay in."""

    top_up_id: str
    amount_fen: int


class RecordTopUp(Command, frozen=True):
    """A provider's report: money that arrived is a fact, whatever was asked."""

    top_up_id: str
    provider: str
    provider_txn: str
    amount_fen: int
    paid_at_ms: int


class RecordSecured(Command, frozen=True):
    """A provider's report about taking a top-up into custody."""

    top_up_no: int
    attempt: int
    succeeded: bool
    reason: str = ""


class RecordReturned(Command, frozen=True):
    """A provider's report about a return."""

    return_no: int
    attempt: int
    succeeded: bool
    reason: str = ""


class RetryDeposit(Command, frozen=True):
    """Operator: tell the provider again whatever it refused."""


class ChargeDeposit(Command, frozen=True):
    """Inner: a ruling became final. `refund_fen` and `deduct_fen` are the order's totals by this ruling."""

    order_id: str
    ruling_no: int
    row: str
    deduct_fen: int
    refund_fen: int


class LockStake(Command, frozen=True):
    """Inner: the shop escalates."""

    panel_id: str
    amount_fen: int


class ReturnStake(Command, frozen=True):
    """Inner: the shop won."""

    panel_id: str


class ForfeitStake(Command, frozen=True):
    """Inner: the shop lost."""

    panel_id: str


class RequestRelease(Command, frozen=True):
    """The shop wants money back."""

    amount_fen: int


class EndNotice(Command, frozen=True):
    """Clock: the notice of the oldest release is over."""


DepositCommand = (
    AgreeDeposit | TopUpDeposit | RecordTopUp | RecordSecured | RecordReturned | RetryDeposit | ChargeDeposit
    | LockStake | ReturnStake | ForfeitStake | RequestRelease | EndNotice
)  # fmt: skip


class TermsAreNotCurrent(Refusal):
    """Details: current."""


class DepositIsNotAgreed(Refusal):
    """The terms come first."""


class TopUpIsUnknown(Refusal):
    """Nobody asked for this top-up: its money is recorded as unmatched."""


class DepositIsTooLow(Refusal):
    """Details: free_fen."""


class DepositIsNeeded(Refusal):
    """It covers what is not settled yet. Details: needed_fen, free_fen."""


class NothingIsStuck(Refusal):
    """Only what the provider refused can be repeated."""


class ReleaseIsNotDue(Refusal):
    """Details: due_at_ms."""


class CoverBriefing(Struct, frozen=True, kw_only=True):
    """How much of the deposit what is unsettled needs."""

    needed_fen: int


class TopUp(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One arrival of money; `left_fen` of it went back to the payer or is told to."""

    top_up_no: int
    provider: str
    provider_txn: str
    amount_fen: int
    left_fen: int = 0
    attempt: int = 1
    state: InstructionState = InstructionState.ASKED


class Charge(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What rulings took for one order so far, with what was missing (`refund_fen` and `penalty_fen` are totals)."""

    ruling_no: int
    row: str
    refund_fen: int = 0
    penalty_fen: int = 0
    owed_fen: int = 0


class Release(Struct, frozen=True, kw_only=True):
    """Money asked back that waits for the end of its notice."""

    release_no: int
    amount_fen: int
    due_at_ms: int


class Return(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One instruction to pay back to the shop."""

    return_no: int
    release_no: int
    provider: str
    provider_txn: str
    amount_fen: int
    attempt: int = 1
    state: InstructionState = InstructionState.ASKED


class Deposit(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The deposit of one shop."""

    version: str = ""
    agreed_at_ms: int = 0
    free_fen: int = 0
    asked: dict[str, int] = {}  # top-up id -> what was asked for
    asked_until: dict[str, int] = {}  # top-up id -> until when it is collected
    top_ups: tuple[TopUp, ...] = ()
    stakes: dict[str, int] = {}
    charges: dict[str, Charge] = {}
    releases: tuple[Release, ...] = ()
    release_no: int = 0
    returns: tuple[Return, ...] = ()

    @property
    def coming_fen(self) -> int:
        """Arrived and not yet in custody."""
        return sum(one.amount_fen for one in self.top_ups if one.state is not InstructionState.DONE)

    @property
    def noticed_fen(self) -> int:
        """Asked back and still here."""
        return sum(one.amount_fen for one in self.releases)

    @property
    def staked_fen(self) -> int:
        """On panels."""
        return sum(self.stakes.values())

    @property
    def owed_fen(self) -> int:
        """What rulings took that was not there."""
        return sum(one.owed_fen for one in self.charges.values())

    @property
    def is_stuck(self) -> bool:
        """Whether the provider refused something that an operator must see to."""
        coming = any(one.state is InstructionState.FAILED for one in self.top_ups)
        return coming or any(one.state is InstructionState.FAILED for one in self.returns)


INITIAL = Deposit()


def decide(command: DepositCommand, deposit: Deposit, brief: CoverBriefing | None, at_ms: int) -> list[Event]:
    """What follows from `command` for this deposit, or a `Refusal`."""
    match command:
        case AgreeDeposit():
            if command.version != TERMS_VERSION:
                raise TermsAreNotCurrent(current=TERMS_VERSION)
            return [] if deposit.version == command.version else [DepositAgreed(version=command.version)]
        case TopUpDeposit():
            return _ask_top_up(command, deposit, at_ms)
        case RecordTopUp():
            return _record_top_up(command, deposit)
        case RecordSecured():
            return _record_secured(command, deposit)
        case RecordReturned():
            return _record_returned(command, deposit)
        case RetryDeposit():
            return _retry(deposit)
        case ChargeDeposit():
            return _charge(command, deposit)
        case LockStake():
            if command.panel_id in deposit.stakes:
                return []
            if command.amount_fen > deposit.free_fen:
                raise DepositIsTooLow(free_fen=deposit.free_fen)
            return [StakeLocked(panel_id=command.panel_id, amount_fen=command.amount_fen)]
        case ReturnStake():
            staked_fen = deposit.stakes.get(command.panel_id, 0)
            return [StakeReturned(panel_id=command.panel_id, amount_fen=staked_fen)] if staked_fen else []
        case ForfeitStake():
            staked_fen = deposit.stakes.get(command.panel_id, 0)
            return [StakeForfeited(panel_id=command.panel_id, amount_fen=staked_fen)] if staked_fen else []
        case RequestRelease():
            assert brief is not None
            return _request_release(command, deposit, brief, at_ms)
        case EndNotice():
            assert brief is not None
            return _end_notice(deposit, brief, at_ms)
        case _:
            assert_never(command)


def _ask_top_up(command: TopUpDeposit, deposit: Deposit, at_ms: int) -> list[Event]:
    if not deposit.version:
        raise DepositIsNotAgreed
    require(TOP_UP_MIN_FEN <= command.amount_fen <= AMOUNT_MAX_FEN, "amount_fen", "out_of_range")
    if command.top_up_id in deposit.asked:
        return []
    return [TopUpAsked(top_up_id=command.top_up_id, amount_fen=command.amount_fen, expires_at_ms=at_ms + DAY_MS)]


def _record_top_up(command: RecordTopUp, deposit: Deposit) -> list[Event]:
    invariant(command.amount_fen > 0, "a payment is positive")
    if command.top_up_id not in deposit.asked:
        raise TopUpIsUnknown
    if any(one.provider_txn == command.provider_txn for one in deposit.top_ups):
        return []
    return [
        DepositToppedUp(
            top_up_no=len(deposit.top_ups) + 1,
            top_up_id=command.top_up_id,
            provider=command.provider,
            provider_txn=command.provider_txn,
            amount_fen=command.amount_fen,
            attempt=1,
        )
    ]


def _record_secured(command: RecordSecured, deposit: Deposit) -> list[Event]:
    known = [one for one in deposit.top_ups if one.top_up_no == command.top_up_no]
    invariant(bool(known), "the provider reports on a top-up we know")
    if known[0].state is InstructionState.DONE:
        return []
    if command.succeeded:
        secured = DepositSecured(top_up_no=command.top_up_no, amount_fen=known[0].amount_fen)
        return [secured, *_collected(deposit, known[0].amount_fen)]
    if known[0].state is InstructionState.FAILED or command.attempt != known[0].attempt:
        return []
    return [DepositNotSecured(top_up_no=command.top_up_no, reason=command.reason)]


def _collected(deposit: Deposit, there_fen: int) -> list[Event]:
    """What is owed comes out of new money first, by order as rulings came."""
    events: list[Event] = []
    for order_id, charge in deposit.charges.items():
        part_fen = min(charge.owed_fen, there_fen)
        if part_fen > 0:
            there_fen -= part_fen
            events.append(OwedCollected(order_id=order_id, amount_fen=part_fen))
    return events


def _record_returned(command: RecordReturned, deposit: Deposit) -> list[Event]:
    known = [one for one in deposit.returns if one.return_no == command.return_no]
    invariant(bool(known), "the provider reports on a return we asked for")
    if known[0].state is InstructionState.DONE:
        return []
    if command.succeeded:
        return [DepositReturned(return_no=command.return_no, amount_fen=known[0].amount_fen)]
    if known[0].state is InstructionState.FAILED or command.attempt != known[0].attempt:
        return []
    return [DepositNotReturned(return_no=command.return_no, reason=command.reason)]


def _retry(deposit: Deposit) -> list[Event]:
    events: list[Event] = [
        DepositToppedUp(
            top_up_no=one.top_up_no,
            top_up_id="",
            provider=one.provider,
            provider_txn=one.provider_txn,
            amount_fen=one.amount_fen,
            attempt=one.attempt + 1,
        )
        for one in deposit.top_ups
        if one.state is InstructionState.FAILED
    ]
    events.extend(
        DepositReleased(
            return_no=back.return_no,
            release_no=back.release_no,
            provider=back.provider,
            provider_txn=back.provider_txn,
            amount_fen=back.amount_fen,
            attempt=back.attempt + 1,
        )
        for back in deposit.returns
        if back.state is InstructionState.FAILED
    )
    if not events:
        raise NothingIsStuck
    return events


def _charge(command: ChargeDeposit, deposit: Deposit) -> list[Event]:
    """The buyer comes first, then the penalty; releases that wait are cut before anything is owed."""
    invariant(command.refund_fen >= 0 and command.deduct_fen >= 0, "a charge takes, it does not give")
    before = deposit.charges.get(command.order_id, Charge(ruling_no=0, row=""))
    if command.ruling_no <= before.ruling_no:
        return []
    refund_fen = max(0, command.refund_fen - before.refund_fen)
    penalty_fen = max(0, command.deduct_fen - before.penalty_fen)
    if not refund_fen + penalty_fen:
        return []
    events, there_fen = _cut(deposit, refund_fen + penalty_fen - deposit.free_fen)
    there_fen += deposit.free_fen
    paid_fen = min(there_fen, refund_fen)
    taken_fen = min(there_fen - paid_fen, penalty_fen)
    events.append(
        DepositDeducted(
            order_id=command.order_id,
            ruling_no=command.ruling_no,
            row=command.row,
            refund_fen=paid_fen,
            penalty_fen=taken_fen,
            short_fen=refund_fen - paid_fen,
            owed_fen=penalty_fen - taken_fen,
        )
    )
    return events


def _cut(deposit: Deposit, missing_fen: int) -> tuple[list[Event], int]:
    """What of the waiting releases is needed, the newest first, and how much that gives."""
    events: list[Event] = []
    given_fen = 0
    for one in reversed(deposit.releases):
        part_fen = min(one.amount_fen, missing_fen - given_fen)
        if part_fen > 0:
            given_fen += part_fen
            events.append(ReleaseCut(release_no=one.release_no, amount_fen=part_fen))
    return events, given_fen


def _request_release(command: RequestRelease, deposit: Deposit, brief: CoverBriefing, at_ms: int) -> list[Event]:
    require(command.amount_fen > 0, "amount_fen", "not_positive")
    if command.amount_fen > deposit.free_fen:
        raise DepositIsTooLow(free_fen=deposit.free_fen)
    needed_fen = brief.needed_fen + deposit.owed_fen
    if deposit.free_fen - command.amount_fen < needed_fen:
        raise DepositIsNeeded(needed_fen=needed_fen, free_fen=deposit.free_fen)
    return [
        ReleaseRequested(release_no=deposit.release_no + 1, amount_fen=command.amount_fen, due_at_ms=at_ms + NOTICE_MS)
    ]


def _end_notice(deposit: Deposit, brief: CoverBriefing, at_ms: int) -> list[Event]:
    """What unsettled orders need by now stays; the rest goes back to its payers, the newest top-up first."""
    if not deposit.releases or deposit.releases[0].due_at_ms > at_ms:
        raise ReleaseIsNotDue(due_at_ms=deposit.releases[0].due_at_ms if deposit.releases else 0)
    release = deposit.releases[0]
    kept_fen = min(release.amount_fen, max(0, brief.needed_fen + deposit.owed_fen - deposit.free_fen))
    events: list[Event] = []
    if kept_fen:
        events.append(ReleaseCut(release_no=release.release_no, amount_fen=kept_fen))
    left_fen = release.amount_fen - kept_fen
    for one in reversed(deposit.top_ups):
        part_fen = min(left_fen, one.amount_fen - one.left_fen) if one.state is InstructionState.DONE else 0
        if part_fen:
            left_fen -= part_fen
            events.append(
                DepositReleased(
                    return_no=len(deposit.returns) + sum(isinstance(e, DepositReleased) for e in events) + 1,
                    release_no=release.release_no,
                    provider=one.provider,
                    provider_txn=one.provider_txn,
                    amount_fen=part_fen,
                    attempt=1,
                )
            )
    invariant(left_fen == 0, "every fen of a deposit has a top-up it came from")
    return events


def evolve(deposit: Deposit, event: DepositEvent, at_ms: int) -> Deposit:
    """The deposit after `event`."""
    match event:
        case DepositAgreed():
            return replace(deposit, version=event.version, agreed_at_ms=at_ms)
        case TopUpAsked():
            return replace(
                deposit,
                asked=deposit.asked | {event.top_up_id: event.amount_fen},
                asked_until=deposit.asked_until | {event.top_up_id: event.expires_at_ms},
            )
        case DepositToppedUp() if event.attempt > 1:
            return _with_top_up(deposit, event.top_up_no, InstructionState.ASKED, event.attempt)
        case DepositToppedUp():
            new = TopUp(
                top_up_no=event.top_up_no,
                provider=event.provider,
                provider_txn=event.provider_txn,
                amount_fen=event.amount_fen,
            )
            return replace(deposit, top_ups=(*deposit.top_ups, new))
        case DepositSecured():
            secured = _with_top_up(deposit, event.top_up_no, InstructionState.DONE)
            return replace(secured, free_fen=secured.free_fen + event.amount_fen)
        case DepositNotSecured():
            return _with_top_up(deposit, event.top_up_no, InstructionState.FAILED)
        case DepositDeducted():
            return _deducted(deposit, event)
        case OwedCollected():
            charge = deposit.charges.get(event.order_id, Charge(ruling_no=0, row=""))
            paid = replace(charge, owed_fen=charge.owed_fen - event.amount_fen)
            return replace(
                deposit,
                charges=deposit.charges | {event.order_id: paid},
                free_fen=deposit.free_fen - event.amount_fen,
            )
        case StakeLocked():
            stakes = deposit.stakes | {event.panel_id: event.amount_fen}
            return replace(deposit, stakes=stakes, free_fen=deposit.free_fen - event.amount_fen)
        case StakeReturned():
            stakes = {panel: fen for panel, fen in deposit.stakes.items() if panel != event.panel_id}
            return replace(deposit, stakes=stakes, free_fen=deposit.free_fen + event.amount_fen)
        case StakeForfeited():
            return replace(
                deposit, stakes={panel: fen for panel, fen in deposit.stakes.items() if panel != event.panel_id}
            )
        case ReleaseRequested():
            asked = Release(release_no=event.release_no, amount_fen=event.amount_fen, due_at_ms=event.due_at_ms)
            return replace(
                deposit,
                releases=(*deposit.releases, asked),
                release_no=event.release_no,
                free_fen=deposit.free_fen - event.amount_fen,
            )
        case ReleaseCut():
            return replace(
                _less(deposit, event.release_no, event.amount_fen), free_fen=deposit.free_fen + event.amount_fen
            )
        case DepositReleased() if event.attempt > 1:
            return _with_return(deposit, event.return_no, InstructionState.ASKED, event.attempt)
        case DepositReleased():
            return _leaving(_less(deposit, event.release_no, event.amount_fen), event)
        case DepositReturned():
            return _with_return(deposit, event.return_no, InstructionState.DONE)
        case DepositNotReturned():
            return _with_return(deposit, event.return_no, InstructionState.FAILED)
        case _:
            assert_never(event)


def _deducted(deposit: Deposit, event: DepositDeducted) -> Deposit:
    before = deposit.charges.get(event.order_id, Charge(ruling_no=0, row=""))
    charge = Charge(
        ruling_no=event.ruling_no,
        row=event.row,
        refund_fen=before.refund_fen + event.refund_fen + event.short_fen,
        penalty_fen=before.penalty_fen + event.penalty_fen + event.owed_fen,
        owed_fen=before.owed_fen + event.owed_fen + event.short_fen,
    )
    return replace(
        deposit,
        charges=deposit.charges | {event.order_id: charge},
        free_fen=deposit.free_fen - event.refund_fen - event.penalty_fen,
    )


def _less(deposit: Deposit, release_no: int, amount_fen: int) -> Deposit:
    releases = tuple(
        replace(one, amount_fen=one.amount_fen - amount_fen) if one.release_no == release_no else one
        for one in deposit.releases
    )
    return replace(deposit, releases=tuple(one for one in releases if one.amount_fen))


def _leaving(deposit: Deposit, event: DepositReleased) -> Deposit:
    back = Return(
        return_no=event.return_no,
        release_no=event.release_no,
        provider=event.provider,
        provider_txn=event.provider_txn,
        amount_fen=event.amount_fen,
    )
    top_ups = tuple(
        replace(one, left_fen=one.left_fen + event.amount_fen) if one.provider_txn == event.provider_txn else one
        for one in deposit.top_ups
    )
    invariant(all(one.left_fen <= one.amount_fen for one in top_ups), "a top-up goes back once")
    return replace(deposit, returns=(*deposit.returns, back), top_ups=top_ups)


def _with_top_up(deposit: Deposit, top_up_no: int, state: InstructionState, attempt: int = 0) -> Deposit:
    return replace(
        deposit,
        top_ups=tuple(
            replace(one, state=state, attempt=attempt or one.attempt) if one.top_up_no == top_up_no else one
            for one in deposit.top_ups
        ),
    )


def _with_return(deposit: Deposit, return_no: int, state: InstructionState, attempt: int = 0) -> Deposit:
    return replace(
        deposit,
        returns=tuple(
            replace(one, state=state, attempt=attempt or one.attempt) if one.return_no == return_no else one
            for one in deposit.returns
        ),
    )
