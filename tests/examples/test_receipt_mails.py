"""The letter of a delivery: it waits a while for its receipt, and goes without one when the log takes too long."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.policy import SMTP
from pathlib import Path

from api_world import BUYER, SECRET, Clock, deposit, open_shop, publish, settings_for
from fairkey.adapters.mail.folder import FolderMail
from fairkey.adapters.payments.sandbox import SandboxProvider
from fairkey.app import Opened, open_house
from fairkey.business.askers import Asker
from fairkey.business.escrow import RecordPayment
from fairkey.effects.ports import Attachment, MailIsUnreachable
from fairkey.engine import trade
from fairkey.proofs.receipts import read_receipt
from receipt_world import policy, write_log

SECOND_MS = 1_000


@dataclass
class Postbox:
    """Keeps letters; away as long as told."""

    letters: list[tuple[str, str, Sequence[Attachment]]] = field(default_factory=list)
    is_away: bool = False

    async def send(
        self,
        to: str,
        subject: str,
        text: str,
        html: str | None,
        idempotency_key: str,
        attachments: Sequence[Attachment] = (),
    ) -> None:
        if self.is_away:
            raise MailIsUnreachable("away")
        if "codes are here" in subject or "卡密" in subject:
            self.letters.append((to, text, attachments))


@dataclass
class Delivered:
    """A house in which one order has just been delivered."""

    opened: Opened
    clock: Clock
    post: Postbox

    async def work(self) -> None:
        """Whatever is due now."""
        while await self.opened.worker.do_effects():
            pass

    async def attempts(self) -> int:
        """How often the letter was really tried."""
        return int(await self.opened.pool.fetchval("SELECT attempts FROM effects WHERE kind = 'tell_buyer'"))


@asynccontextmanager
async def delivered(database_url: str, state: Path, *, waits: bool = True) -> AsyncIterator[Delivered]:
    clock, post = Clock(), Postbox()
    settings = settings_for(database_url, state)
    async with (
        SandboxProvider("http://127.0.0.1:9", SECRET.encode(), now_ms=clock) as provider,
        open_house(
            settings,
            database_url,
            now_ms=clock,
            providers={"sandbox": provider},
            mail=post,
            waits_for_log=waits,
        ) as opened,
    ):
        shop_id, _ = await open_shop(opened)
        listing_id = await publish(opened, shop_id)
        await deposit(opened, shop_id, listing_id, 1)
        placed = await trade.place(
            opened.house,
            trade.Placing(
                shop_id=shop_id,
                listing_id=listing_id,
                revision=1,
                quantity=1,
                contact=BUYER,
                coupon_code="",
                address="192.0.2.1",
            ),
        )
        where = await trade.locate(opened.house, placed.reference)
        assert where is not None
        paid = RecordPayment(
            shop_id=shop_id,
            order_id=where[1],
            provider="sandbox",
            provider_txn="t1",
            amount_fen=9_500,
            paid_at_ms=clock(),
        )
        answer = await opened.house.ask(Asker.PROVIDER, paid)
        assert "order.delivered" in answer.kinds
        yield Delivered(opened, clock, post)


async def test_the_letter_carries_the_receipt_once_it_is_there(database_url: str, tmp_path: Path) -> None:
    async with delivered(database_url, tmp_path) as world:
        await world.work()
        assert world.post.letters == []
        await write_log(world.opened, database_url)
        await world.work()
        assert world.post.letters == [], "it is looked for again in a second, not all the time"
        world.clock.ms += SECOND_MS
        await world.work()
        ((to, text, attached),) = world.post.letters
        assert to == BUYER
        receipt = read_receipt(attached[0].data)
        receipt.check_proof(await policy(world.opened))
        assert receipt.facts().kind == "order.delivered"
        assert receipt.check_chain() == receipt.facts().version - 1
        assert attached[0].name.endswith(f"-{receipt.facts().version}.fairkey-receipt")
        assert "回执" in text


async def test_after_a_minute_it_goes_without(database_url: str, tmp_path: Path) -> None:
    async with delivered(database_url, tmp_path) as world:
        for _ in range(59):
            await world.work()
            world.clock.ms += SECOND_MS
        await world.work()
        assert world.post.letters == []
        world.post.is_away = True
        world.clock.ms += SECOND_MS
        await world.work()
        assert await world.attempts() == 1, "waiting is no failed try, so the next comes soon"
        world.post.is_away = False
        world.clock.ms += 10 * SECOND_MS
        await world.work()
        ((_, text, attached),) = world.post.letters
        assert list(attached) == []
        assert "回执" not in text


async def test_without_a_writer_of_the_log_nothing_waits(database_url: str, tmp_path: Path) -> None:
    async with delivered(database_url, tmp_path, waits=False) as world:
        await world.work()
        assert len(world.post.letters) == 1


async def test_the_receipt_arrives_as_it_was_sent(tmp_path: Path) -> None:
    mail = FolderMail(tmp_path / "mails")
    data = bytes(range(256)) + "回执\r\n.\r\n".encode()
    attachment = Attachment(name="06A3-7.fairkey-receipt", data=data)
    await mail.send(BUYER, "s", "text", "<p>html", idempotency_key="k", attachments=[attachment])
    message = message_from_bytes(mail.letters()[0].read_bytes(), policy=SMTP)
    (part,) = message.iter_attachments()
    assert part.get_filename() == attachment.name
    assert part.get_content_type() == "application/octet-stream"
    assert part.get_content() == data
