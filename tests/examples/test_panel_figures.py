"""What arbitrators' figures count: votes in time, and votes for the side that won in the end."""

from fairkey.business.panel_events import PanelStage
from fairkey.business.panel_figures import Figures, figures_of
from fairkey.business.panels import Held, Panel


def panel(
    order_id: str,
    level: int,
    refund_fen: int,
    votes: dict[str, int],
    *,
    stage: PanelStage = PanelStage.DECIDED,
    replaced: tuple[str, ...] = (),
) -> Panel:
    """A panel that is over, unless said; a vote of -1 was not given."""
    seats = tuple(
        Held(arbitrator_id=who, stratum="expert", commitment="c" if fen >= 0 else "", refund_fen=fen)
        for who, fen in votes.items()
    )
    return Panel(stage=stage, order_id=order_id, level=level, refund_fen=refund_fen, seats=seats, replaced=replaced)


def test_who_was_right_in_the_end_is_right_even_against_his_own_panel() -> None:
    three = panel("a", 3, 0, {"ann": 0, "bob": 0, "cid": 700})
    assert figures_of([three])["cid"] == Figures(seats=1, votes=1, judged=1, right=0)
    seven = panel("a", 7, 900, {"dan": 900})
    figures = figures_of([seven, three])
    assert figures["cid"] == Figures(seats=1, votes=1, judged=1, right=1)
    assert figures["ann"] == Figures(seats=1, votes=1, judged=1, right=0)
    assert figures["dan"].agreement_bp == 10_000


def test_a_higher_panel_that_lapsed_leaves_the_decision_below() -> None:
    three = panel("a", 3, 500, {"ann": 500})
    lapsed = panel("a", 7, 0, {"dan": 0}, stage=PanelStage.LAPSED)
    figures = figures_of([three, lapsed])
    assert figures["ann"].right == 1
    assert figures["dan"] == Figures(seats=1, votes=1, judged=1, right=0)


def test_silence_and_stepping_back_cost_punctuality_and_nothing_else() -> None:
    one = panel("a", 3, 0, {"ann": 0, "bob": -1}, replaced=("cid",))
    figures = figures_of([one])
    assert figures["bob"] == figures["cid"] == Figures(seats=1)
    assert (figures["bob"].on_time_bp, figures["bob"].agreement_bp) == (0, None)
    assert figures["ann"].on_time_bp == 10_000


def test_panels_that_still_run_and_disputes_without_a_decision_count_for_nobody() -> None:
    running = panel("a", 3, 0, {"ann": -1}, stage=PanelStage.SITTING)
    assert figures_of([running]) == {}
    lapsed = panel("b", 3, 0, {"ann": 0}, stage=PanelStage.LAPSED)
    assert figures_of([lapsed])["ann"] == Figures(seats=1, votes=1)
    assert Figures().on_time_bp is None
