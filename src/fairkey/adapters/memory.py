"""An event store in memory: the same promises as PostgreSQL's, for the simulation and for examples of the engine.

One transaction at a time. `fail_next` makes the next commit go wrong in one of the ways a real one can.
"""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Literal

from fairkey.business.basics import Broken, Stream, invariant
from fairkey.business.codes import CodeStage
from fairkey.business.postings import ASSETS
from fairkey.effects.queue import Effect
from fairkey.engine.answers import Conflict, StoreIsAway
from fairkey.engine.event_store import Booked, Commit, Given, Moved, Recorded, Stored, Wants
from fairkey.engine.perform import fresh_file
from fairkey.read_tables.changes import (
    BatchOffSale,
    BatchOnSale,
    Change,
    CodesMove,
    CodesTyped,
    RevisionPublished,
    StockChange,
)

Failure = Literal["before", "after", "conflict"]


@dataclass(slots=True)
class CodeRow:
    """The kept row of one code."""

    listing_id: str
    batch_id: str
    stage: CodeStage = CodeStage.FREE
    order_id: str = ""


@dataclass(slots=True)
class Tables:
    """Everything that is stored."""

    events: list[Recorded] = field(default_factory=list)
    streams: dict[Stream, Moved] = field(default_factory=dict)
    answers: dict[str, Stored] = field(default_factory=dict)
    vault: dict[tuple[str, str], list[str]] = field(default_factory=dict)  # (shop, batch) -> code ids
    codes: dict[tuple[str, str], CodeRow] = field(default_factory=dict)  # (shop, code)
    stock: Counter[tuple[str, str]] = field(default_factory=Counter)  # (shop, listing)
    ledger: list[Booked] = field(default_factory=list)
    balances: Counter[tuple[str, str, str]] = field(default_factory=Counter)  # (shop, account, currency)
    revisions: dict[tuple[str, str, int], str] = field(default_factory=dict)
    effects: dict[str, Effect] = field(default_factory=dict)


class MemoryStore:
    """Implements `fairkey.engine.event_store.EventStore`."""

    def __init__(self) -> None:
        self.tables = Tables()
        self.fail_next: Failure | None = None

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator["MemoryTransaction"]:
        failure, self.fail_next = self.fail_next, None
        if failure == "before":
            raise StoreIsAway
        draft = MemoryTransaction(self.tables)
        yield draft
        if failure == "conflict":
            raise Conflict
        for commit in draft.commits:
            apply(self.tables, commit)
        if failure == "after":
            raise StoreIsAway


class MemoryTransaction:
    """Reads see the tables as they were; writes wait for the end."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self.commits: list[Commit] = []

    async def read(self, wants: Wants) -> Given:
        """As `fairkey.engine.event_store.Transaction.read`."""
        tables, given = self._tables, Given()
        given.answers = {one: tables.answers[one] for one in wants.command_ids if one in tables.answers}
        for stream in wants.lock | wants.peek:
            moved = tables.streams.get(stream)
            loaded = fresh_file(stream)
            if moved is not None:
                loaded = type(loaded)(moved.version, moved.head, deepcopy(moved.file))
            given.loaded[stream] = loaded
        for (shop_id, listing_id), quantity in wants.codes.items():
            free = [
                code_id
                for (shop, code_id), row in tables.codes.items()
                if shop == shop_id and row.listing_id == listing_id and row.stage is CodeStage.FREE
            ]
            given.codes[shop_id, listing_id] = sorted(free)[:quantity]
        placed = [moved.facets for moved in tables.streams.values() if moved.facets.stage == "placed"]
        given.buyers = {key: sum(one.buyer_key == key for one in placed) for key in wants.buyers}
        given.addresses = {key: sum(one.address_key == key for one in placed) for key in wants.addresses}
        given.bought = {key: self._bought(*key) for key in wants.bought}
        given.balances = {key: tables.balances[*key, "CNY"] for key in wants.balances}
        given.staged = {key: len(tables.vault.get(key, [])) for key in wants.staged}
        given.unsold = {
            (shop_id, batch_id): sum(
                row.batch_id == batch_id and row.stage is CodeStage.FREE
                for (shop, _), row in tables.codes.items()
                if shop == shop_id
            )
            for shop_id, batch_id in wants.unsold
        }
        return given

    async def write(self, commit: Commit) -> None:
        """As `fairkey.engine.event_store.Transaction.write`."""
        self.commits.append(commit)

    def _bought(self, shop_id: str, listing_id: str, buyer_key: str) -> int:
        return sum(
            moved.facets.quantity
            for stream, moved in self._tables.streams.items()
            if stream.kind == "order"
            and stream.shop_id == shop_id
            and moved.facets.listing_id == listing_id
            and moved.facets.buyer_key == buyer_key
            and moved.facets.stage not in ("expired", "cancelled", "refunded")
        )


def apply(tables: Tables, commit: Commit) -> None:
    """Write one commit; what the database would refuse is `Broken`."""
    tables.events.extend(commit.events)
    for moved in commit.moved:
        before = tables.streams.get(moved.stream)
        invariant((before.version if before else 0) == moved.version_before, "a stream grows from where it was read")
        tables.streams[moved.stream] = moved
    for change in commit.changes:
        apply_change(tables, change)
    for booked in commit.booked:
        tables.ledger.append(booked)
        shop_id, posting = booked.stream.shop_id, booked.posting
        for account, sign in ((posting.debit, -1), (posting.credit, 1)):
            sign_here = -sign if account in ASSETS else sign
            tables.balances[shop_id, account.value, posting.currency] += posting.amount_fen * sign_here
    below_zero = [account for account, balance_fen in tables.balances.items() if balance_fen < 0]
    invariant(not below_zero, f"no account is below zero: {below_zero}")
    for effect in commit.effects:
        invariant(effect.key not in tables.effects, "an effect is asked for once")
        tables.effects[effect.key] = effect
    tables.answers.update(commit.answers)


def apply_change(tables: Tables, change: Change) -> None:
    """One change of the kept tables."""
    match change:
        case CodesMove():
            for code_id in change.codes:
                row = tables.codes[change.shop_id, code_id]
                row.stage, row.order_id = change.stage, change.order_id
        case CodesTyped():
            for code_id in change.codes:
                invariant((change.shop_id, code_id) not in tables.codes, "a code is born once")
                tables.codes[change.shop_id, code_id] = CodeRow(
                    change.listing_id, "", CodeStage.DELIVERED, change.order_id
                )
        case BatchOnSale():
            for code_id in tables.vault[change.shop_id, change.batch_id]:
                tables.codes[change.shop_id, code_id] = CodeRow(change.listing_id, change.batch_id)
        case BatchOffSale():
            taken = [
                row
                for (shop_id, _), row in tables.codes.items()
                if shop_id == change.shop_id and row.batch_id == change.batch_id and row.stage is CodeStage.FREE
            ]
            invariant(len(taken) == change.count, "a withdrawal takes what was counted")
            for row in taken:
                row.stage = CodeStage.WITHDRAWN
        case StockChange():
            tables.stock[change.shop_id, change.listing_id] += change.by
            if tables.stock[change.shop_id, change.listing_id] < 0:
                raise Broken("stock is never below zero")
        case RevisionPublished():
            tables.revisions[change.shop_id, change.listing_id, change.revision] = change.terms
