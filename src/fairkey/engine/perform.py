"""The only way anything is written: read, decide, follow the consequences, write, commit, answer, for a whole batch."""

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from msgspec import Struct
from msgspec.structs import replace

from fairkey.business import batches, briefings, codes, covering, orders, quarantines
from fairkey.business.askers import ASKERS, Asker
from fairkey.business.basics import CURRENCY, Broken, Command, Event, Refusal, Stream
from fairkey.business.codes import CodeStage
from fairkey.business.consequences import consequences_of
from fairkey.business.deadlines import due_of
from fairkey.business.files import CAPABILITIES, FILES, File, ListingFile, OrderFile, evolve
from fairkey.business.postings import postings_of
from fairkey.effects.queue import Effect, effects_of
from fairkey.proofs.leaf import leaf_of
from fairkey.read_tables.changes import Change, changes_of, folded, sums_of
from fairkey.read_tables.facets import facets_of, fen_open, is_unpaid, units_bought
from fairkey.read_tables.kept import legs_of

from .answers import Answer, Conflict, StoreIsAway
from .event_store import Booked, Commit, EventStore, Given, Loaded, Moved, Recorded, Stored, Wants

CONSEQUENCES_PER_COMMAND_MAX = 32
ATTEMPTS_MAX = 12
NO_HEAD = b""

logger = logging.getLogger(__name__)


class NotYours(Refusal):
    """Not this kind of asker's to ask for."""


class KeyWasUsedForAnotherRequest(Refusal):
    """The same idempotency key came with another body."""


