"""Everything kept follows from events: made again from nothing it is the same, and what was tampered with is found."""

from types import SimpleNamespace

import pytest
from msgspec.structs import replace

from engine_world import MemoryLooks, World, make_lively
from fairkey.adapters.memory import MemoryStore, Tables
from fairkey.business.basics import Broken
from fairkey.business.codes import CodeStage
from fairkey.business.postings import Account, Posting
from fairkey.engine.rebuild import EventsAreBroken, Picture, compare, rebuild
from fairkey.read_tables.changes import CodesMove, StockChange
from fairkey.read_tables.kept import CodeRow, Kept


@pytest.fixture
async def world() -> World:
    world = World(MemoryLooks())
    world.ids = await make_lively(world)
    return world


def tables_of(world: World) -> Tables:
    store = world.looks.store
    assert isinstance(store, MemoryStore)
    return store.tables


def again(tables: Tables) -> Picture:
    return rebuild(tables)


def broken_by(tables: Tables) -> set[str]:
    with pytest.raises(EventsAreBroken) as raised:
        rebuild(tables)
    return {difference.what for difference in raised.value.differences}


async def test_what_is_kept_is_what_follows(world: World) -> None:
    tables = tables_of(world)
    assert compare(tables.picture(), again(tables)) == []
    assert len(again(tables).streams) == len(tables.streams) > 15
    assert len({row.facets.stage for stream, row in again(tables).streams.items() if stream.kind == "order"}) == 8


async def test_each_kind_of_kept_thing_is_compared(world: World) -> None:
    tables = tables_of(world)
    picture, rebuilt = tables.picture(), again(tables)
    kept, stream = picture.kept, world.stream("order", world.ids["placed"])
    row, code_key = picture.streams[stream], next(iter(kept.codes))
    order = row.file.order
    for what, change in {
        "stream version": lambda: setattr(row, "version", 9),
        "stream head": lambda: setattr(row, "head", b"x"),
        "stream deadline": lambda: setattr(row, "due", None),
        "stream stage": lambda: setattr(row, "facets", row.facets._replace(stage="paid")),
        "stream state.order.amount_fen": lambda: setattr(row.file, "order", type(order)(amount_fen=1)),
        "code": lambda: kept.codes.update({code_key: CodeRow("x", "y", CodeStage.REVEALED, "z")}),
        "stock": lambda: kept.stock.update({(world.shop_id, world.listing_id): 1}),
        "balance": lambda: kept.balances.update({(world.shop_id, "escrow", "CNY"): 1}),
        "revision": lambda: kept.revisions.update({(world.shop_id, world.listing_id, 1): "{}"}),
        "ledger row": picture.ledger.popitem,
        "instruction": picture.instructions.popitem,
        "stream": lambda: picture.streams.pop(stream),
    }.items():
        assert what not in {one.what for one in compare(picture, rebuilt)}
        change()
        assert what in {one.what for one in compare(picture, rebuilt)}, what


async def test_more_than_events_tell_is_a_difference(world: World) -> None:
    tables = tables_of(world)
    picture, rebuilt = tables.picture(), again(tables)
    rebuilt.streams.pop(world.stream("order", world.ids["placed"]))
    rebuilt.kept.codes.clear()
    assert {one.what for one in compare(picture, rebuilt)} == {"stream", "code"}


async def test_a_difference_shows_no_sealed_text(world: World) -> None:
    tables = tables_of(world)
    rebuilt = again(tables)
    row = rebuilt.streams[world.stream("order", world.ids["completed"])]
    row.file.review = type(row.file.review)(speed=1, text="slow", posted_at_ms=1)
    shown = {one.what: (one.kept, one.rebuilt) for one in compare(tables.picture(), rebuilt)}
    assert shown["stream state.review.text"] == ("(sealed)", "(sealed)")
    assert shown["stream state.review.speed"] == ("5", "1")


@pytest.mark.parametrize(
    ("what", "changed"),
    [
        ("event leaf_hash", {"leaf_hash": b"\x01" * 32}),
        ("event leaf_hash", {"body": b'{"kind":"order.confirmed"}'}),
        ("event place", {"kind": "order.confirmed"}),
        ("event version", {"version": 3}),
        ("event unreadable", {"body": b"tea"}),
        ("event sealed contact", {"sealed": {"contact": "somebody@else"}}),
        ("event sealed contact", {"sealing_key": b"k" * 32}),
    ],
)
async def test_an_event_that_is_not_what_it_was_is_found(world: World, what: str, changed: dict[str, object]) -> None:
    tables = tables_of(world)
    stream = world.stream("order", world.ids["placed"])
    place = next(place for place, event in enumerate(tables.events) if event.stream == stream and event.version == 1)
    tables.events[place] = replace(tables.events[place], **changed)
    assert what in broken_by(tables)


async def test_an_event_that_is_gone_is_found(world: World) -> None:
    tables = tables_of(world)
    stream = world.stream("order", world.ids["placed"])
    del tables.events[
        next(place for place, event in enumerate(tables.events) if event.stream == stream and event.version == 2)
    ]
    assert {"event version", "event prev"} <= broken_by(tables)


async def test_erased_texts_are_not_held_against_the_state(world: World) -> None:
    tables = tables_of(world)
    kept = tables.picture()
    tables.events[:] = [replace(event, sealed={}, sealing_key=b"") for event in tables.events]
    rebuilt = again(tables)
    assert compare(kept, rebuilt) == []
    assert rebuilt.streams[world.stream("order", world.ids["placed"])].is_erased
    kept.streams[world.stream("order", world.ids["placed"])].version += 1
    assert [one.what for one in compare(kept, rebuilt)] == ["stream version"]


async def test_an_empty_store_has_nothing_to_make_again() -> None:
    assert compare(Tables().picture(), rebuild(Tables())) == []


# The pure folds.


def test_stock_below_zero_is_our_own_bug() -> None:
    with pytest.raises(Broken):
        Kept().change(StockChange(shop_id="s", listing_id="l", by=-1))


@pytest.mark.parametrize("stage", [None, CodeStage.REVEALED])
def test_a_code_that_is_not_there_or_was_opened_does_not_move(stage: CodeStage | None) -> None:
    kept = Kept(codes={("s", "c"): CodeRow("l", "b", stage)} if stage else {})
    move = CodesMove(shop_id="s", codes=("c",), stage=CodeStage.FREE, order_id="", at_ms=0)
    with pytest.raises(Broken):
        kept.change(move)


def test_a_row_of_the_ledger_moves_two_balances() -> None:
    kept = Kept()
    kept.book("s", Posting(Account.PROVIDER_CLEARING, Account.ESCROW, 5))
    kept.book("s", Posting(Account.ESCROW, Account.SHOP_PENDING, 3))
    assert kept.balances == {
        ("s", "provider_clearing", "CNY"): 5,
        ("s", "escrow", "CNY"): 2,
        ("s", "shop_pending", "CNY"): 3,
    }
    assert kept.below_zero() == []
    kept.book("s", Posting(Account.ESCROW, Account.SHOP_PENDING, 3))
    assert kept.below_zero() == [("s", "escrow", "CNY")]


def test_a_source_is_anything_with_events() -> None:
    assert rebuild(SimpleNamespace(past=list, in_vault=lambda *_: ())).streams == {}
