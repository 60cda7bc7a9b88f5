"""A house with two buyers' histories behind it, and eyes that open everything that lies sealed in its database."""

import json
import subprocess
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from api_world import PRICE_FEN, Clock, deposit, open_shop, publish, settings_for
from fairkey.adapters.postgres import embedded
from fairkey.adapters.postgres.store import sealed_aad
from fairkey.app import Opened, open_house
from fairkey.business import complaints, dispute_events, orders, reviews
from fairkey.business.askers import Asker
from fairkey.business.basics import Command, Stream
from fairkey.business.escrow import RecordPayment
from fairkey.effects.ports import Attachment
from fairkey.engine import trade
from fairkey.engine.answers import Answer
from fairkey.engine.erasing import Person
from fairkey.engine.house import House
from faults_world import PromptProvider

START_MS = 1_777_777_777_123
ALICE, BOB = "alice.secretive@example.com", "bob@example.org"
SEALING_KEY_BYTES = 32


@dataclass
class KeptMail:
    """Keeps every letter."""

    sent: list[str] = field(default_factory=list)

    async def send(
        self,
        to: str,
        subject: str,
        text: str,
        html: str | None,
        idempotency_key: str,
        attachments: Sequence[Attachment] = (),
    ) -> None:
        self.sent.append(to)


@dataclass
class Past:
    """A house, its clock, and what was written down while it was made."""

    opened: Opened
    clock: Clock
    mail: KeptMail
    shop_id: str
    listing_id: str
    database_url: str
    orders: dict[str, str] = field(default_factory=dict)  # what it is called here -> order id
    texts: dict[str, str] = field(default_factory=dict)  # what it is called here -> the code in clear

    @property
    def house(self) -> House:
        return self.opened.house

    async def ask(self, by: Asker, command: Command) -> Answer:
        answer = await self.house.ask(by, command)
        assert not answer.refusal, answer
        return answer

    async def settle(self) -> None:
        """Everything that follows is done."""
        while await self.opened.worker.step():
            pass

    async def place(self, name: str, contact: str, account_id: str = "") -> str:
        wish = trade.Placing(
            shop_id=self.shop_id,
            listing_id=self.listing_id,
            revision=1,
            quantity=1,
            contact=contact,
            account_id=account_id,
            address=f"203.0.113.{len(self.orders)}",
        )
        placed = await trade.place(self.house, wish)
        assert not placed.answer.refusal, placed.answer
        self.orders[name] = placed.order_id
        return placed.order_id

    async def pay(self, name: str) -> None:
        command = RecordPayment(
            shop_id=self.shop_id,
            order_id=self.orders[name],
            provider="sandbox",
            provider_txn=f"txn-{name}",
            amount_fen=PRICE_FEN,
            paid_at_ms=self.clock(),
        )
        await self.ask(Asker.PROVIDER, command)

    async def open(self, name: str, account_name: str) -> None:
        _, opened = await trade.open_codes(
            self.house,
            shop_id=self.shop_id,
            order_id=self.orders[name],
            code_ids=(),
            account_name=account_name,
            account_region="CN",
        )
        (self.texts[name],) = (one.text for one in opened.values())

    async def buy(self, name: str, contact: str, account_name: str, account_id: str = "") -> None:
        await self.place(name, contact, account_id)
        await self.pay(name)
        await self.open(name, account_name)

    async def complete(self, name: str) -> None:
        await self.ask(Asker.BUYER, orders.ConfirmOrder(shop_id=self.shop_id, order_id=self.orders[name]))
        await self.settle()

    async def review(self, name: str, text: str) -> None:
        command = reviews.PostReview(
            shop_id=self.shop_id, order_id=self.orders[name], speed=5, code_worked=True, text=text
        )
        await self.ask(Asker.BUYER, command)

    async def complain(self, name: str, text: str) -> None:
        command = complaints.OpenComplaint(
            shop_id=self.shop_id, order_id=self.orders[name], reason=dispute_events.Reason.NOT_VALID, text=text
        )
        await self.ask(Asker.BUYER, command)

    async def accept(self, name: str) -> None:
        await self.ask(
            Asker.MERCHANT, complaints.AcceptComplaint(shop_id=self.shop_id, order_id=self.orders[name])
        )
        await self.settle()

    async def person(self, email: str = ALICE) -> Person:
        found = await self.house.erasures.person_of(email=email)
        assert found is not None
        return found

    # Eyes.

    async def everything_sealed(self) -> str:
        """All that is sealed in the database, opened with the house's keys, and everything that is not sealed."""
        keys, pool, found = self.opened.keys, self.opened.pool, []
        for row in await pool.fetch("SELECT * FROM sealed_fields"):
            stream = Stream(str(row["shop_id"]), row["stream_kind"], str(row["stream_id"]))
            plain = keys.open("contacts", sealed_aad(stream, row["version"]), row["sealed"])
            found += msgspec.json.decode(plain[SEALING_KEY_BYTES:], type=dict[str, str]).values()
        for row in await pool.fetch("SELECT code_id, sealed FROM vault WHERE sealed IS NOT NULL"):
            found.append(keys.open("codes", row["code_id"].bytes, row["sealed"]).decode("latin-1"))
        for row in await pool.fetch("SELECT account_id, email_sealed FROM accounts WHERE email_sealed IS NOT NULL"):
            found.append(keys.open("contacts", f"account:{row['account_id']}".encode(), row["email_sealed"]).decode())
        return "\n".join(found) + self.dump()

    def dump(self) -> str:
        program = embedded.programs_folder() / "pg_dump"
        done = subprocess.run([program, "--dbname", self.database_url], check=True, capture_output=True)
        return done.stdout.decode("utf-8", "replace")

    async def facts(self) -> list[tuple[object, ...]]:
        """Every event, byte for byte."""
        rows = await self.opened.pool.fetch(
            "SELECT stream_kind, stream_id, version, body, leaf_hash FROM events WHERE kind <> 'person.erased' "
            "ORDER BY recorded"
        )
        return [tuple(row) for row in rows]

    async def erasures_told(self) -> list[dict[str, object]]:
        rows = await self.opened.pool.fetch("SELECT body FROM events WHERE kind = 'person.erased' ORDER BY recorded")
        return [json.loads(row["body"])["public"] for row in rows]


@asynccontextmanager
async def a_past(database_url: str, state: Path) -> AsyncIterator[Past]:
    """One shop and a listing with codes."""
    clock, mail = Clock(START_MS), KeptMail()
    settings = settings_for(database_url, state)
    async with open_house(
        settings, database_url, now_ms=clock, providers={"sandbox": PromptProvider()}, mail=mail
    ) as opened:
        shop_id, _ = await open_shop(opened)
        listing_id = await publish(opened, shop_id)
        await deposit(opened, shop_id, listing_id, 12)
        yield Past(opened, clock, mail, shop_id, listing_id, database_url)


