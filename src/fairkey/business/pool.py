"""The guarantee pool: deductions and the platform's own money, from which buyers are paid where no deposit can.

One stream of the platform. Each buyer (`identity`, a keyed hash) is paid for R05c and R00 at most twice in 90 days and
¥50 each time (FK-AF-1); what the shop's deposit is short of is paid while there is money.
"""

from typing import assert_never

from msgspec import Struct
from msgspec.structs import replace

from .basics import AMOUNT_MAX_FEN, DAY_MS, Command, Event, invariant, require, require_text

POOL_ID = "00000000-0000-0000-0000-0000000000f0"
QUOTA_TIMES = 2
QUOTA_EACH_MAX_FEN = 5_000
QUOTA_WINDOW_MS = 90 * DAY_MS
NO_FAULT_ROWS = frozenset({"R05", "R00", "R17"})  # of which some cases name the pool as source
PAYMENTS_KEPT_MAX = 200


class PoolFunded(Event, frozen=True):
    """The platform put its own money in; `note` names the transfer."""

    kind = "pool.funded"
    sealed = frozenset({"note"})
    amount_fen: int
    note: str


class PoolTook(Event, frozen=True):
    """A deduction or a lost stake of a shop came in. `why`: deducted or stake."""

    kind = "pool.took"
    from_shop_id: str
    amount_fen: int
    why: str


class PoolPaid(Event, frozen=True):
    """A buyer is paid: `amount_fen` of what the ruling gave him; `left_fen` could not be paid and `why` says for what
    reason (empty, quota, too_large, pool_is_empty).
    """

    kind = "pool.paid"
    sealed = frozenset({"identity"})
    order_shop_id: str
    order_id: str
    ruling_no: int
    row: str
    for_what: str
    amount_fen: int
    left_fen: int
    why: str
    identity: str


PoolEvent = PoolFunded | PoolTook | PoolPaid


class FundPool(Command, frozen=True):
    """Operator: money of the platform lies in the custody account now."""

    pool_id: str
    amount_fen: int
    note: str


class TakeIntoPool(Command, frozen=True):
    """Inner: a shop's money comes in."""

    pool_id: str
    from_shop_id: str
    amount_fen: int
    why: str


class PayFromPool(Command, frozen=True):
    """Inner: a final ruling gives the buyer money that no deposit has. Once for each ruling of an order and `for_what`:
    ruling (the standard says so), short (the deposit does not hold it) or claim (what is left of a vanished shop's does
    not).
    """

    pool_id: str
    order_shop_id: str
    order_id: str
    ruling_no: int
    row: str
    amount_fen: int
    for_what: str = "ruling"


class PayBounty(Command, frozen=True):
    """Inner: whoever reported by his complaint what the ruling found (row R14) has his reward out of the deduction, of
    which `most_fen` came in. Once for each ruling of an order; nothing where the row has none.
    """

    pool_id: str
    order_shop_id: str
    order_id: str
    ruling_no: int
    row: str
    most_fen: int


PoolCommand = FundPool | TakeIntoPool | PayFromPool | PayBounty


class BuyerBriefing(Struct, frozen=True, kw_only=True):
    """Who bought the order. `bounty_fen`: what the ruling gives who reported; `payable_fen`: what of his payments can
    still go back (money reaches a buyer the way it came).
    """

    identity: str
    bounty_fen: int = 0
    payable_fen: int = 0


class Paid(Struct, frozen=True, kw_only=True):
    """One payment."""

    order_shop_id: str
    order_id: str
    ruling_no: int
    row: str
    amount_fen: int
    left_fen: int
    at_ms: int