class Asked(Struct, frozen=True, kw_only=True):
    """A command, who stands behind it, and the id under which its answer is kept.

    `body_hash` (may be empty) tells a repeat from another request that reuses the id.
    """

    command_id: str
    by: Asker
    command: Command
    body_hash: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What an operator may set; everything else is in the business itself."""

    unpaid_per_buyer_max: int = orders.UNPAID_PER_BUYER_MAX
    unpaid_per_address_max: int = orders.UNPAID_PER_ADDRESS_MAX
    admission_approvals: int = 1  # persons who must agree before a shop is admitted
    small_trial_fen: int = 0  # what an uncovered shop may have open; 0: no bound at all
    cover_bp: int = covering.COVER_BP  # what of the unsettled a deposit must hold
    first_order_fen: int = 0  # what a stranger may have open at a new shop; 0: no limit
    telling: bool = True  # whether mails are wanted at all


Outcome = Answer | Broken
Clock = Callable[[], int]
Chance = Callable[[int], bytes]


class Performer:
    """Performs batches against one store."""

    def __init__(self, store: EventStore, clock: Clock, chance: Chance, rules: Rules | None = None) -> None:
        """`clock` gives milliseconds since the epoch; `chance(n)` gives n unpredictable bytes."""
        self._store = store
        self._clock = clock
        self._chance = chance
        self._rules = rules or Rules()

    async def perform(self, batch: Sequence[Asked]) -> list[Outcome]:
        """Decide a batch in order; one outcome per asked command, in order. All that a command comes to is written in
        one transaction, together with its neighbours.

        Deciding is pure, so after a conflict the whole batch is simply decided again. A batch that keeps failing is
        run one by one, so that one bad command hurts only itself. Raises `StoreIsAway`; asking again is then safe.
        """
        outcomes: list[Outcome] = []
        for part in _parts(batch):
            outcomes.extend(await self._perform_part(part))
        return outcomes

    async def _perform_part(self, batch: Sequence[Asked]) -> list[Outcome]:
        for _ in range(ATTEMPTS_MAX if len(batch) == 1 else ATTEMPTS_MAX // 2):
            try:
                return await self._perform_once(batch)
            except Conflict:
                continue
            except StoreIsAway:
                raise
            except Exception as error:
                # An invariant, or a value that storage cannot take. Whose fault it is, is seen one by one.
                logger.exception("a batch of %d could not be decided or written", len(batch))
                if len(batch) > 1:
                    break
                if isinstance(error, Broken):
                    raise
                raise Broken(f"{type(error).__name__}: {error}") from error
        if len(batch) == 1:
            raise Conflict("gave up: others keep writing what this command reads")
        return [await self._perform_alone(asked) for asked in batch]

    async def _perform_alone(self, asked: Asked) -> Outcome:
        try:
            return (await self._perform_part([asked]))[0]
        except (Broken, Conflict) as error:
            return Broken(f"{type(asked.command).__name__}: {error}")

    async def _perform_once(self, batch: Sequence[Asked]) -> list[Outcome]:
        at_ms = self._clock()
        async with self._store.transaction() as transaction:
            known = (await transaction.read(Wants(command_ids={asked.command_id for asked in batch}))).answers
            new: dict[str, Outcome] = {}
            fresh = [asked for asked in batch if asked.command_id not in known]
            if fresh:
                desk = _Desk(at_ms, self._rules)
                for foresee in (desk.first_wants, desk.second_wants):
                    wants = foresee(fresh)
                    desk.take(await transaction.read(wants), wants)
                for asked in fresh:
                    if asked.command_id in new:
                        continue
                    while True:
                        try:
                            new[asked.command_id] = desk.decide(asked)
                            break
                        except _MustRead as missing:
                            desk.take(await transaction.read(missing.wants), missing.wants)
                commit = desk.commit(fresh, new, self._chance)
                if commit.answers:
                    await transaction.write(commit)
        hashes = {asked.command_id: asked.body_hash for asked in reversed(batch)}
        return [self._answer(asked, known, new, hashes) for asked in batch]

    @staticmethod
    def _answer(
        asked: Asked, known: dict[str, Stored], new: dict[str, Outcome], hashes: dict[str, bytes]
    ) -> Outcome:
        before = known.get(asked.command_id)
        first_hash = before.body_hash if before else hashes[asked.command_id]
        if asked.body_hash != first_hash:
            return Answer(refusal=KeyWasUsedForAnotherRequest.__name__)
        return before.answer if before else new[asked.command_id]


def _parts(batch: Sequence[Asked]) -> Iterator[Sequence[Asked]]:
    """The batch in pieces of one transaction each. Commands that put a whole batch of codes on sale or take it off work
    on sets in storage: what their neighbours reserve in the same transaction would not be seen, so they go alone.
    """
    start = 0
    for place, asked in enumerate(batch):
        if isinstance(asked.command, batches.BatchCommand):
            if start < place:
                yield batch[start:place]
            yield batch[place : place + 1]
            start = place + 1
    if start < len(batch):
        yield batch[start:]


class _MustRead(Exception):
    """A decision needs something that was not read yet."""

    def __init__(self, wants: Wants) -> None:
        super().__init__()
        self.wants = wants


class _Happened(Struct, frozen=True):
    stream: Stream
    version: int
    event: Event
    file: File
    command_id: str


class _Desk:
    """Everything one batch has read, and what its commands have decided so far."""

    def __init__(self, now_ms: int, rules: Rules) -> None:
        self.now_ms = now_ms
        self.unpaid_per_buyer_max = rules.unpaid_per_buyer_max
        self.unpaid_per_address_max = rules.unpaid_per_address_max
        self.admission_approvals = rules.admission_approvals
        self.small_trial_fen = rules.small_trial_fen
        self.cover_bp = rules.cover_bp
        self.first_order_fen = rules.first_order_fen
        self._telling = rules.telling
        self._given = Given()
        self._picked: dict[tuple[str, str], set[str]] = {}
        self._dry: set[tuple[str, str]] = set()
        self._files: dict[Stream, tuple[int, File]] = {}  # after the commands decided so far
        self._happened: list[_Happened] = []
        # What the commands decided so far add to numbers that were read: however late, those are read from before.
        self._more_unpaid: Counter[tuple[str, str, str]] = Counter()  # ("buyer" or "address", buyer key, address key)
        self._more_bought: Counter[tuple[str, str, str]] = Counter()
        self._more_fen: Counter[tuple[str, str]] = Counter()
        self._more_open: Counter[tuple[str, str]] = Counter()  # (shop, buyer key) -> fen
        self._completed: set[tuple[str, str]] = set()
        self._more_sums: Counter[tuple[str, str]] = Counter()  # (shop, name of a kept sum)
        self._open_max: dict[str, int] = {}
        # of the command being decided now:
        self._touched: dict[Stream, tuple[int, File]] = {}
        self._now_happening: list[_Happened] = []

    # Reading.

    def first_wants(self, batch: Sequence[Asked]) -> Wants:
        """What can be foreseen to be needed, as one question."""
        wants = Wants()
        for asked in batch:
            command = asked.command
            wants.lock.add(briefings.home_of(command)[1])
            wants.peek.update(briefings.streams_read_by(command))
            if isinstance(command, orders.PlaceOrder):
                wants.buyers.add((command.buyer_key, command.address_key))
                if command.address_key:
                    wants.addresses.add(command.address_key)
                if self.small_trial_fen:
                    wants.exposures.add((command.shop_id, covering.window_from(self.now_ms)))
        wants.peek -= wants.lock
        return wants

    def second_wants(self, batch: Sequence[Asked]) -> Wants:
        """What can be foreseen once shops and listings are known: codes, purchase limits, coupons."""
        wants = Wants()
        for asked in batch:
            command = asked.command
            if not isinstance(command, orders.PlaceOrder):
                continue
            listing = self.file(Stream(command.shop_id, "listing", command.listing_id))
            assert isinstance(listing, ListingFile)
            terms = listing.listing.terms
            if terms is None:
                continue
            if terms.delivery == "vault" and 0 < command.quantity <= terms.quantity_max:
                key = (command.shop_id, command.listing_id)
                wants.codes[key] = wants.codes.get(key, 0) + command.quantity
            if terms.per_buyer_max:
                wants.bought.add((command.shop_id, command.listing_id, command.buyer_key))
            if command.coupon_id:
                wants.lock.add(Stream(command.shop_id, "coupon", command.coupon_id))
        return wants

    def take(self, given: Given, wants: Wants) -> None:
        """Lay what was read on the desk."""
        mine = self._given
        for stream, loaded in given.loaded.items():
            mine.loaded[stream] = loaded
            self._files.setdefault(stream, (loaded.version, loaded.file))
        for key, codes_found in given.codes.items():
            picked = self._picked.setdefault(key, set())
            mine.codes.setdefault(key, []).extend(code for code in codes_found if code not in picked)
            picked.update(codes_found)
            if len(codes_found) < wants.codes[key]:
                self._dry.add(key)
        mine.buyers.update(given.buyers)
        mine.addresses.update(given.addresses)
        mine.bought.update(given.bought)
        mine.balances.update(given.balances)
        mine.exposures.update(given.exposures)
        mine.known.update(given.known)
        mine.staged.update(given.staged)
        mine.unsold.update(given.unsold)
        mine.off_sale.update(given.off_sale)
        mine.said.update(given.said)

    def file(self, stream: Stream) -> File:
        return self._latest(stream)[1]

    def free_codes(self, shop_id: str, listing_id: str, quantity: int) -> tuple[str, ...]:
        key = (shop_id, listing_id)
        free = self._given.codes.get(key, [])
        if len(free) < quantity and key not in self._dry:
            # Codes that this batch has picked are still free in storage and come again: ask for those and the rest.
            raise _MustRead(Wants(codes={key: len(self._picked.get(key, ())) + quantity - len(free)}))
        return tuple(free[:quantity])

    def unpaid_by_buyer(self, buyer_key: str, address_key: str) -> int:
        key = (buyer_key, address_key)
        if key not in self._given.buyers:
            raise _MustRead(Wants(buyers={key}))
        return self._given.buyers[key] + self._more_unpaid["buyer", buyer_key, address_key]

    def unpaid_by_address(self, address_key: str) -> int:
        if address_key not in self._given.addresses:
            raise _MustRead(Wants(addresses={address_key}))
        return self._given.addresses[address_key] + self._more_unpaid["address", "", address_key]

    def bought_by_buyer(self, shop_id: str, listing_id: str, buyer_key: str) -> int:
        key = (shop_id, listing_id, buyer_key)
        if key not in self._given.bought:
            raise _MustRead(Wants(bought={key}))
        return self._given.bought[key] + self._more_bought[key]

    def balance_fen(self, shop_id: str, account: str) -> int:
        key = (shop_id, account)
        if key not in self._given.balances:
            raise _MustRead(Wants(balances={key}))
        return self._given.balances[key] + self._more_fen[key]

    def exposure(self, shop_id: str) -> covering.Exposure:
        key = (shop_id, covering.window_from(self.now_ms))
        if key not in self._given.exposures:
            raise _MustRead(Wants(exposures={key}))
        read, more = self._given.exposures[key], self._more_sums
        return covering.Exposure(
            open_fen=read.open_fen + more[shop_id, covering.OPEN],
            window_fen=read.window_fen + more[shop_id, covering.day_name(self.now_ms)],
            clean_fen=read.clean_fen + more[shop_id, covering.CLEAN],
        )

    def acquaintance(self, shop_id: str, buyer_key: str) -> covering.Acquaintance:
        key = (shop_id, buyer_key)
        if key not in self._given.known:
            raise _MustRead(Wants(known={key}))
        read = self._given.known[key]
        return covering.Acquaintance(
            read.has_completed or key in self._completed, read.open_fen + self._more_open[key]
        )

    def staged(self, shop_id: str, batch_id: str) -> int:
        key = (shop_id, batch_id)
        if key not in self._given.staged:
            raise _MustRead(Wants(staged={key}))
        return self._given.staged[key]

    def unsold(self, shop_id: str, batch_id: str) -> tuple[int, ...]:
        key = (shop_id, batch_id)
        if key not in self._given.unsold:
            raise _MustRead(Wants(unsold={key}))
        return self._given.unsold[key]

    def said(self, shop_id: str, batch_id: str, code_ids: tuple[str, ...]) -> quarantines.Said:
        key = (shop_id, batch_id, code_ids)
        if key not in self._given.said:
            raise _MustRead(Wants(said={key}))
        return self._given.said[key]

    def off_sale(self, shop_id: str, code_ids: Sequence[str]) -> frozenset[str]:
        missing = {(shop_id, code_id) for code_id in code_ids} - self._given.off_sale.keys()
        if missing:
            raise _MustRead(Wants(off_sale=missing))
        return frozenset(code_id for code_id in code_ids if self._given.off_sale[shop_id, code_id])

    def _latest(self, stream: Stream) -> tuple[int, File]:
        if stream in self._touched:
            return self._touched[stream]
        if stream not in self._files:
            raise _MustRead(Wants(lock={stream}))
        return self._files[stream]

    # Deciding.

    def decide(self, asked: Asked) -> Outcome:
        """Decide one command with all that follows from it; a refused or broken one leaves no trace here."""
        self._touched, self._now_happening = {}, []
        try:
            if asked.by not in ASKERS[type(asked.command)] or asked.by is Asker.INNER:
                raise NotYours(asker=asked.by.value)
            self._follow(asked)
        except Refusal as refusal:
            return Answer(refusal=type(refusal).__name__, details=refusal.details)
        except Broken as broken:
            logger.exception("%s broke an invariant", type(asked.command).__name__)
            return broken
        for happened in self._now_happening:
            self._count(happened)
        for stream, (_, file) in self._touched.items():
            self._count_order(stream, self._files[stream][1], file)
        self._files.update(self._touched)
        self._happened.extend(self._now_happening)
        home = briefings.home_of(asked.command)[1]
        return Answer(
            stream=home,
            kinds=tuple(happened.event.kind for happened in self._now_happening),
            facts=_facts_of(self._files[home][1]),
        )

    def _follow(self, asked: Asked) -> None:
        waiting, done = [asked.command], 0
        while waiting:
            done += 1
            if done > CONSEQUENCES_PER_COMMAND_MAX:
                raise Broken("consequences do not end")
            command = waiting.pop(0)
            capability, stream = briefings.home_of(command)
            slice_now = getattr(self._latest(stream)[1], CAPABILITIES[capability])
            brief = briefings.brief_for(command, self)
            for event in capability.decide(command, slice_now, brief, self.now_ms):
                self._append(stream, event, asked.command_id)
                waiting.extend(consequences_of(stream, event))

    def _append(self, stream: Stream, event: Event, command_id: str) -> None:
        version, file = self._latest(stream)
        file = replace(file)  # a copy; slices are frozen, so a shallow one is enough
        evolve(file, event, self.now_ms)
        self._touched[stream] = (version + 1, file)
        self._now_happening.append(_Happened(stream, version + 1, event, file, command_id))

    def _count(self, happened: _Happened) -> None:
        """Keep what was read true for the next command of the batch."""
        stream, event, given = happened.stream, happened.event, self._given
        match event:
            case codes.CodesReserved() | codes.CodesReplaced():
                free, taken = given.codes[stream.shop_id, event.listing_id], set(event.codes)
                free[:] = [code for code in free if code not in taken]
            case codes.CodesReleased(to_stock=True):
                # Their rows are held by this batch: the order that gives them up is locked.
                given.codes.setdefault((stream.shop_id, event.listing_id), []).extend(event.codes)
            case orders.OrderPlaced() if self.small_trial_fen:
                # Read without a lock: the write refuses when others have placed more meanwhile.
                cover = briefings.cover_of(stream.shop_id, self)
                assert cover is not None
                self._open_max[stream.shop_id] = cover.most_fen
            case _:
                pass
        for change in sums_of(stream, event, happened.file, self.now_ms):
            self._more_sums[change.shop_id, change.name] += change.by_fen
        for posting in postings_of(event):
            if posting.currency == CURRENCY:
                for account, by_fen in legs_of(posting):
                    self._more_fen[stream.shop_id, account] += by_fen

    def _count_order(self, stream: Stream, before: File, after: File) -> None:
        """What an order before and after a command means for the limits."""
        for file, sign in ((before, -1), (after, 1)):
            if isinstance(file, OrderFile):
                facets = facets_of(file)
                if is_unpaid(facets):
                    self._more_unpaid["buyer", facets.buyer_key, facets.address_key] += sign
                    self._more_unpaid["address", "", facets.address_key] += sign
                bought = (stream.shop_id, facets.listing_id, facets.buyer_key)
                self._more_bought[bought] += sign * units_bought(facets)
                self._more_open[stream.shop_id, facets.buyer_key] += sign * fen_open(facets)
                if sign > 0 and facets.stage == orders.Stage.COMPLETED:
                    self._completed.add((stream.shop_id, facets.buyer_key))

    # Writing.

    def commit(self, batch: Sequence[Asked], outcomes: dict[str, Outcome], chance: Chance) -> Commit:
        """Everything to write."""
        heads: dict[Stream, bytes] = {stream: loaded.head for stream, loaded in self._given.loaded.items()}
        events: list[Recorded] = []
        booked: list[Booked] = []
        changes: list[Change] = []
        effects: list[Effect] = []
        for happened in self._happened:
            stream, event = happened.stream, happened.event
            sealing_key = chance(32) if event.sealed else b""
            leaf = leaf_of(stream, happened.version, event, self.now_ms, heads[stream], sealing_key)
            heads[stream] = leaf.hash
            events.append(
                Recorded(
                    stream=stream,
                    version=happened.version,
                    kind=event.kind,
                    at_ms=self.now_ms,
                    body=leaf.body,
                    leaf_hash=leaf.hash,
                    command_id=happened.command_id,
                    sealed=leaf.sealed,
                    sealing_key=sealing_key,
                )
            )
            booked.extend(
                Booked(stream=stream, version=happened.version, posting=posting) for posting in postings_of(event)
            )
            changes.extend(changes_of(stream, event, happened.file, self.now_ms))
            effects.extend(self._wanted(effects_of(stream, happened.version, event)))
        hashes = {asked.command_id: asked.body_hash for asked in reversed(batch)}
        answers = [
            (command_id, Stored(hashes[command_id], outcome))
            for command_id, outcome in outcomes.items()
            if isinstance(outcome, Answer) and not outcome.refusal
        ]
        return Commit(
            at_ms=self.now_ms,
            events=events,
            moved=self._moved(heads),
            booked=booked,
            changes=folded(changes),
            effects=effects,
            answers=answers,
            open_max=self._open_max,
        )

    def _wanted(self, effects: list[Effect]) -> list[Effect]:
        return effects if self._telling else [effect for effect in effects if not effect.kind.startswith("tell_")]

    def _moved(self, heads: dict[Stream, bytes]) -> list[Moved]:
        return [
            Moved(
                stream=stream,
                version_before=self._given.loaded[stream].version,
                version=version,
                head=heads[stream],
                file=file,
                due=due_of(file),
                facets=facets_of(file),
            )
            for stream, (version, file) in sorted(self._files.items())
            if version != self._given.loaded[stream].version
        ]


def _facts_of(file: File) -> dict[str, object]:
    """What the asker of a command wants to know at once, without reading again."""
    if not isinstance(file, OrderFile):
        return {}
    order = file.order
    facts: dict[str, object] = {
        "stage": order.stage.value,
        "amount_fen": order.amount_fen,
        "expires_at_ms": order.expires_at_ms,
    }
    opened = [held.code_id for held in file.codes.held if held.stage is CodeStage.REVEALED]
    if opened:
        facts["opened"] = opened
    return facts


def fresh_file(stream: Stream) -> Loaded:
    """A stream that does not exist yet."""
    return Loaded(0, NO_HEAD, FILES[stream.kind]())
