"""Panels by example: requested, convened, drawn, voted, decided; and what happens when somebody is silent."""

import pytest
from msgspec.structs import replace

from fairkey.business import panels
from fairkey.business.basics import PLATFORM, Event, FieldIsInvalid
from fairkey.business.panel_events import (
    EvidenceOpened,
    PanelConvened,
    PanelDecided,
    PanelIsInAnotherStage,
    PanelIsNotDue,
    PanelLapsed,
    PanelOutcome,
    PanelStage,
    RevealOpened,
    Seat,
    SeatIsNotYours,
    SeatReplaced,
    VoteDoesNotFit,
    VoteIsFixed,
)
from fairkey.business.panels import Panel, PanelBriefing, PanelCommand, commitment_of, reason_digest

AT_MS = 1_760_000_000_000
ORDER = "01990000-0000-7000-8000-000000000009"
SHOP = "01990000-0000-7000-8000-000000000001"
PANEL = panels.panel_id_of(ORDER, 3)
REASON = "The issuer's word is older than the opening."
SEATS = tuple(Seat(f"a{number}", side, "") for number, side in enumerate(("expert", "sellers", "buyers"), 1))
STANDBYS = tuple(Seat(f"s{number}", "any", "") for number in (1, 2))


def after(panel: Panel, command: PanelCommand, at_ms: int = AT_MS) -> tuple[Panel, list[Event]]:
    """The panel after a command, and what happened."""
    events = panels.decide(command, panel, PanelBriefing(category="games"), at_ms)
    for event in events:
        panel = panels.evolve(panel, event, at_ms)
    return panel, events


def requested(level: int = 3) -> Panel:
    """A panel that was asked for."""
    command = panels.ConvenePanel(
        shop_id=PLATFORM, panel_id=PANEL, order_shop_id=SHOP, order_id=ORDER, level=level, value_fen=1_000
    )
    return after(panels.INITIAL, command)[0]


def sitting() -> Panel:
    """Drawn, nobody has voted."""
    pool = tuple(f"{seat.arbitrator_id} expert games" for seat in (*SEATS, *STANDBYS))
    convened, _ = after(
        requested(), panels.ListPool(shop_id=PLATFORM, panel_id=PANEL, pool=pool, excluded=("x trade",))
    )
    return after(convened, seating(SEATS, STANDBYS))[0]


def seating(seats: tuple[Seat, ...], standbys: tuple[Seat, ...]) -> panels.SeatPanel:
    return panels.SeatPanel(
        shop_id=PLATFORM, panel_id=PANEL, checkpoint_size=9, checkpoint_root="ab" * 32, seats=seats, standbys=standbys
    )


def commit(who: str, refund_fen: int, row: str = "R05a") -> panels.CommitVote:
    fixed = commitment_of(PANEL, who, refund_fen, row, "salt", reason_digest(REASON, "grain"))
    return panels.CommitVote(shop_id=PLATFORM, panel_id=PANEL, arbitrator_id=who, commitment=fixed)


def reveal(who: str, refund_fen: int, row: str = "R05a") -> panels.RevealVote:
    return panels.RevealVote(
        shop_id=PLATFORM,
        panel_id=PANEL,
        arbitrator_id=who,
        refund_fen=refund_fen,
        row=row,
        salt="salt",
        reason=REASON,
        reason_salt="grain",
    )


def voted(*refunds: int) -> tuple[Panel, list[Event]]:
    """All committed and revealed."""
    panel = sitting()
    for seat, refund_fen in zip(SEATS, refunds, strict=True):
        panel, _ = after(panel, commit(seat.arbitrator_id, refund_fen))
    events: list[Event] = []
    for seat, refund_fen in zip(SEATS, refunds, strict=True):
        panel, events = after(panel, reveal(seat.arbitrator_id, refund_fen))
    return panel, events


def test_given_no_panel_when_asked_twice_then_there_is_one() -> None:
    panel = requested()
    assert panel.stage is PanelStage.REQUESTED
    command = panels.ConvenePanel(
        shop_id=PLATFORM, panel_id=PANEL, order_shop_id=SHOP, order_id=ORDER, level=3, value_fen=1_000
    )
    assert after(panel, command)[1] == []


