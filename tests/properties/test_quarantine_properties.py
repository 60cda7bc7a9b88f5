"""Whatever rulings, issuers, the shop and the operator do in whatever order: no code of a doubted batch is on sale
that was not let back, and nothing is let back that may not be.
"""

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from business_cases import BATCH, LISTING, NOW, ORDER, SHOP
from fairkey.business import batches
from fairkey.business.basics import Event, Refusal, Stream
from fairkey.business.batches import (
    AnswerBatchReview,
    AskBatchReview,
    LapseBatchReview,
    LookAtWords,
    NoteExport,
    QuarantineBatch,
    RegisterBatch,
    StagedBriefing,
    UnsoldBriefing,
    WithdrawCodes,
)
from fairkey.business.codes import CodesReleased, CodesReserved, CodeStage
from fairkey.business.files import BatchFile, OrderFile, evolve
from fairkey.business.quarantines import (
    BatchQuarantined,
    CodesExported,
    CodesHeld,
    CodesLetBack,
    LettingBackBriefing,
    SaidOfCode,
    places_in,
)
from fairkey.read_tables.changes import BatchOnSale, changes_of
from fairkey.read_tables.kept import Kept

Brief = StagedBriefing | UnsoldBriefing | LettingBackBriefing | None
COUNT = 6
IDS = [f"00000000-0000-7000-8000-00000000010{place}" for place in range(COUNT)]
ID = {"shop_id": SHOP, "batch_id": BATCH}
TEXT = "Long enough to be read by a person."
PLACES = st.integers(0, COUNT - 1)
STEPS = st.one_of(
    st.tuples(st.just("doubt"), st.integers(0, 3)),
    st.tuples(st.just("say"), PLACES, st.sampled_from(("unused", "unused", "activated", "revoked")), st.booleans()),
    st.tuples(st.just("look"), st.just(0)),
    st.tuples(st.just("ask"), st.just(0)),
    st.tuples(st.just("answer"), st.booleans()),
    st.tuples(st.just("lapse"), st.just(0)),
    st.tuples(st.just("export"), st.just(0)),
    st.tuples(st.just("withdraw"), st.booleans()),
    st.tuples(st.just("reserve"), PLACES),
    st.tuples(st.just("return"), PLACES),
    st.tuples(st.just("stop"), st.booleans()),
)


