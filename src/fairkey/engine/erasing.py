"""Erasing one person's data, and everybody's whose time is over; what may go, what must stay, and until when.

The law wants records of a transaction kept for three years from its completion (电商法 31); what is older, and what
belongs to no transaction, goes when the person asks (PIPL 47), and what is older goes anyway. While a record must stay
it can be restricted: nothing of it is shown or written to any more. Facts, hashes and proofs stay for ever: what is
shredded are plaintexts and the keys of their salts, after which the digests in the facts can be tested by nobody.

An erasure is planned, carried out in one transaction, and told as a fact, in this order; whatever dies on the way is
finished by the next run.
"""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from typing import Final, NamedTuple, Protocol

from msgspec import Struct

from fairkey.business.askers import Asker
from fairkey.business.basics import PLATFORM, Broken, Command, Stream
from fairkey.business.erasures import Basis, RecordErasure

from .answers import Answer

RETENTION_YEARS: Final = 3
ACCOUNT: Final = "account"
_CHINA: Final = timezone(timedelta(hours=8))  # the law counts days there; no summer time


class Why(StrEnum):
    """Why a history cannot be erased now."""

    OPEN = "open"  # it has not ended: money, codes or a complaint are under way
    MONEY = "money"  # it has ended, but money of it is still on its way
    RETENTION = "retention"  # the law wants it kept; `may_at_ms` says until when


class History(NamedTuple):
    """One order (or closed shop) of the person. `may_at_ms` is 0 while nobody can say when it may be erased."""

    stream: Stream
    shop_no: int
    stage: str
    changed_at_ms: int
    why: Why | None
    may_at_ms: int
    is_restricted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """What is kept of one person. `account_id` is empty without an open account.

    `stays_owner_of` are numbers of shops that trade and would be left without an owner.
    """

    account_id: str
    histories: tuple[History, ...]
    stays_owner_of: tuple[int, ...] = ()

    @property
    def erasable(self) -> tuple[History, ...]:
        """What may be erased now."""
        return tuple(one for one in self.histories if one.why is None)

    @property
    def kept(self) -> tuple[History, ...]:
        """What must stay for now."""
        return tuple(one for one in self.histories if one.why is not None)

    @property
    def restrictable(self) -> tuple[History, ...]:
        """What has ended and must stay: it can be put out of sight."""
        return tuple(one for one in self.histories if one.why is Why.RETENTION)

    @property
    def account_may_go(self) -> bool:
        """The account itself is no record of a transaction: it goes as soon as nothing is under way."""
        under_way = any(one.why in (Why.OPEN, Why.MONEY) for one in self.histories)
        return bool(self.account_id) and not under_way and not self.stays_owner_of


class Target(Struct, frozen=True):
    """A history as it was when it was planned to go; if it has moved on since, it stays."""

    shop_id: str
    kind: str
    id: str
    changed_at_ms: int

    @property
    def stream(self) -> Stream:
        """Its address."""
        return Stream(self.shop_id, self.kind, self.id)


class Plan(Struct, frozen=True):
    """What one erasure shreds: ids only. `account_id` is empty when no account goes with it."""

    targets: tuple[Target, ...]
    account_id: str = ""


class Counts(Struct, frozen=True):
    """How much went."""

    histories: int = 0
    sealed_rows: int = 0
    codes: int = 0
    accounts: int = 0

    def plus(self, other: "Counts") -> "Counts":
        """Both together."""
        return Counts(
            self.histories + other.histories,
            self.sealed_rows + other.sealed_rows,
            self.codes + other.codes,
            self.accounts + other.accounts,
        )


class Erased(NamedTuple):
    """Something that was erased; accounts as streams of the platform of kind `ACCOUNT`."""

    stream: Stream
    basis: Basis


class Unfinished(NamedTuple):
    """An erasure that was begun: `counts` is None while its plan has not been carried out."""

    erasure_id: str
    basis: Basis
    counts: Counts | None


class Erasures(Protocol):
    """What erasing needs of storage."""

    async def person_of(self, *, email: str = "", account_id: str = "") -> Person | None:
        """What is kept of whoever has this address or account; None when there is nothing."""

    async def expired(self, rows_max: int) -> Sequence[Target]:
        """Ended histories, not erased yet, that the law no longer wants kept; oldest first."""

    async def erased(self) -> Sequence[Erased]:
        """Everything that was ever erased."""

    async def restrict(self, streams: Sequence[Stream]) -> int:
        """Show nothing of these any more and write to nobody about them; how many were not so before."""

    async def plan(self, erasure_id: str, basis: Basis, plan: Plan) -> None:
        """Keep what is to be shredded, before any of it is."""

    async def unfinished(self) -> Sequence[Unfinished]:
        """Erasures that were begun and not told yet, oldest first."""

    async def shred(self, erasure_id: str) -> Counts:
        """Carry out a plan, all of it or nothing, and forget the plan; carried out before, only its counts."""

    async def told(self, erasure_id: str) -> None:
        """The fact is recorded."""

    async def tidy(self) -> None:
        """Free the room that shredded rows took, so that new rows are written over them."""


