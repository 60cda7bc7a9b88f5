"""What the worker does for panels: list the pool, draw when the checkpoint is there, reveal, note how each judged.

Every step may be done twice, by two workers at once, or be cut off anywhere: each asks commands whose answers are kept
under an id made of the panel, and decides nothing that chance or a clock of its own has a part in.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import msgspec

from fairkey.business.arbitrators import NoteJudged, NoteReversed
from fairkey.business.askers import Asker
from fairkey.business.basics import PLATFORM, SECOND_MS, Command, Stream
from fairkey.business.panel_events import PanelStage, Seat
from fairkey.business.panels import FEE_FEN, LEVELS, ListPool, Panel, RevealVote, SeatPanel, panel_id_of
from fairkey.effects.outbox import NotYet
from fairkey.proofs.checkpoints import read_checkpoint
from fairkey.proofs.draws import Member, draw, read_pool
from fairkey.proofs.notes import read_note
from fairkey.proofs.panel_files import write_panel_file
from fairkey.proofs.receipts import Receipt, read_leaf, read_receipt

from .house import House

SEATS_AT_ONCE_MAX: Final = 5  # who has so many votes to give is not drawn for another
LOOK_AGAIN_MS: Final = 5 * SECOND_MS

logger = logging.getLogger(__name__)


class Ballot(msgspec.Struct, frozen=True):
    """What a sealed ballot holds."""

    refund_fen: int
    row: str
    salt: str
    reason: str
    reason_salt: str


async def list_pool(house: House, panel_id: str) -> None:
    """Publish who may be drawn: every active arbitrator but those in conflict, of an earlier level, or too busy."""
    record = await house.questions.panels.panel(panel_id)
    if record is None or record.panel.stage is not PanelStage.REQUESTED:
        return
    panel = record.panel
    active = [one for one in await house.questions.panels.arbitrators() if one.arbitrator.may_be_drawn]
    accounts = {}
    for one in active:
        account_id = one.arbitrator.account_id
        address = await house.people.accounts.email_of(account_id)
        accounts[account_id] = house.keys.buyer_key(address).hex() if address else ""
    traded = await house.questions.panels.traded(panel.order_shop_id, accounts)
    earlier = await _earlier(house, panel)
    busy = await _busy(house)
    pool, excluded = [], []
    for one in active:
        ground = ""
        if one.arbitrator.account_id in traded:
            ground = "trade"
        elif one.arbitrator_id in earlier:
            ground = "earlier_level"
        elif busy.get(one.arbitrator_id, 0) >= SEATS_AT_ONCE_MAX:
            ground = "busy"
        if ground:
            excluded.append(f"{one.arbitrator_id} {ground}")
        else:
            member = Member(one.arbitrator_id, one.arbitrator.side.value, one.arbitrator.categories)
            pool.append(member.line())
    command = ListPool(shop_id=PLATFORM, panel_id=panel_id, pool=tuple(sorted(pool)), excluded=tuple(sorted(excluded)))
    await _ask(house, command, f"panel:{panel_id}:pool")


async def draw_panel(house: House, panel_id: str) -> None:
    """Draw, when a witnessed checkpoint covers the pool. Raises `NotYet` before that."""
    record = await house.questions.panels.panel(panel_id)
    if record is None or record.panel.stage is not PanelStage.CONVENED:
        return
    first = await _first(house, panel_id, record.panel)
    if first is None:
        raise NotYet(house.now_ms() + LOOK_AGAIN_MS)
    checkpoint = read_checkpoint(read_note(first.proof.checkpoint).text)
    pool = msgspec.convert(read_leaf(first.entry).public["pool"], list[str])
    result = draw(
        seed=checkpoint.root,
        panel_id=panel_id,
        level=record.panel.level,
        category=record.panel.category,
        pool=read_pool(pool),
    )
    command = SeatPanel(
        shop_id=PLATFORM,
        panel_id=panel_id,
        checkpoint_size=checkpoint.size,
        checkpoint_root=checkpoint.root.hex(),
        seats=tuple(Seat(*one) for one in result.seats) if result else (),
        standbys=tuple(Seat(*one) for one in result.standbys) if result else (),
    )
    await _ask(house, command, f"panel:{panel_id}:seats")


async def reveal_panel(house: House, panel_id: str) -> None:
    """Reveal the ballots that the house kept sealed."""
    record = await house.questions.panels.panel(panel_id)
    if record is None or record.panel.stage is not PanelStage.REVEALING:
        return
    for fact in await house.questions.panels.facts(panel_id, with_sealed=True):
        sealed = fact.sealed.get("ballot") if fact.kind == "panel.vote_committed" else None
        if not sealed:
            continue
        ballot = msgspec.json.decode(sealed, type=Ballot)
        arbitrator_id = str(fact.public["arbitrator_id"])
        command = RevealVote(
            shop_id=PLATFORM,
            panel_id=panel_id,
            arbitrator_id=arbitrator_id,
            refund_fen=ballot.refund_fen,
            row=ballot.row,
            salt=ballot.salt,
            reason=ballot.reason,
            reason_salt=ballot.reason_salt,
        )
        await _ask(house, command, f"panel:{panel_id}:reveal:{arbitrator_id}")


async def settle_panel(house: House, panel_id: str) -> None:
    """Note in each arbitrator's figures how he judged, and whom a higher panel reversed."""
    record = await house.questions.panels.panel(panel_id)
    if record is None or record.panel.stage not in (PanelStage.DECIDED, PanelStage.LAPSED):
        return
    panel = record.panel
    for_buyer = panel.refund_fen > 0
    is_decided = panel.stage is PanelStage.DECIDED
    for seat in panel.seats:
        voted = seat.refund_fen >= 0
        await _judged(
            house,
            panel_id,
            seat.arbitrator_id,
            voted=voted,
            agreed=voted and is_decided and (seat.refund_fen > 0) == for_buyer,
            fee_fen=FEE_FEN[panel.level] if voted else 0,
        )
    for arbitrator_id in panel.replaced:
        await _judged(house, panel_id, arbitrator_id, voted=False, agreed=False, fee_fen=0)
    if is_decided:
        await _reverse_earlier(house, panel, panel_id, for_buyer=for_buyer)


