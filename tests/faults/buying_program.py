"""A process that sells orders and is killed: `python buying_program.py '{...}'`.

Each answer it gets is in its journal, on the disk, before it asks the next thing. Started again, it goes on where the
journal ends: what it may have asked before, it asks again with the same id.
"""

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import asyncpg

from api_world import settings_for
from fairkey.adapters.postgres.embedded import EmbeddedPostgres
from fairkey.adapters.postgres.store import AWAY
from fairkey.app import Opened, open_house
from fairkey.business.askers import Asker
from fairkey.business.orders import ConfirmOrder, WithdrawOrder
from fairkey.business.references import read_reference
from fairkey.effects.ports import PaymentNotice
from fairkey.engine import trade
from fairkey.engine.answers import Answer, StoreIsAway
from faults_world import PromptProvider

NOT_NOW = (StoreIsAway, asyncpg.PostgresError, *AWAY)
PAUSE_S = 0.05
PRICE_FEN = 9_500
ENDS = ("open", "open and confirm", "step back", "leave")  # what the buyers do, in turn


class Journal:
    """What was answered."""

    def __init__(self, file: Path) -> None:
        self.told = read_journal(file)
        self._file = file.open("ab")
        # Half a line is what a killed process leaves: it was not answered to anybody.
        self._file.truncate(sum(len(json.dumps(line)) + 1 for line in self.told))

    def of(self, number: int, step: str) -> dict[str, Any] | None:
        return next((line for line in self.told if (line["number"], line["step"]) == (number, step)), None)

    def write(self, line: dict[str, Any]) -> None:
        self._file.write(json.dumps(line).encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())
        self.told.append(line)
        print(line["step"], flush=True)


def read_journal(file: Path) -> list[dict[str, Any]]:
    """Every whole line."""
    lines = file.read_bytes().split(b"\n")[:-1] if file.exists() else []
    return [json.loads(line) for line in lines]


class Buying:
    """Sells orders through a house."""

    def __init__(self, opened: Opened, journal: Journal, run: str, shop: dict[str, Any]) -> None:
        self.opened, self.house, self.journal, self.run, self.shop = opened, opened.house, journal, run, shop

    async def sell(self, number: int) -> None:
        placed = await self.step(number, "place", lambda key: self.place(number, key))
        await self.step(number, "pay", lambda key: self.pay(key, placed))
        end = ENDS[number % len(ENDS)]
        if "open" in end:
            await self.step(number, "open", lambda key: self.open(key, placed))
        if "confirm" in end:
            await self.step(number, "confirm", lambda key: self.ask(key, placed, ConfirmOrder))
        if end == "step back":
            await self.step(number, "step back", lambda key: self.ask(key, placed, WithdrawOrder))

    async def step(self, number: int, step: str, ask: Callable[[str], Awaitable[dict[str, Any]]]) -> dict[str, Any]:
        """The answer in the journal, or a new one."""
        known = self.journal.of(number, step)
        if known is not None:
            return known
        while True:
            try:
                answer = {"number": number, "step": step, **await ask(f"{self.run}:{number}:{step}")}
                break
            except NOT_NOW:
                await asyncio.sleep(PAUSE_S)
        self.journal.write(answer)
        return answer

    async def place(self, number: int, key: str) -> dict[str, Any]:
        wish = trade.Placing(
            shop_id=self.shop["shop_id"],
            listing_id=self.shop["listing_id"],
            revision=1,
            quantity=1,
            contact=f"{self.run}{number}@example.com",
        )
        placed = await trade.place(self.house, wish, command_id=key)
        assert not placed.answer.refusal, placed
        return {"order_id": placed.order_id, "reference": placed.reference}

    async def pay(self, key: str, placed: dict[str, Any]) -> dict[str, Any]:
        assert read_reference(placed["reference"]) is not None
        notice = PaymentNotice(
            provider_txn=key,
            reference=placed["reference"],
            amount_fen=PRICE_FEN,
            currency="CNY",
            paid_at_ms=self.house.now_ms(),
        )
        answer = await trade.record_notice(self.house, "sandbox", notice)
        assert answer is not None
        return self.stage(answer)

    async def open(self, key: str, placed: dict[str, Any]) -> dict[str, Any]:
        answer, opened = await trade.open_codes(
            self.house, shop_id=self.shop["shop_id"], order_id=placed["order_id"], command_id=key
        )
        return {**self.stage(answer), "texts": [code.text for code in opened.values()]}

    async def ask(self, key: str, placed: dict[str, Any], kind: Any) -> dict[str, Any]:  # noqa: ANN401 - a command
        command = kind(shop_id=self.shop["shop_id"], order_id=placed["order_id"])
        return self.stage(await self.house.ask(Asker.BUYER, command, command_id=key))

    @staticmethod
    def stage(answer: Answer) -> dict[str, Any]:
        assert not answer.refusal, answer
        return {"stage": answer.facts["stage"]}


async def main(dsn: str, told: dict[str, Any]) -> None:
    settings = settings_for(dsn, Path(told["state"]))
    journal = Journal(Path(told["journal"]))
    while True:
        try:
            async with open_house(settings, dsn, providers={"sandbox": PromptProvider()}) as opened:
                buying = Buying(opened, journal, told["run"], told["shop"])
                for number in range(told["orders"]):
                    await buying.sell(number)
            break
        except NOT_NOW:  # opening and closing a house beside a server that dies
            await asyncio.sleep(PAUSE_S)


if __name__ == "__main__":
    words = json.loads(sys.argv[1])
    with EmbeddedPostgres(Path(words["postgres"])) as server:
        asyncio.run(main(server.dsn(), words))
