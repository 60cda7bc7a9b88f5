"""An event store in memory: the same promises as PostgreSQL's, for the simulation and for examples of the engine.

One transaction at a time. `fail_next` makes the next commit go wrong in one of the ways a real one can.
"""

from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec

from fairkey.business import covering
from fairkey.business.basics import Stream, invariant
from fairkey.business.codes import CodeStage
from fairkey.business.covering import Exposure
from fairkey.business.files import BatchFile
from fairkey.business.orders import Stage
from fairkey.business.quarantines import Said, said_from
from fairkey.effects.queue import MONEY, Effect
from fairkey.engine.answers import Conflict, StoreIsAway
from fairkey.engine.event_store import Booked, Commit, Given, Loaded, Moved, Recorded, Stored, Wants
from fairkey.engine.perform import fresh_file
from fairkey.engine.rebuild import Past, Picture, Row
from fairkey.read_tables.changes import BatchOnSale, SumChange
from fairkey.read_tables.facets import fen_open, is_unpaid, units_bought
from fairkey.read_tables.kept import Kept

Failure = Literal["before", "after", "conflict"]


@dataclass(slots=True)
class Tables:
    """Everything that is stored."""

    events: list[Recorded] = field(default_factory=list)
    streams: dict[Stream, Moved] = field(default_factory=dict)
    answers: dict[str, Stored] = field(default_factory=dict)
    vault: dict[tuple[str, str], list[str]] = field(default_factory=dict)  # (shop, batch) -> code ids
    kept: Kept = field(default_factory=Kept)
    ledger: list[Booked] = field(default_factory=list)
    effects: dict[str, Effect] = field(default_factory=dict)

    def in_vault(self, shop_id: str, batch_id: str) -> list[str]:
        """The codes of a batch, in order."""
        return self.vault.get((shop_id, batch_id), [])

    def past(self) -> Iterable[Past]:
        """All events as a rebuild wants them (`fairkey.engine.rebuild.Source.past`)."""
        for event in self.events:
            yield Past(
                stream=event.stream,
                version=event.version,
                kind=event.kind,
                at_ms=event.at_ms,
                body=event.body,
                leaf_hash=event.leaf_hash,
                sealed=event.sealed,
                sealing_key=event.sealing_key,
            )

    def picture(self) -> Picture:
        """What is kept, to be compared with a rebuild."""
        rows_of_event: Counter[tuple[Stream, int]] = Counter()
        ledger = {}
        for booked in self.ledger:
            key = (booked.stream, booked.version)
            ledger[*key, rows_of_event[key]] = booked.posting
            rows_of_event[key] += 1
        return Picture(
            streams={
                stream: Row(moved.version, moved.head, moved.file, moved.due, moved.facets)
                for stream, moved in self.streams.items()
            },
            kept=self.kept,
            ledger=ledger,
            instructions={
                (effect.stream.shop_id, key): effect for key, effect in self.effects.items() if effect.kind in MONEY
            },
        )


class MemoryStore:
    """Implements `fairkey.engine.event_store.EventStore`."""

    def __init__(self) -> None:
        self.tables = Tables()
        self.fail_next: Failure | None = None
        self._commits: list[Commit] = []

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator["MemoryTransaction"]:
        """Commit on a normal exit, all or nothing."""
        failure, self.fail_next = self.fail_next, None
        if failure == "before":
            raise StoreIsAway
        draft = MemoryTransaction(self.tables)
        yield draft
        if failure == "conflict":
            raise Conflict
        for commit in draft.commits:
            self._apply(commit)
        if failure == "after":
            raise StoreIsAway

    def _apply(self, commit: Commit) -> None:
        try:
            apply(self.tables, commit)
        except Conflict:
            raise
        except Exception:
            # Half of it is written: go back to the commits before.
            vault, self.tables = self.tables.vault, Tables()
            self.tables.vault.update(vault)
            for earlier in self._commits:
                apply(self.tables, earlier)
            raise
        self._commits.append(commit)