async def _reverse_earlier(house: House, panel: Panel, panel_id: str, *, for_buyer: bool) -> None:
    for level in LEVELS:
        lower_id = panel_id_of(panel.order_id, level)
        lower = await house.questions.panels.panel(lower_id) if level < panel.level else None
        for seat in lower.panel.seats if lower and lower.panel.stage is PanelStage.DECIDED else ():
            if seat.refund_fen >= 0 and (seat.refund_fen > 0) != for_buyer:
                command = NoteReversed(
                    shop_id=PLATFORM, arbitrator_id=seat.arbitrator_id, panel_id=lower_id, by_panel_id=panel_id
                )
                await _ask(house, command, f"panel:{panel_id}:reversed:{lower_id}:{seat.arbitrator_id}")


async def _judged(house: House, panel_id: str, arbitrator_id: str, *, voted: bool, agreed: bool, fee_fen: int) -> None:
    command = NoteJudged(
        shop_id=PLATFORM, arbitrator_id=arbitrator_id, panel_id=panel_id, voted=voted, agreed=agreed, fee_fen=fee_fen
    )
    await _ask(house, command, f"panel:{panel_id}:judged:{arbitrator_id}")


async def panel_file(house: House, panel_id: str) -> bytes | None:
    """The file with which anybody draws this panel again; None while no checkpoint covers its pool."""
    record = await house.questions.panels.panel(panel_id)
    if record is None or not record.panel.convened_version:
        return None
    first = await _first(house, panel_id, record.panel)
    newest = None
    stream = Stream(PLATFORM, "panel", panel_id)
    for place in reversed(await house.log.places(stream)):
        if place.is_witnessed:
            newest = await house.log.receipt(stream, place.version)
            break
    if first is None or newest is None:
        return None
    last = read_receipt(newest)
    return write_panel_file([*last.chain, last.entry], first.proof)


async def _first(house: House, panel_id: str, panel: Panel) -> Receipt | None:
    data = await house.log.first_receipt(Stream(PLATFORM, "panel", panel_id), panel.convened_version)
    return read_receipt(data) if data else None


async def _earlier(house: House, panel: Panel) -> set[str]:
    """Who had a seat on a lower level of the same dispute."""
    seen: set[str] = set()
    for level in LEVELS:
        lower = await house.questions.panels.panel(panel_id_of(panel.order_id, level)) if level < panel.level else None
        if lower:
            seen.update(seat.arbitrator_id for seat in lower.panel.seats)
            seen.update(lower.panel.replaced)
    return seen


async def _busy(house: House) -> dict[str, int]:
    votes: dict[str, int] = {}
    for record in await house.questions.panels.panels(only_open=True, lines_max=10_000):
        for seat in record.panel.seats:
            if not seat.commitment:
                votes[seat.arbitrator_id] = votes.get(seat.arbitrator_id, 0) + 1
    return votes


async def _ask(house: House, command: Command, command_id: str) -> None:
    answer = await house.ask(Asker.CLOCK, command, command_id=command_id)
    if answer.refusal:
        logger.info("a panel had moved on already: %s was refused: %s", type(command).__name__, answer.refusal)


STEPS: Final[Mapping[str, Callable[[House, str], Awaitable[None]]]] = {
    "list_pool": list_pool,
    "draw_panel": draw_panel,
    "reveal_panel": reveal_panel,
    "settle_panel": settle_panel,
}
"""By the kind of the effect; given the panel's id."""