def test_given_a_level_that_is_none_when_asked_then_it_is_refused() -> None:
    with pytest.raises(FieldIsInvalid):
        requested(level=5)


def test_the_pool_is_published_sorted_with_its_hash_and_only_the_number_of_the_excluded() -> None:
    pool = ("b sellers games", "a expert games")
    command = panels.ListPool(shop_id=PLATFORM, panel_id=PANEL, pool=pool, excluded=("c trade",))
    [event] = after(requested(), command)[1]
    assert isinstance(event, PanelConvened)
    assert event.pool == ("a expert games", "b sellers games")
    assert event.excluded_count == 1
    assert "excluded" in event.sealed


def test_given_a_pool_that_is_too_small_when_drawn_then_the_panel_lapses() -> None:
    command = panels.ListPool(shop_id=PLATFORM, panel_id=PANEL, pool=(), excluded=())
    convened, _ = after(requested(), command)
    panel, events = after(convened, seating((), ()))
    assert events == [PanelLapsed(order_shop_id=SHOP, order_id=ORDER, why="pool_too_small")]
    assert panel.stage is PanelStage.LAPSED


def test_given_two_workers_when_both_draw_then_the_second_is_refused() -> None:
    with pytest.raises(PanelIsInAnotherStage):
        after(sitting(), seating(SEATS, STANDBYS))


@pytest.mark.parametrize("late_ms", [-1, 0])
def test_a_panel_that_was_not_drawn_lapses_at_its_hour_and_not_before(late_ms: int) -> None:
    at_ms = AT_MS + panels.CONVENE_MS + late_ms
    command = panels.LapsePanel(shop_id=PLATFORM, panel_id=PANEL)
    if late_ms < 0:
        with pytest.raises(PanelIsNotDue):
            after(requested(), command, at_ms)
    else:
        assert after(requested(), command, at_ms)[1] == [
            PanelLapsed(order_shop_id=SHOP, order_id=ORDER, why="not_drawn")
        ]


def test_a_committed_vote_is_never_changed() -> None:
    panel, _ = after(sitting(), commit("a1", 1_000))
    with pytest.raises(VoteIsFixed):
        after(panel, commit("a1", 0))


def test_who_was_not_drawn_does_not_vote() -> None:
    with pytest.raises(SeatIsNotYours):
        after(sitting(), commit("s1", 1_000))


@pytest.mark.parametrize("late_ms", [-1, 0])
def test_a_vote_counts_until_the_hour_and_not_at_it(late_ms: int) -> None:
    at_ms = AT_MS + panels.COMMIT_MS + late_ms
    if late_ms < 0:
        assert after(sitting(), commit("a1", 0), at_ms)[1]
    else:
        with pytest.raises(PanelIsInAnotherStage):
            after(sitting(), commit("a1", 0), at_ms)


def test_when_all_have_committed_votes_are_revealed_and_none_before() -> None:
    panel, _ = after(sitting(), commit("a1", 1_000))
    with pytest.raises(PanelIsInAnotherStage):
        after(panel, reveal("a1", 1_000))
    panel, _ = after(panel, commit("a2", 0))
    panel, events = after(panel, commit("a3", 0))
    assert isinstance(events[-1], RevealOpened)
    assert panel.stage is PanelStage.REVEALING


def test_another_vote_than_the_committed_one_is_refused() -> None:
    panel = sitting()
    for seat in SEATS:
        panel, _ = after(panel, commit(seat.arbitrator_id, 1_000))
    with pytest.raises(VoteDoesNotFit):
        after(panel, reveal("a1", 999))
    with pytest.raises(VoteDoesNotFit):
        after(panel, replace_reason(reveal("a1", 1_000)))


def replace_reason(command: panels.RevealVote) -> panels.RevealVote:
    return replace(command, reason="Another reason, long enough.")


