"""What buyer and shop wrote to each other about an order, out of its facts."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from fairkey.business.lures import Lure
from fairkey.business.messages import MessageSent, SendMessage, Writer
from fairkey.read_tables.order_book import Fact, OrderRecord

from .house import House


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageLine:
    """One message. `text` is empty once it was erased; `version` names its fact."""

    message_no: int
    by: Writer
    at_ms: int
    text: str
    version: int
    lures: tuple[Lure, ...]


def lines_of(facts: Sequence[Fact]) -> list[MessageLine]:
    """The messages among an order's facts (sealed fields opened), oldest first."""
    return [
        MessageLine(
            message_no=_number(fact.public.get("message_no")),
            by=Writer(str(fact.public["by"])),
            at_ms=fact.at_ms,
            text=fact.sealed.get("text", ""),
            version=fact.version,
            lures=tuple(Lure(str(one)) for one in _several(fact.public.get("lures"))),
        )
        for fact in facts
        if fact.kind == MessageSent.kind
    ]


def sending(house: House, record: OrderRecord, by: Writer, text: str, *, sure: bool) -> SendMessage:
    """The command that sends `text`; an address of this house leads nowhere else."""
    return SendMessage(
        shop_id=record.shop_id,
        order_id=record.order_id,
        by=by,
        text=text,
        sure=sure,
        own_host=urlsplit(house.settings.origin).hostname or "",
    )


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


def _several(value: object) -> Sequence[object]:
    return value if isinstance(value, list | tuple) else ()