@dataclass
class Played:
    """One batch, its codes' rows, and what was said of them."""

    now_ms: int = NOW
    file: BatchFile = field(default_factory=BatchFile)
    kept: Kept = field(default_factory=Kept)
    facts: list[Event] = field(default_factory=list)
    said: list[SaidOfCode] = field(default_factory=list)
    why_not: str = ""
    ever_out: set[int] = field(default_factory=set)  # taken out, or shown in clear

    def places(self, *stages: CodeStage) -> tuple[int, ...]:
        return tuple(place for place, code in enumerate(IDS) if self.kept.codes[SHOP, code].stage in stages)

    def ask(self, command: batches.BatchCommand, brief: Brief) -> list[Event]:
        try:
            events = batches.decide(command, self.file.batch, brief, self.now_ms)
        except Refusal:
            return []
        for event in events:
            self.take(Stream(SHOP, "batch", BATCH), event)
        return events

    def take(self, stream: Stream, event: Event) -> None:
        if stream.kind == "batch":
            evolve(self.file, event, self.now_ms)
            self.facts.append(event)
        file = self.file if stream.kind == "batch" else OrderFile()
        for change in changes_of(stream, event, file, self.now_ms):
            self.kept.change(change, IDS if isinstance(change, BatchOnSale) else ())

    def unsold(self) -> UnsoldBriefing:
        return UnsoldBriefing(unsold=self.places(CodeStage.FREE))

    def letting_back(self) -> LettingBackBriefing:
        there = self.places(CodeStage.FREE, CodeStage.QUARANTINED)
        words = tuple(one for one in self.said if one.place in there)
        return LettingBackBriefing(why_not=self.why_not, said=words, free=self.places(CodeStage.FREE))

    def step(self, what: str, *how: object) -> list[Event]:
        match what, how:
            case "doubt", (int(number),):
                order_id = f"{ORDER[:-1]}{number}"
                return self.ask(QuarantineBatch(**ID, order_id=order_id, row="R03"), self.unsold())
            case "say", (int(place), str(says), bool(in_scope)):
                word = SaidOfCode(
                    place=place, says=says, how="signed", in_scope=in_scope, issuer_id=ORDER, happened_at_ms=self.now_ms
                )
                self.said.append(word)
            case "look", _:
                return self.ask(LookAtWords(**ID, code_ids=()), self.letting_back())
            case "ask", _:
                return self.ask(AskBatchReview(**ID, grounds=TEXT), self.letting_back())
            case "answer", (bool(granted),):
                number = self.file.batch.quarantine.requests
                command = AnswerBatchReview(**ID, request_no=number, granted=granted, reason=TEXT)
                return self.ask(command, self.letting_back())
            case "lapse", _:
                return self.ask(LapseBatchReview(**ID), None)
            case "export", _:
                events = self.ask(NoteExport(**ID), self.unsold())
                self.ever_out |= {
                    place for one in events if isinstance(one, CodesExported) for place in places_in(one.places)
                }
                return events
            case "withdraw", (bool(held_only),):
                before = self.places(CodeStage.FREE, CodeStage.QUARANTINED)
                events = self.ask(WithdrawCodes(**ID, held_only=held_only), self.unsold())
                self.ever_out |= set(before) - set(self.places(CodeStage.FREE, CodeStage.QUARANTINED))
                return events
            case "reserve", (int(place),) if place in self.places(CodeStage.FREE):
                order = Stream(SHOP, "order", f"{ORDER[:-2]}9{place}")
                self.take(order, CodesReserved(codes=(IDS[place],), listing_id=LISTING))
            case "return", (int(place),) if place in self.places(CodeStage.RESERVED):
                order = Stream(SHOP, "order", f"{ORDER[:-2]}9{place}")
                to_stock = not self.file.batch.is_off_sale(place)
                self.take(order, CodesReleased(codes=(IDS[place],), listing_id=LISTING, to_stock=to_stock))
            case "stop", (bool(stopped),):
                self.why_not = "standing" if stopped else ""
        return []


def let_back_since_the_last_ruling(facts: list[Event]) -> set[int] | None:
    """Places that may be on sale; None: no ruling ever spoke against the batch."""
    back: set[int] | None = None
    for one in facts:
        if isinstance(one, BatchQuarantined):
            back = set()
        elif isinstance(one, CodesLetBack) and back is not None:
            back |= set(places_in(one.places))
        elif isinstance(one, CodesHeld) and back is not None:
            back -= set(places_in(one.places))
    return back


def must_be_allowed(played: Played, events: list[Event], since_ms: int) -> None:
    """Whatever a step let back, it might."""
    for one in events:
        if not isinstance(one, CodesLetBack):
            continue
        coming = set(places_in(one.places))
        assert not played.why_not
        assert not coming & played.ever_out
        words = [word for word in played.said if word.place in coming and word.in_scope]
        assert all(word.says == "unused" for word in words)
        if one.by == "issuer":
            assert coming <= {word.place for word in words if word.happened_at_ms > since_ms}


@settings(max_examples=400, deadline=None)
@given(st.lists(STEPS, max_size=40))
def test_no_code_of_a_doubted_batch_is_on_sale_unless_it_was_let_back(steps: list[tuple[object, ...]]) -> None:
    played = Played()
    register = RegisterBatch(**ID, listing_id=LISTING, count=COUNT, root="cd" * 32, source="typed")
    assert played.ask(register, StagedBriefing(staged=COUNT, listing_exists=True))
    for what, *how in steps:
        played.now_ms += 1
        since_ms = played.file.batch.quarantined_at_ms
        events = played.step(str(what), *how)
        must_be_allowed(played, events, since_ms)
        free = set(played.places(CodeStage.FREE))
        back = let_back_since_the_last_ruling(played.facts)
        assert back is None or free <= back
        standing = played.file.batch.quarantine
        assert tuple(places_in(standing.held)) == played.places(CodeStage.QUARANTINED)
        assert played.kept.stock[SHOP, LISTING] == len(free)