@pytest.mark.parametrize(
    ("refunds", "outcome", "refund_fen"),
    [
        ((1_000, 1_000, 0), PanelOutcome.FOR_BUYER, 1_000),
        ((0, 1_000, 0), PanelOutcome.FOR_SHOP, 0),
        ((300, 700, 0), PanelOutcome.PARTIAL, 300),
        ((300, 500, 1_000), PanelOutcome.PARTIAL, 500),
    ],
)
def test_the_majority_decides_and_the_median_of_its_sums(
    refunds: tuple[int, int, int], outcome: PanelOutcome, refund_fen: int
) -> None:
    panel, events = voted(*refunds)
    decided = events[-1]
    assert isinstance(decided, PanelDecided)
    assert (decided.outcome, decided.refund_fen, panel.stage) == (outcome, refund_fen, PanelStage.DECIDED)


def test_the_silent_are_replaced_by_the_next_drawn_in_order() -> None:
    panel, _ = after(sitting(), commit("a2", 0))
    close = panels.CloseCommits(shop_id=PLATFORM, panel_id=PANEL)
    panel, events = after(panel, close, panel.due_at_ms)
    assert [(one.before, one.arbitrator_id) for one in events if isinstance(one, SeatReplaced)] == [
        ("a1", "s1"),
        ("a3", "s2"),
    ]
    assert (panel.rounds, panel.due_at_ms) == (1, AT_MS + panels.COMMIT_MS + panels.REPLACEMENT_MS)
    with pytest.raises(SeatIsNotYours):
        after(panel, commit("a1", 0), panel.due_at_ms - 1)


def test_with_nobody_left_and_too_few_votes_the_panel_lapses() -> None:
    panel = sitting()
    close = panels.CloseCommits(shop_id=PLATFORM, panel_id=PANEL)
    panel, _ = after(panel, close, panel.due_at_ms)
    panel, events = after(panel, close, panel.due_at_ms)
    assert events == [PanelLapsed(order_shop_id=SHOP, order_id=ORDER, why="too_few_votes")]


def test_two_of_three_decide_when_the_third_does_not_reveal_and_a_tie_sets_the_last_aside() -> None:
    panel = sitting()
    for seat, refund_fen in zip(SEATS, (1_000, 0, 0), strict=True):
        panel, _ = after(panel, commit(seat.arbitrator_id, refund_fen))
    panel, _ = after(panel, reveal("a1", 1_000))
    panel, _ = after(panel, reveal("a2", 0))
    [decided] = after(panel, panels.CloseReveals(shop_id=PLATFORM, panel_id=PANEL), panel.due_at_ms)[1]
    assert isinstance(decided, PanelDecided)
    assert (decided.outcome, decided.set_aside_seat) == (PanelOutcome.FOR_BUYER, 2)


def opening(who: str, evidence: str = "e1") -> panels.OpenEvidence:
    return panels.OpenEvidence(
        shop_id=PLATFORM, panel_id=PANEL, arbitrator_id=who, evidence_id=evidence, sha256="ab" * 32
    )


def test_who_has_a_seat_opens_evidence_and_it_is_told_once() -> None:
    panel, [event] = after(sitting(), opening("a2"))
    assert event == EvidenceOpened(seat_no=2, arbitrator_id="a2", evidence_id="e1", sha256="ab" * 32)
    assert after(panel, opening("a2"))[1] == []
    assert len(after(panel, opening("a2", "e2"))[1]) == len(after(panel, opening("a1"))[1]) == 1
    with pytest.raises(SeatIsNotYours):
        after(panel, opening("s1"))
    replaced, _ = after(panel, panels.StepBack(shop_id=PLATFORM, panel_id=PANEL, arbitrator_id="a2"))
    with pytest.raises(SeatIsNotYours):
        after(replaced, opening("a2"))
    for who in ("a1", "a3", "s1"):
        replaced, _ = after(replaced, commit(who, 0))
    with pytest.raises(PanelIsInAnotherStage):
        after(replaced, opening("a1"))


def test_who_steps_back_is_replaced_and_cannot_after_voting() -> None:
    panel, [event] = after(sitting(), panels.StepBack(shop_id=PLATFORM, panel_id=PANEL, arbitrator_id="a3"))
    assert isinstance(event, SeatReplaced)
    assert (event.before, event.arbitrator_id, panel.rounds) == ("a3", "s1", 0)
    panel, _ = after(panel, commit("a1", 0))
    with pytest.raises(VoteIsFixed):
        after(panel, panels.StepBack(shop_id=PLATFORM, panel_id=PANEL, arbitrator_id="a1"))
