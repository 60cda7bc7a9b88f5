"""A house with arbitrators, a contested order and a log that is written when a test says so."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from api_world import PRICE_FEN, World
from fairkey.business.arbitrators import AdmitArbitrator, Side
from fairkey.business.askers import ASKERS, Asker
from fairkey.business.basics import HOUR_MS, PLATFORM
from fairkey.business.complaints import ContestComplaint, OpenComplaint
from fairkey.business.dispute_events import Reason
from fairkey.business.panels import ConvenePanel, Panel, panel_id_of
from fairkey.business.references import read_reference
from fairkey.engine import docket
from fairkey.engine.calibration import CASES, EXAM

PASSWORD = "correct horse battery"
RIGHT = {one.id: "buyer" if one.for_buyer else "shop" for one in CASES[:EXAM]}


@dataclass
class Judges:
    """Admitted arbitrators: pseudonym -> account id."""

    accounts: dict[str, str]


async def judges(world: World, each: int = 3) -> Judges:
    """So many arbitrators of each side, through the application, the test set and the operator."""
    house = world.opened.house
    accounts: dict[str, str] = {}
    for side in Side:
        for number in range(each):
            registered = await house.people.accounts.register(
                email=f"{side.value}{number}@example.com", password=PASSWORD
            )
            assert registered.account is not None
            account_id = registered.account.account_id
            text = "I have judged such things for years."
            answer = await docket.apply(house, account_id, side=side, categories=("game",), text=text, answers=RIGHT)
            assert not answer.refusal, answer
            arbitrator_id = docket.arbitrator_id_of(house, account_id)
            admitted = await house.ask(Asker.OPERATOR, AdmitArbitrator(shop_id=PLATFORM, arbitrator_id=arbitrator_id))
            assert not admitted.refusal, admitted
            accounts[arbitrator_id] = account_id
    return Judges(accounts)


async def contested(world: World, **changes: object) -> str:
    """An opened order whose complaint the shop contests: its id."""
    return await contested_about(world, await world.paid(**changes))


async def contested_about(world: World, placed: Mapping[str, Any]) -> str:
    """The same for an order that was paid before."""
    await world.of_order(placed, "reveal", {"account_name": "Lin 88", "account_region": "国区"})
    read = read_reference(placed["reference"])
    assert read is not None
    ask = world.opened.house.ask
    opened = OpenComplaint(shop_id=world.shop_id, order_id=read[1], reason=Reason.ALREADY_USED, text="It says used.")
    assert not (await ask(Asker.BUYER, opened)).refusal
    world.clock.ms += HOUR_MS
    contest = ContestComplaint(shop_id=world.shop_id, order_id=read[1], text="It was fresh.")
    assert not (await ask(Asker.MERCHANT, contest)).refusal
    return read[1]


async def convene(world: World, order_id: str, level: int = 3) -> str:
    """Ask for a panel as an escalation does; nobody outside can, so the test opens the door for a moment."""
    panel_id = panel_id_of(order_id, level)
    command = ConvenePanel(
        shop_id=PLATFORM,
        panel_id=panel_id,
        order_shop_id=world.shop_id,
        order_id=order_id,
        level=level,
        value_fen=PRICE_FEN,
    )
    kept = ASKERS[ConvenePanel]
    ASKERS[ConvenePanel] = frozenset({Asker.CLOCK})
    try:
        answer = await world.opened.house.ask(Asker.CLOCK, command)
    finally:
        ASKERS[ConvenePanel] = kept
    assert not answer.refusal, answer
    return panel_id


async def panel_of(world: World, panel_id: str) -> Panel:
    """How it stands."""
    record = await world.opened.house.questions.panels.panel(panel_id)
    assert record is not None
    return record.panel


def state_of(tmp_path: Path) -> Path:
    """A state folder for tiles."""
    folder = tmp_path / "state"
    folder.mkdir(exist_ok=True)
    return folder