class MemoryTransaction:
    """Reads see the tables as they were; writes wait for the end."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self.commits: list[Commit] = []

    async def read(self, wants: Wants) -> Given:
        """As `fairkey.engine.event_store.Transaction.read`."""
        tables, kept, given = self._tables, self._tables.kept, Given()
        given.answers = {one: tables.answers[one] for one in wants.command_ids if one in tables.answers}
        for stream in wants.lock | wants.peek:
            moved = tables.streams.get(stream)
            given.loaded[stream] = (
                Loaded(moved.version, moved.head, deepcopy(moved.file)) if moved else fresh_file(stream)
            )
        for (shop_id, listing_id), quantity in wants.codes.items():
            free = [
                code_id
                for (shop, code_id), row in kept.codes.items()
                if shop == shop_id and row.listing_id == listing_id and row.stage is CodeStage.FREE
            ]
            given.codes[shop_id, listing_id] = sorted(free)[:quantity]
        unpaid = [moved.facets for moved in tables.streams.values() if is_unpaid(moved.facets)]
        given.buyers = {
            key: sum((one.buyer_key, one.address_key) == key for one in unpaid) for key in wants.buyers
        }
        given.addresses = {key: sum(one.address_key == key for one in unpaid) for key in wants.addresses}
        given.bought = {key: self._bought(*key) for key in wants.bought}
        given.balances = {key: kept.balances[*key, "CNY"] for key in wants.balances}
        given.exposures = {
            (shop_id, first_day): Exposure(
                open_fen=kept.sums[shop_id, covering.OPEN],
                window_fen=sum(
                    fen
                    for (shop, name), fen in kept.sums.items()
                    if shop == shop_id and name >= first_day and name.startswith("day:")
                ),
                clean_fen=kept.sums[shop_id, covering.CLEAN],
            )
            for shop_id, first_day in wants.exposures
        }
        given.known = {key: self._known(*key) for key in wants.known}
        given.staged = {key: 0 if key in kept.batches else len(tables.vault.get(key, ())) for key in wants.staged}
        given.unsold = {
            key: tuple(place for place, row in enumerate(kept.rows_of(*key)) if row.stage is CodeStage.FREE)
            for key in wants.unsold
        }
        given.said = {key: self._said(*key) for key in wants.said}
        given.off_sale = {key: self._is_off_sale(*key) for key in wants.off_sale}
        return given

    async def write(self, commit: Commit) -> None:
        """As `fairkey.engine.event_store.Transaction.write`."""
        self.commits.append(commit)

    def _is_off_sale(self, shop_id: str, code_id: str) -> bool:
        row = self._tables.kept.codes[shop_id, code_id]
        moved = self._tables.streams.get(Stream(shop_id, "batch", row.batch_id))
        if moved is None or not isinstance(moved.file, BatchFile):
            return False
        return moved.file.batch.is_off_sale(self._tables.kept.batches[shop_id, row.batch_id].index(code_id))

    def _said(self, shop_id: str, batch_id: str, code_ids: Sequence[str]) -> Said:
        of_batch = self._tables.kept.batches.get((shop_id, batch_id), [])
        rows: list[tuple[int, bool, str, dict[str, Any]]] = []
        for place, code_id in enumerate(of_batch):
            stage = self._tables.kept.codes[shop_id, code_id].stage
            if stage not in (CodeStage.FREE, CodeStage.QUARANTINED) or (code_ids and code_id not in code_ids):
                continue
            stream, is_free = Stream(shop_id, "code", code_id), stage is CodeStage.FREE
            rows.append((place, is_free, "", {}))
            rows += [
                (place, is_free, one.kind, msgspec.json.decode(one.body)["public"])
                for one in self._tables.events
                if one.stream == stream and one.kind.startswith("attest.")
            ]
        return said_from(rows)

    def _known(self, shop_id: str, buyer_key: str) -> covering.Acquaintance:
        mine = [
            moved.facets
            for stream, moved in self._tables.streams.items()
            if stream.kind == "order" and stream.shop_id == shop_id and moved.facets.buyer_key == buyer_key
        ]
        completed = any(one.stage == Stage.COMPLETED for one in mine)
        return covering.Acquaintance(completed, sum(fen_open(one) for one in mine))

    def _bought(self, shop_id: str, listing_id: str, buyer_key: str) -> int:
        return sum(
            units_bought(moved.facets)
            for stream, moved in self._tables.streams.items()
            if stream.kind == "order"
            and stream.shop_id == shop_id
            and moved.facets.listing_id == listing_id
            and moved.facets.buyer_key == buyer_key
        )


def apply(tables: Tables, commit: Commit) -> None:
    """Write one commit. A stream that moved on or an answer that was given is a `Conflict` and nothing is written; what
    the database would refuse is `Broken`.
    """
    for moved in commit.moved:
        before = tables.streams.get(moved.stream)
        if (before.version if before else 0) != moved.version_before:
            raise Conflict("a stream has moved on")
    if any(command_id in tables.answers for command_id, _ in commit.answers):
        raise Conflict("the answer was given meanwhile")
    sums = [change for change in commit.changes if isinstance(change, SumChange)]
    opened = Counter({change.shop_id: change.by_fen for change in sums if change.name == covering.OPEN})
    if any(tables.kept.sums[shop, covering.OPEN] + opened[shop] > most for shop, most in commit.open_max.items()):
        raise Conflict("others have placed orders at this shop meanwhile")
    tables.events.extend(commit.events)
    tables.streams.update((moved.stream, moved) for moved in commit.moved)
    for change in commit.changes:
        in_vault = tables.vault[change.shop_id, change.batch_id] if isinstance(change, BatchOnSale) else ()
        tables.kept.change(change, in_vault)
    for booked in commit.booked:
        tables.ledger.append(booked)
        tables.kept.book(booked.stream.shop_id, booked.posting)
    invariant(not tables.kept.below_zero(), "no account is below zero")
    for effect in commit.effects:
        invariant(effect.key not in tables.effects, "an effect is asked for once")
        tables.effects[effect.key] = effect
    tables.answers.update(commit.answers)