class _Asks(Protocol):
    def __call__(self, by: Asker, command: Command, *, command_id: str | None = None) -> Awaitable[Answer]:
        """As `fairkey.engine.house.Ask`."""


class ErasingHouse(Protocol):
    """What erasing needs of the house."""

    @property
    def erasures(self) -> Erasures:
        """Storage."""

    @property
    def ask(self) -> _Asks:
        """The engine."""

    def new_id(self) -> str:
        """A UUID."""


def may_be_erased_at_ms(changed_at_ms: int) -> int:
    """The first moment at which a history that ended then may be erased: three calendar years later, in China's time.

    A record of 29 February is kept until 1 March.
    """
    ended = datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=changed_at_ms)
    there = ended.astimezone(_CHINA)
    try:
        later = there.replace(year=there.year + RETENTION_YEARS)
    except ValueError:
        later = there.replace(year=there.year + RETENTION_YEARS, month=3, day=1)
    return (later - datetime.fromtimestamp(0, UTC)) // timedelta(milliseconds=1)


async def erase_person(house: ErasingHouse, person: Person, *, restrict: bool = False) -> tuple[Counts, int]:
    """Erase what may go, and with `restrict` put what must stay (and has ended) out of sight.

    Gives how much went, and how many histories are newly restricted.
    """
    await finish(house)
    restricted = 0
    if restrict:
        restricted = await house.erasures.restrict([one.stream for one in person.restrictable])
    targets = tuple(Target(*one.stream, one.changed_at_ms) for one in person.erasable)
    account_id = person.account_id if person.account_may_go else ""
    if not targets and not account_id:
        return Counts(), restricted
    counts = await _erase(house, Basis.REQUEST, Plan(targets, account_id))
    await house.erasures.tidy()
    return counts, restricted


async def erase_expired(house: ErasingHouse, *, at_once: int = 500) -> Counts:
    """Erase everything whose time is over, a few hundred histories at a time; how much went."""
    await finish(house)
    total = Counts()
    while targets := await house.erasures.expired(at_once):
        counts = await _erase(house, Basis.RETENTION, Plan(tuple(targets)))
        if not counts.histories:  # all of them moved on meanwhile
            break
        total = total.plus(counts)
    if total.histories:
        await house.erasures.tidy()
    return total


async def erase_again(house: ErasingHouse, erased: Sequence[Erased], now_ms: int, *, at_once: int = 500) -> Counts:
    """Erase what had been erased before a backup brought it back; `erased` is what `Erasures.erased` gave then.

    What the backup does not know, or knows as not ended, is passed over.
    """
    await finish(house)
    total = Counts()
    for basis in Basis:
        targets = [Target(*one, now_ms) for one, why in erased if why is basis and one.kind != ACCOUNT]
        for first in range(0, len(targets), at_once):
            total = total.plus(await _erase(house, basis, Plan(tuple(targets[first : first + at_once]))))
    for account, basis in erased:
        if account.kind == ACCOUNT:
            total = total.plus(await _erase(house, basis, Plan((), account.id)))
    await house.erasures.tidy()
    return total


async def finish(house: ErasingHouse) -> int:
    """Finish what an earlier run left; how many erasures."""
    unfinished = await house.erasures.unfinished()
    for one in unfinished:
        await _carry_out(house, one.erasure_id, one.basis)
    return len(unfinished)


async def _erase(house: ErasingHouse, basis: Basis, plan: Plan) -> Counts:
    erasure_id = house.new_id()
    await house.erasures.plan(erasure_id, basis, plan)
    return await _carry_out(house, erasure_id, basis)


async def _carry_out(house: ErasingHouse, erasure_id: str, basis: Basis) -> Counts:
    counts = await house.erasures.shred(erasure_id)
    command = RecordErasure(
        shop_id=PLATFORM,
        erasure_id=erasure_id,
        basis=basis,
        histories=counts.histories,
        sealed_rows=counts.sealed_rows,
        codes=counts.codes,
        accounts=counts.accounts,
    )
    answer = await house.ask(Asker.OPERATOR, command, command_id=f"erasure:{erasure_id}")
    if answer.refusal not in ("", "ErasureWasRecorded"):
        raise Broken(f"an erasure that was done could not be recorded: {answer.refusal}")
    await house.erasures.told(erasure_id)
    return counts
