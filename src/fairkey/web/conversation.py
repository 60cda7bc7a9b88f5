"""The conversation about an order, as the pages of both sides show it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from fairkey.business.lures import Lure
from fairkey.business.messages import TEXT_MAX
from fairkey.engine.conversations import MessageLine, lines_of
from fairkey.read_tables.order_book import Fact, OrderRecord
from fairkey.web.i18n import marked as _

SHOWN_MAX: Final = 100

LURE_WORDS: Final[Mapping[Lure, str]] = {
    Lure.CONTACT: _("an account elsewhere"),
    Lure.PHONE: _("a telephone number"),
    Lure.LINK: _("a foreign address"),
    Lure.PAYMENT: _("payment past the escrow"),
    Lure.SHOP: _("another shop"),
}


@dataclass(frozen=True, slots=True)
class Draft:
    """What was typed and not taken. `must_confirm`: it leads off the platform, so far as can be told."""

    text: str = ""
    must_confirm: bool = False


NO_DRAFT: Final = Draft()


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """The newest messages, oldest first; `more` older ones are not shown."""

    lines: Sequence[MessageLine]
    more: int
    may_write: bool
    draft: Draft = NO_DRAFT
    text_max: int = TEXT_MAX

    def word_for(self, lure: Lure) -> str:
        """What it leads to, as a message id."""
        return LURE_WORDS[lure]


def conversation_of(record: OrderRecord, facts: Sequence[Fact], draft: Draft = NO_DRAFT) -> Conversation:
    """The conversation about an order; `facts` with sealed fields opened."""
    lines = lines_of(facts)
    return Conversation(
        lines=lines[-SHOWN_MAX:],
        more=max(len(lines) - SHOWN_MAX, 0),
        may_write=record.file.order.stage.value not in {"new", "placed", "expired"},
        draft=draft,
    )
