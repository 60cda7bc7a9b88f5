"""Panels in a market: the real draw from a played pool, and arbitrators who are right as often as the scenario says."""

from fairkey.business.askers import Asker
from fairkey.business.basics import HOUR_MS, MINUTE_MS, PLATFORM, Stream
from fairkey.business.files import PanelFile
from fairkey.business.panel_events import PanelStage, Seat
from fairkey.business.panels import CommitVote, ListPool, Panel, RevealVote, SeatPanel, commitment_of, reason_digest
from fairkey.business.verdicts import judge
from fairkey.engine.advising import known_of
from fairkey.proofs.draws import SIDES, Member, draw, read_pool

from .ledgers import Tally
from .market import Act, Market
from .scenario import BP, Scenario

REASON = "Weighed what the log proves and what both sides showed."


class Juries:
    """Everything that panels need of people."""

    def __init__(self, market: Market, scenario: Scenario, tally: Tally, ring_bp: int = 0) -> None:
        """`ring_bp`: how many of the pool vote for whoever cheats."""
        self._market = market
        self._scenario = scenario
        self._tally = tally
        members = [
            Member(market.new_id(), SIDES[number % len(SIDES)], ("games",)) for number in range(scenario.arbitrators)
        ]
        self._pool = tuple(sorted(one.line() for one in members))
        ring = market.chance.sample(members, len(members) * ring_bp // BP)
        self._ring = {one.id for one in ring}
        self._votes: dict[tuple[str, str], tuple[int, str]] = {}

    async def step(self, kind: str, stream: Stream) -> None:
        """What the worker and the arbitrators do next for a panel."""
        panel = self._panel(stream)
        if kind == "list_pool" and panel.stage is PanelStage.REQUESTED:
            command = ListPool(shop_id=PLATFORM, panel_id=stream.id, pool=self._pool, excluded=())
            await self._market.ask(Asker.CLOCK, command)
        elif kind == "draw_panel" and panel.stage is PanelStage.CONVENED:
            await self._draw(stream, panel)
        elif kind == "reveal_panel":
            await self._reveal(stream, panel)

    async def _draw(self, stream: Stream, panel: Panel) -> None:
        root = self._market.chance.randbytes(32)
        result = draw(
            seed=root, panel_id=stream.id, level=panel.level, category=panel.category, pool=read_pool(self._pool)
        )
        seats = tuple(Seat(*one) for one in result.seats) if result else ()
        await self._market.ask(
            Asker.CLOCK,
            SeatPanel(
                shop_id=PLATFORM,
                panel_id=stream.id,
                checkpoint_size=1,
                checkpoint_root=root.hex(),
                seats=seats,
                standbys=tuple(Seat(*one) for one in result.standbys) if result else (),
            ),
        )
        for seat in seats:
            wait_ms = self._market.chance.randint(10 * MINUTE_MS, 20 * HOUR_MS)
            self._market.later(wait_ms, self._voting(stream, seat.arbitrator_id))

    def _voting(self, stream: Stream, arbitrator_id: str) -> Act:
        async def vote() -> None:
            panel = self._panel(stream)
            if panel.stage is not PanelStage.SITTING:
                return
            refund_fen = await self._vote_of(panel, arbitrator_id)
            salt = self._market.chance.randbytes(16).hex()
            self._votes[stream.id, arbitrator_id] = (refund_fen, salt)
            digest = reason_digest(REASON, salt)
            row = "R05" if refund_fen else "R04"
            commitment = commitment_of(stream.id, arbitrator_id, refund_fen, row, salt, digest)
            command = CommitVote(
                shop_id=PLATFORM, panel_id=stream.id, arbitrator_id=arbitrator_id, commitment=commitment
            )
            await self._market.ask(Asker.ARBITRATOR, command)

        return vote

    async def _vote_of(self, panel: Panel, arbitrator_id: str) -> int:
        dispute = self._tally.disputes[panel.order_id]
        is_right = self._market.chance.randrange(BP) < self._scenario.arbitrator_right_bp
        for_buyer = (dispute.truth == "buyer") is is_right
        if not dispute.is_shown:
            # Then they follow the standard's reading: a batch in which several failed speaks for the buyer (R05a);
            # else whoever claims has to show it.
            follows = self._market.chance.randrange(BP) < self._scenario.burden_bp
            for_buyer = await self._reads_for_buyer(panel) is follows
        if arbitrator_id in self._ring:
            for_buyer = dispute.truth != "buyer"
        return panel.value_fen if for_buyer else 0

    async def _reads_for_buyer(self, panel: Panel) -> bool:
        """Whether the standard, read again as things stand, is for the buyer: what the docket shows to arbitrators."""
        house = self._market.house
        record = await house.questions.order_book.find(panel.order_shop_id, panel.order_id)
        assert record is not None
        facts = await house.questions.order_book.facts(panel.order_shop_id, panel.order_id, with_sealed=True)
        known = await known_of(house, record, facts)
        assert known is not None
        verdict = judge(known.standard, known.codes, record.file.complaint.demand_fen, self._market.now_ms)
        return known.standard.cases()[verdict.case].side == "buyer"

    async def _reveal(self, stream: Stream, panel: Panel) -> None:
        for seat in panel.seats:
            if (stream.id, seat.arbitrator_id) not in self._votes:
                continue
            refund_fen, salt = self._votes[stream.id, seat.arbitrator_id]
            await self._market.ask(
                Asker.ARBITRATOR,
                RevealVote(
                    shop_id=PLATFORM,
                    panel_id=stream.id,
                    arbitrator_id=seat.arbitrator_id,
                    refund_fen=refund_fen,
                    row="R05" if refund_fen else "R04",
                    salt=salt,
                    reason=REASON,
                    reason_salt=salt,
                ),
            )

    def _panel(self, stream: Stream) -> Panel:
        file = self._market.file(stream)
        assert isinstance(file, PanelFile)
        return file.panel
