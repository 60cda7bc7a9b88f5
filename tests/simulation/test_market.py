"""Small markets around the real engine: a seed plays the same again, nothing breaks, verdicts can be made again."""

import asyncio
from collections import defaultdict
from dataclasses import replace

import msgspec
import pytest

from fairkey.business.basics import Stream
from fairkey.business.codes import CodeStage
from fairkey.business.credit.facts import KINDS, Fact
from fairkey.business.credit.figures import account_of
from fairkey.business.crediting import INITIAL
from fairkey.business.dispute_events import ComplaintRuled
from fairkey.business.files import BatchFile, CreditFile, OrderFile
from fairkey.business.orders import ENDED
from fairkey.business.verdicts import is_remade, read_document
from fairkey.engine.codec import event_from
from fairkey.engine.rebuild import compare, rebuild
from fairkey.simulation.figures import figures_of
from fairkey.simulation.market import Market
from fairkey.simulation.scenario import Scenario, Strategy, read_scenario
from fairkey.simulation.strategies import play

SMALL = Scenario(orders=14, orders_a_day=7)


@pytest.fixture
def markets(monkeypatch: pytest.MonkeyPatch) -> list[Market]:
    """Every market that is played."""
    seen: list[Market] = []
    begin = Market.open

    async def noted(self: Market) -> None:
        seen.append(self)
        await begin(self)

    monkeypatch.setattr(Market, "open", noted)
    return seen


def assert_credit_is_borne_out(market: Market) -> None:
    """What the engine kept as a shop's meter is what the orders' own public facts come to."""
    facts = defaultdict(list)
    for one in market.store.tables.events:
        if one.kind in KINDS:
            public = msgspec.json.decode(one.body)["public"]
            stream = f"{one.stream.kind}:{one.stream.id}"
            facts[one.stream.shop_id].append(Fact(one.at_ms, stream, one.version, one.kind, public))
    for shop_id, told in facts.items():
        account = account_of(told, market.now_ms)
        moved = market.store.tables.streams.get(Stream(shop_id, "credit", shop_id))
        kept = moved.file.crediting if moved and isinstance(moved.file, CreditFile) else INITIAL
        assert (account.differences, account.figures.meter) == ((), kept.meter)


def assert_doubted_batches_are_off_sale(market: Market) -> None:
    """Once a ruling that asks for it was carried out, no code of its order's batches is for sale."""
    tables = market.store.tables
    for stream, moved in tables.streams.items():
        file = moved.file
        if not isinstance(file, OrderFile) or file.complaint.ruling is None or not file.complaint.ruling.counted:
            continue
        public = msgspec.json.decode(
            next(one.body for one in reversed(market.store.events_of(stream)) if one.kind == ComplaintRuled.kind)
        )["public"]
        carried_out = any(one.kind == "dispute.executed" for one in market.store.events_of(stream))
        if not (public["quarantines_batch"] and carried_out):
            continue
        batch_id = tables.kept.codes[stream.shop_id, file.codes.held[0].code_id].batch_id
        batch = tables.streams[Stream(stream.shop_id, "batch", batch_id)].file
        assert isinstance(batch, BatchFile)
        assert batch.batch.quarantined_at_ms
        assert not any(
            row.stage is CodeStage.FREE
            for (shop_id, _), row in tables.kept.codes.items()
            if (shop_id, row.batch_id) == (stream.shop_id, batch_id)
        )


@pytest.mark.parametrize("strategy", list(Strategy))
def test_every_market_plays_to_its_end(strategy: Strategy, markets: list[Market]) -> None:
    played = asyncio.run(play(strategy, SMALL, 3))
    assert played.tally.orders
    [market] = markets
    tables = market.store.tables
    orders = [moved.file for stream, moved in tables.streams.items() if stream.kind == "order"]
    assert all(isinstance(file, OrderFile) and file.order.stage in ENDED for file in orders)
    assert not tables.kept.below_zero()
    rebuilt = rebuild(tables)
    assert compare(tables.picture(), rebuilt) == []
    assert_credit_is_borne_out(market)
    assert_doubted_batches_are_off_sale(market)
    for recorded in tables.events:
        if recorded.kind == ComplaintRuled.kind:
            event, _ = event_from(recorded.body, recorded.sealed)
            assert isinstance(event, ComplaintRuled)
            if event.by == "standard":
                assert is_remade(read_document(event.verdict))


def test_a_seed_plays_the_same_market_again() -> None:
    first, again = (asyncio.run(play(Strategy.USED_MIXER, SMALL, 5)) for _ in range(2))
    assert (first.profit_fen, first.tally) == (again.profit_fen, again.tally)
    other = asyncio.run(play(Strategy.USED_MIXER, SMALL, 6))
    assert other.tally != first.tally


def test_the_figures_name_what_was_missed() -> None:
    played = [asyncio.run(play(Strategy.FAKE_STOCK, SMALL, seed)) for seed in (1, 2)]
    rich = [replace(one, cheating_fen=one.cheating_fen + 10**7) for one in played]
    assert "fake_stock does not lose money" in figures_of(rich, 2).missed
    assert figures_of(rich, 2).strategies["fake_stock"].markets == 2


def test_shares_come_with_how_far_chance_may_put_them() -> None:
    played = [asyncio.run(play(Strategy.FAKE_STOCK, SMALL, seed)) for seed in (1, 2, 3)]
    found = figures_of(played, 3)
    assert found == figures_of(played, 3)
    for name, (low, high) in found.shares_ci95.items():
        assert low <= getattr(found, name) <= high
    alone = figures_of(played[:1], 1)
    assert alone.shares_ci95["decided_without_human"] == (alone.decided_without_human,) * 2, "one market varies in none"


def test_recordings_are_given_in_the_engine_and_a_doubt_brings_people() -> None:
    """Where no issuer speaks a recording decides (R03b), unless the shop says that it was cut."""
    recorded = Scenario(orders=6, orders_a_day=1, attested_bp=0, records_bp=10_000, doubts_bp=0, cheats_appeal_bp=0)
    alone = asyncio.run(play(Strategy.RESALE, recorded, 4)).tally.disputes.values()
    assert {one.row for one in alone} == {"R03"}
    assert not any(one.by_human for one in alone)
    doubting = msgspec.structs.replace(recorded, doubts_bp=10_000)
    looked_at = asyncio.run(play(Strategy.RESALE, doubting, 4)).tally.disputes.values()
    assert any(one.by_human for one in looked_at)


def test_a_staged_recording_is_paid_for_until_somebody_doubts_it() -> None:
    """What the standard does not see: a friend redeems the code elsewhere while the buyer records."""
    staged = Scenario(orders=8, orders_a_day=4, stages_bp=10_000, friendly_bp=10_000)
    disputes = asyncio.run(play(Strategy.FRIENDLY_GANG, staged, 2)).tally.disputes.values()
    assert {(one.truth, one.is_shown) for one in disputes if one.taken_fen} == {("shop", False)}


def test_a_scenario_is_read_strictly() -> None:
    assert read_scenario(b"{}") == Scenario()
    assert read_scenario(b'{"strategies": ["honest"], "deposit_fen": 0}').strategies == (Strategy.HONEST,)
    for wrong in (b'{"ordres": 3}', b'{"orders": 0}', b'{"ring_bp": 10001}', b"[]"):
        with pytest.raises(msgspec.MsgspecError):
            read_scenario(wrong)
