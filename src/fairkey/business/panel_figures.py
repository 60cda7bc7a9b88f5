"""How well arbitrators judge, from public panels alone: votes in time, and votes for the side that won in the end.

The end of a dispute is the decision of its highest panel that came to one, so a vote that three colleagues did not
follow and seven did counts as right, and the other way round. Anybody can count it again from the panels' files.
"""

from collections.abc import Iterable, Mapping

from msgspec import Struct
from msgspec.structs import replace

from .panel_events import PanelStage
from .panels import Panel

BP = 10_000


class Figures(Struct, frozen=True, kw_only=True):
    """Counts of one arbitrator. `seats`: on panels that are over, also those he lost by silence or gave up; `votes`:
    given and revealed in time; `judged`: of them those in disputes that a panel decided; `right`: for the side that
    won in the end.
    """

    seats: int = 0
    votes: int = 0
    judged: int = 0
    right: int = 0

    @property
    def on_time_bp(self) -> int | None:
        """Of ten thousand seats; None before the first."""
        return self.votes * BP // self.seats if self.seats else None

    @property
    def agreement_bp(self) -> int | None:
        """Of ten thousand votes, those for the side that won in the end; None before the first."""
        return self.right * BP // self.judged if self.judged else None


NOTHING = Figures()


def figures_of(panels: Iterable[Panel]) -> Mapping[str, Figures]:
    """The figures of everybody who ever had a seat on one of these panels that is over, by arbitrator."""
    over = [one for one in panels if one.stage in (PanelStage.DECIDED, PanelStage.LAPSED)]
    ends: dict[str, Panel] = {}
    for one in sorted(over, key=lambda panel: panel.level):
        if one.stage is PanelStage.DECIDED:
            ends[one.order_id] = one
    found: dict[str, Figures] = {}
    for one in over:
        end = ends.get(one.order_id)
        for arbitrator_id in one.replaced:
            figures = found.get(arbitrator_id, NOTHING)
            found[arbitrator_id] = replace(figures, seats=figures.seats + 1)
        for seat in one.seats:
            figures = found.get(seat.arbitrator_id, NOTHING)
            voted = seat.refund_fen >= 0
            judged = voted and end is not None
            right = judged and end is not None and (seat.refund_fen > 0) == (end.refund_fen > 0)
            found[seat.arbitrator_id] = Figures(
                seats=figures.seats + 1,
                votes=figures.votes + voted,
                judged=figures.judged + judged,
                right=figures.right + right,
            )
    return found
