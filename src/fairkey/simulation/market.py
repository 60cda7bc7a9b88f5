"""The market: one clock, a queue of what people are going to do, the engine, and a provider who always pays at once."""

import heapq
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import count
from types import SimpleNamespace
from typing import Final, cast
from uuid import UUID

from fairkey.business.askers import Asker
from fairkey.business.basics import DAY_MS, PLATFORM, Command, Stream
from fairkey.business.batches import RegisterBatch
from fairkey.business.deadlines import command_for
from fairkey.business.files import File, OrderFile
from fairkey.business.issuers import RegisterIssuer
from fairkey.business.listings import PublishListing, Terms
from fairkey.business.outages import SayOutage
from fairkey.business.reports import report_of_instruction
from fairkey.business.shops import OpenShop
from fairkey.business.standard.library import newest
from fairkey.business.standards import STANDARD_ID, PublishStandard
from fairkey.effects.queue import JUDGE, LOOK_AT_WORDS, PANEL_STEPS, QUARANTINE, RESUME_CLOCKS, WIND_UP, read_key
from fairkey.engine import outaging
from fairkey.engine.answers import Answer
from fairkey.engine.house import House
from fairkey.engine.judging import judge_order
from fairkey.engine.perform import Asked, Outcome, Performer, Rules
from fairkey.engine.quarantining import look_at_words, quarantine
from fairkey.engine.winding_up import wind_up

from .books import Books
from .store import MarketStore

START_MS: Final = 1_767_225_600_000  # 2026-01-01
LISTING_DAYS: Final = 400
PRODUCT: Final = "Card 100"
CODES_AT_ONCE: Final = 40

Act = Callable[[], Awaitable[None]]


class EngineFailed(Exception):
    """The engine broke one of its own promises while the market ran."""


@dataclass(slots=True)
class Code:
    """A code as the world knows it. `used_at_ms` 0: nobody redeemed it; `is_real`: an issuer made it."""

    is_real: bool = True
    used_at_ms: int = 0
    used_by: str = ""
    revoked_at_ms: int = 0
    cost_fen: int = 0  # what whoever sells it paid for it