class Pool(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The pool now, and its totals since the beginning."""

    balance_fen: int = 0
    funded_fen: int = 0
    took_fen: int = 0
    paid_fen: int = 0
    left_fen: int = 0
    paid: tuple[Paid, ...] = ()  # the newest last
    rulings: dict[str, int] = {}  # order and what for -> highest ruling that was paid
    quota: dict[str, tuple[int, ...]] = {}  # identity -> moments of payments without fault


INITIAL = Pool()
BOUNTY = "bounty"
CLAIM = "claim"


def decide(command: PoolCommand, pool: Pool, brief: BuyerBriefing | None, at_ms: int) -> list[Event]:
    """What follows from `command` for the pool, or a `Refusal`."""
    match command:
        case FundPool():
            require(0 < command.amount_fen <= AMOUNT_MAX_FEN, "amount_fen", "out_of_range")
            require_text(command.note, "note", 200, 3)
            return [PoolFunded(amount_fen=command.amount_fen, note=command.note)]
        case TakeIntoPool():
            invariant(command.amount_fen > 0, "what comes in is positive")
            return [PoolTook(from_shop_id=command.from_shop_id, amount_fen=command.amount_fen, why=command.why)]
        case PayFromPool():
            assert brief is not None
            return _pay(command, pool, brief.identity, at_ms)
        case PayBounty():
            assert brief is not None
            return _reward(command, pool, brief)
        case _:
            assert_never(command)


def _pay(command: PayFromPool, pool: Pool, identity: str, at_ms: int) -> list[Event]:
    invariant(command.amount_fen >= 0, "a payment is not negative")
    if not command.amount_fen or command.ruling_no <= pool.rulings.get(f"{command.order_id}:{command.for_what}", 0):
        return []
    wanted_fen, why = command.amount_fen, ""
    if _is_capped(command.for_what, command.row):
        if len(_recent(pool, identity, at_ms)) >= QUOTA_TIMES:
            wanted_fen, why = 0, "quota"
        elif wanted_fen > QUOTA_EACH_MAX_FEN:
            wanted_fen, why = QUOTA_EACH_MAX_FEN, "too_large"
    if wanted_fen > pool.balance_fen:
        wanted_fen, why = pool.balance_fen, "pool_is_empty"
    return [
        PoolPaid(
            order_shop_id=command.order_shop_id,
            order_id=command.order_id,
            ruling_no=command.ruling_no,
            row=command.row,
            for_what=command.for_what,
            amount_fen=wanted_fen,
            left_fen=command.amount_fen - wanted_fen,
            why=why,
            identity=identity,
        )
    ]


def _reward(command: PayBounty, pool: Pool, brief: BuyerBriefing) -> list[Event]:
    if not brief.bounty_fen or f"{command.order_id}:{BOUNTY}" in pool.rulings:
        return []
    parts = (
        (brief.bounty_fen, ""),
        (command.most_fen, "deposit_is_empty"),
        (brief.payable_fen, "all_is_back"),
        (pool.balance_fen, "pool_is_empty"),
    )
    amount_fen, why = min(parts, key=lambda one: one[0])
    return [
        PoolPaid(
            order_shop_id=command.order_shop_id,
            order_id=command.order_id,
            ruling_no=command.ruling_no,
            row=command.row,
            for_what=BOUNTY,
            amount_fen=amount_fen,
            left_fen=brief.bounty_fen - amount_fen,
            why=why,
            identity=brief.identity,
        )
    ]


def _is_capped(for_what: str, row: str) -> bool:
    """Whether a buyer has this twice in 90 days and ¥50 each at most: nobody is at fault, or nobody is left."""
    return for_what == CLAIM or (for_what == "ruling" and row in NO_FAULT_ROWS)


def _recent(pool: Pool, identity: str, at_ms: int) -> tuple[int, ...]:
    return tuple(one for one in pool.quota.get(identity, ()) if at_ms - one < QUOTA_WINDOW_MS)


def evolve(pool: Pool, event: PoolEvent, at_ms: int) -> Pool:
    """The pool after `event`."""
    match event:
        case PoolFunded():
            return replace(
                pool, balance_fen=pool.balance_fen + event.amount_fen, funded_fen=pool.funded_fen + event.amount_fen
            )
        case PoolTook():
            return replace(
                pool, balance_fen=pool.balance_fen + event.amount_fen, took_fen=pool.took_fen + event.amount_fen
            )
        case PoolPaid():
            return _paid(pool, event, at_ms)
        case _:
            assert_never(event)


def _paid(pool: Pool, event: PoolPaid, at_ms: int) -> Pool:
    quota = {who: kept for who in pool.quota if (kept := _recent(pool, who, at_ms))}
    if _is_capped(event.for_what, event.row) and event.amount_fen:
        quota[event.identity] = (*quota.get(event.identity, ()), at_ms)
    one = Paid(
        order_shop_id=event.order_shop_id,
        order_id=event.order_id,
        ruling_no=event.ruling_no,
        row=event.row,
        amount_fen=event.amount_fen,
        left_fen=event.left_fen,
        at_ms=at_ms,
    )
    return replace(
        pool,
        balance_fen=pool.balance_fen - event.amount_fen,
        paid_fen=pool.paid_fen + event.amount_fen,
        left_fen=pool.left_fen + event.left_fen,
        paid=(*pool.paid, one)[-PAYMENTS_KEPT_MAX:],
        rulings=pool.rulings | {f"{event.order_id}:{event.for_what}": event.ruling_no},
        quota=quota,
    )