class Market:
    """One market. Everything by chance comes from `chance`, so that a seed plays the same market again."""

    def __init__(self, seed: int) -> None:
        self.now_ms = START_MS
        self.chance = random.Random(seed)  # noqa: S311 - a market to be played again, not a secret
        self.store = MarketStore()
        self.codes: dict[str, Code] = {}
        self.custody: dict[str, str] = {}
        self.jury: Callable[[str, Stream], Awaitable[None]] | None = None
        self._performer = Performer(self.store, lambda: self.now_ms, self.chance.randbytes, Rules(
            unpaid_per_buyer_max=10_000, unpaid_per_address_max=10_000, telling=False
        ))  # fmt: skip
        books = Books(self.store, self.custody)
        questions = SimpleNamespace(order_book=books, standards=books, issuers=books, quarantines=books)
        # Judging asks for nothing else of a house.
        self.house = cast("House", SimpleNamespace(
            questions=questions, evidence=SimpleNamespace(rows=books), now_ms=lambda: self.now_ms, ask=self.ask
        ))  # fmt: skip
        self._ids = count(1)
        self._turns: list[tuple[int, int, Act]] = []
        self._dues: list[tuple[int, int, Stream, str]] = []
        self._seen_effects = 0
        self._seen_events = 0

    def new_id(self) -> str:
        """The next id."""
        return str(UUID(int=(0x0199 << 112) | (7 << 76) | (2 << 62) | next(self._ids)))

    def later(self, wait_ms: int, act: Act) -> None:
        """`act` happens in `wait_ms`."""
        heapq.heappush(self._turns, (self.now_ms + max(wait_ms, 0), next(self._ids), act))

    async def ask(
        self, by: Asker, command: Command, *, command_id: str | None = None, body_hash: bytes = b""
    ) -> Answer:
        """Ask the engine, and let the world follow: money moves, complaints are judged."""
        asked = Asked(command_id=command_id or self.new_id(), by=by, command=command, body_hash=body_hash)
        [outcome] = await self._performer.perform([asked])
        return self._taken(outcome)

    def _taken(self, outcome: Outcome) -> Answer:
        if not isinstance(outcome, Answer):
            raise EngineFailed(str(outcome))
        return outcome

    def file(self, stream: Stream) -> File:
        """The present state of a stream."""
        return self.store.tables.streams[stream].file

    def order(self, shop_id: str, order_id: str) -> OrderFile:
        """The present state of an order."""
        file = self.file(Stream(shop_id, "order", order_id))
        assert isinstance(file, OrderFile)
        return file

    async def run(self, until_ms: int) -> None:
        """Let everything happen up to `until_ms`, in the order of time; deadlines before people."""
        while True:
            await self._follow()
            due = self._dues[0] if self._dues else None
            turn = self._turns[0] if self._turns else None
            next_ms = min((one[0] for one in (due, turn) if one), default=until_ms + 1)
            if next_ms > until_ms:
                self.now_ms = until_ms
                return
            self.now_ms = max(self.now_ms, next_ms)
            if due is not None and due[0] == next_ms:
                heapq.heappop(self._dues)
                await self._meet(due[2], due[0], due[3])
            elif turn is not None:
                heapq.heappop(self._turns)
                await turn[2]()

    async def _meet(self, stream: Stream, due_at_ms: int, what: str) -> None:
        moved = self.store.tables.streams[stream]
        if moved.due is None or (moved.due.due_at_ms, moved.due.what) != (due_at_ms, what):
            return
        if what in outaging.STOPPABLE and await outaging.stop_if_out(self.house, stream):
            return
        if what == "end_silence":
            await judge_order(self.house, stream)
            await self._follow()
        await self.ask(Asker.CLOCK, command_for(stream, what), command_id=f"clock:{stream}:{what}:{due_at_ms}")

    async def _follow(self) -> None:
        """Carry out what the engine asked for, and note new deadlines."""
        while True:
            keys = list(self.store.tables.effects)[self._seen_effects :]
            self._seen_effects += len(keys)
            self._note_dues()
            if not keys:
                return
            for key in keys:
                await self._carry_out(key)

    def _note_dues(self) -> None:
        events = self.store.tables.events
        touched = {event.stream for event in events[self._seen_events :]}
        self._seen_events = len(events)
        for stream in sorted(touched):
            due = self.store.tables.streams[stream].due
            if due is not None:
                heapq.heappush(self._dues, (due.due_at_ms, next(self._ids), stream, due.what))

    async def _carry_out(self, key: str) -> None:
        effect = self.store.tables.effects[key]
        if effect.kind == JUDGE:
            await judge_order(self.house, effect.stream)
            return
        if effect.kind == QUARANTINE:
            await quarantine(self.house, effect.stream)
            return
        if effect.kind == LOOK_AT_WORDS:
            await look_at_words(self.house, effect.stream)
            return
        if effect.kind == RESUME_CLOCKS:
            await outaging.resume(self.house, effect.stream.id, judge_order)
            return
        if effect.kind == WIND_UP:
            await wind_up(self.house, effect.stream.shop_id)
            return
        if effect.kind in PANEL_STEPS:
            if self.jury is not None:
                await self.jury(effect.kind, effect.stream)
            return
        read = read_key(key)
        if read is None:
            return
        what, stream, number, attempt = read
        report = report_of_instruction(what, stream, number=number, attempt=attempt, succeeded=True, reason="")
        if report is not None:
            await self.ask(Asker.PROVIDER, report)

    # The stage.

    async def open(self) -> None:
        """The standard is published, the issuer is registered."""
        standard = newest().standard
        await self._must(
            Asker.CLOCK,
            PublishStandard(
                shop_id=PLATFORM,
                standard_id=STANDARD_ID,
                name=standard.name,
                version=standard.version,
                sha256=standard.sha256,
                in_force_from_ms=0,
            ),
        )
        self.issuer_id = self.new_id()
        await self._must(
            Asker.OPERATOR,
            RegisterIssuer(
                shop_id=PLATFORM,
                issuer_id=self.issuer_id,
                name="Cards",
                public_key="11" * 32,
                speaks_for=(PRODUCT,),
                contact="issuer@example.com",
            ),
        )

    async def say_outage(self, says: str) -> None:
        """The issuer says that his outage began, or ended, now."""
        await self._must(
            Asker.ISSUER,
            SayOutage(
                shop_id=PLATFORM,
                issuer_id=self.issuer_id,
                key_no=1,
                says=says,
                happened_at_ms=self.now_ms,
                statement=f"{says} {self.now_ms}",
                signature="",
            ),
        )

    async def open_shop(self, name: str) -> str:
        """A shop that may trade; its id."""
        shop_id = self.new_id()
        await self._must(
            Asker.MERCHANT,
            OpenShop(
                shop_id=shop_id,
                shop_no=1,
                name=name,
                contact="shop@example.com",
                payout_account="6222 0000 0000 0001",
                fee_bp=100,
                admitted=True,
            ),
        )
        return shop_id

    async def list_cards(self, shop_id: str, price_fen: int) -> str:
        """A listing of cards out of the vault; its id."""
        listing_id = self.new_id()
        terms = Terms(
            product=PRODUCT, category="games", face_value="100", region="CN", edition="", redeem_by="",
            instructions="Type it in.", after_sale="", price_fen=price_fen, delivery="vault", promise_min=0,
        )  # fmt: skip
        await self._must(Asker.MERCHANT, PublishListing(shop_id=shop_id, listing_id=listing_id, terms=terms))
        return listing_id

    async def put_in(self, shop_id: str, listing_id: str, codes: list[Code], custody: str = "C1") -> None:
        """Put codes into the vault and on sale."""
        batch_id = self.new_id()
        ids = [self.new_id() for _ in codes]
        self.codes.update(zip(ids, codes, strict=True))
        self.custody.update(dict.fromkeys(ids, custody))
        self.store.tables.vault[shop_id, batch_id] = ids
        await self._must(
            Asker.MERCHANT,
            RegisterBatch(
                shop_id=shop_id,
                batch_id=batch_id,
                listing_id=listing_id,
                count=len(ids),
                root="ab" * 32,
                source="invoice",
                invoice_sha256="cd" * 32,
            ),
        )

    async def _must(self, by: Asker, command: Command) -> Answer:
        answer = await self.ask(by, command)
        if answer.refusal:
            raise EngineFailed(f"{type(command).__name__}: {answer.refusal} {answer.details}")
        return answer

    @property
    def days(self) -> float:
        """How long the market has run."""
        return (self.now_ms - START_MS) / DAY_MS
