"""The mails that effects ask for: who gets which, in which language, with which links. Never a code in a mail.

A buyer's mail leads to the order with its secret; a merchant's leads to the desk, where he logs in.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from fairkey.business.basics import MINUTE_MS, SECOND_MS, Broken
from fairkey.business.listings import decode_terms
from fairkey.business.references import reference_of
from fairkey.effects.outbox import NotYet, Waiting
from fairkey.effects.ports import Attachment, Mail
from fairkey.effects.queue import REMIND
from fairkey.engine.answers import StoreIsAway
from fairkey.engine.house import House
from fairkey.engine.people import Role
from fairkey.engine.receipts import DISCLOSED, Party
from fairkey.gates.order_access import LINK_PARAMETER
from fairkey.proofs.receipts import RECEIPT_SUFFIX
from fairkey.read_tables.order_book import OrderRecord
from fairkey.web import formats
from fairkey.web.buyer.glance import grouped
from fairkey.web.buyer.story import WHY_MONEY
from fairkey.web.i18n import DEFAULT_LOCALE, Locale, locale_named, texts_of
from fairkey.web.i18n import marked as _
from fairkey.web.mails_of_reminders import WORDS_OF_TURN, due_reminder
from fairkey.web.mails_to_arbitrators import tell_arbitrator
from fairkey.web.mails_to_shops import tell_shop
from fairkey.web.render import PageContext, render_text
from fairkey.web.states import look

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """A letter's sentences as message ids. They may use what is in `_values`; the first line is the important one."""

    subject: str
    lines: tuple[str, ...]
    button: str = _("To the order")


BUYER: Final[Mapping[str, Words]] = {
    "delivered": Words(
        subject=_("Your codes are here: %(product)s × %(quantity)s"),
        lines=(
            _("They lie sealed in your order. Start a screen recording before you open them."),
            _(
                "Your money stays held. After the first opening you have 72 hours to complain; "
                "while every code is sealed you can step back for the whole price."
            ),
        ),
        button=_("Open the codes"),
    ),
    "refund": Words(
        subject=_("%(amount_fen)s goes back to you: %(product)s"),
        lines=(
            _("Reason: %(why)s."),
            _(
                "The payment provider sends it to the account you paid from. "
                "The order's page says when it is confirmed."
            ),
        ),
    ),
    "paid": Words(
        subject=_("Paid, and held until you have it: %(product)s"),
        lines=(
            _("The shop types your codes until %(deliver_by_ms)s."),
            _("If it does not, everything goes back to you by itself."),
        ),
    ),
    "contested": Words(
        subject=_("The shop disagrees with your complaint: %(product)s"),
        lines=(
            _("What it says stands on the order's page. The money stays frozen."),
            _("The published standard decides; what it leaves open is decided by people drawn by lot."),
        ),
        button=_("Read the answer"),
    ),
    "message": Words(
        subject=_("The shop wrote to you: %(product)s"),
        lines=(
            _("Its message stands on the order's page, where every word is kept."),
            _("Never pay or talk elsewhere, whoever asks: there is neither escrow nor evidence."),
        ),
        button=_("Read the message"),
    ),
    "offered": Words(
        subject=_("The shop offers you a settlement: %(product)s"),
        lines=(_("%(refund_fen)s back, and the complaint is over. Nothing happens until you answer."),),
        button=_("Answer the offer"),
    ),
    "asked": Words(
        subject=_("The shop asks you something: %(product)s"),
        lines=(_("Reply until %(reply_by_ms)s. Without a reply the complaint ends and the shop is paid."),),
        button=_("Reply"),
    ),
    "lapsed": Words(
        subject=_("Your complaint has ended: %(product)s"),
        lines=(
            _("You did not reply to the shop's question in time."),
            _("Until %(reopen_by_ms)s you can re-open it, once, with new evidence; after that the shop is paid."),
        ),
        button=_("Re-open the complaint"),
    ),
    "resent": Words(
        subject=_("Other codes are here: %(product)s"),
        lines=(
            _("The shop sent a replacement. It lies sealed in your order; open it and say whether it works."),
            _("Until %(confirm_by_ms)s you can complain again. Silence says that it works."),
        ),
        button=_("Open the codes"),
    ),
    "ruled": Words(
        subject=_("Your complaint is ruled: %(product)s"),
        lines=(
            _("By the published standard %(refund_fen)s goes back to you; the reason stands on the order's page."),
            _("Who lost can appeal until %(appeal_by_ms)s or ask for a person; then it is carried out."),
        ),
        button=_("Read the ruling"),
    ),
    "panel_ruled": Words(
        subject=_("The panel has decided: %(product)s"),
        lines=(
            _("%(level)s people drawn by lot decided: %(refund_fen)s goes back to you."),
            _("Who lost can appeal until %(appeal_by_ms)s; then it is carried out."),
        ),
        button=_("Read the ruling"),
    ),
    "escalated": Words(
        subject=_("A panel decides your complaint: %(product)s"),
        lines=(_("People drawn by lot decide until %(decide_by_ms)s."),),
    ),
    "claimable": Words(
        subject=_("The shop has vanished; your order is still answered for: %(product)s"),
        lines=(
            _("If a code turns out to have been used before you opened it, or was revoked, you can claim its price."),
            _("The issuer's word decides. Claims are taken until %(claim_by_ms)s; then what is left is divided."),
            _("If your codes work, there is nothing to do."),
        ),
    ),
    "complaint_closed": Words(
        subject=_("Your complaint is over: %(product)s"),
        lines=(_("How it ended: %(outcome)s."), _("%(refund_fen)s goes back to you.")),
    ),
}
"""To buyers, by the `what` of the effect."""

MERCHANT: Final[Mapping[str, Words]] = {
    "deliver_now": Words(
        subject=_("Deliver now: %(product)s × %(quantity)s"),
        lines=(
            _("The order is paid. Type the codes until %(deliver_by_ms)s."),
            _("After that it is cancelled by itself and the buyer gets the money back."),
        ),
        button=_("To the desk"),
    ),
    "complaint": Words(
        subject=_("A complaint: %(product)s"),
        lines=(
            _("Answer until %(answer_by_ms)s: agree, or say why not."),
            _("Silence loses: after that the money goes back to the buyer by itself."),
        ),
        button=_("To the desk"),
    ),
    "message": Words(
        subject=_("The buyer wrote to you: %(product)s"),
        lines=(_("The message stands on the order's page at your desk."),),
        button=_("To the desk"),
    ),
    "offered": Words(
        subject=_("The buyer offers a settlement: %(product)s"),
        lines=(_("%(refund_fen)s back to the buyer, and the complaint is over. Nothing happens until you answer."),),
        button=_("To the desk"),
    ),
    "reopened": Words(
        subject=_("A complaint was re-opened: %(product)s"),
        lines=(_("The buyer gave new evidence. The published standard is asked again."),),
        button=_("To the desk"),
    ),
    "resend_confirmed": Words(
        subject=_("The replacement works: %(product)s"),
        lines=(_("The buyer has said so. The complaint ends by itself and you are paid."),),
        button=_("To the desk"),
    ),
    "resend_refused": Words(
        subject=_("The replacement fails: %(product)s"),
        lines=(
            _("The buyer complains about the new code as well. Answer until %(answer_by_ms)s."),
            _("Silence loses: after that the money goes back to the buyer by itself."),
        ),
        button=_("To the desk"),
    ),
    "ruled": Words(
        subject=_("A complaint is ruled: %(product)s"),
        lines=(
            _("By the published standard %(refund_fen)s goes back to the buyer; the reason stands at your desk."),
            _("Who lost can appeal until %(appeal_by_ms)s or ask for a person; then it is carried out."),
        ),
        button=_("To the desk"),
    ),
    "panel_ruled": Words(
        subject=_("The panel has decided: %(product)s"),
        lines=(
            _("%(level)s people drawn by lot decided: %(refund_fen)s goes back to the buyer."),
            _("Who lost can appeal until %(appeal_by_ms)s; then it is carried out."),
        ),
        button=_("To the desk"),
    ),
    "escalated": Words(
        subject=_("A panel decides a complaint: %(product)s"),
        lines=(_("People drawn by lot decide until %(decide_by_ms)s."),),
        button=_("To the desk"),
    ),
    "complaint_closed": Words(
        subject=_("The complaint is over: %(product)s"),
        lines=(_("How it ended: %(outcome)s."), _("%(refund_fen)s goes back to the buyer.")),
        button=_("To the desk"),
    ),
}
"""To shops, by the `what` of the effect."""


RECEIPT_WAIT_MS: Final = MINUTE_MS
RECEIPT_LOOK_MS: Final = SECOND_MS
RECEIPT_LINE: Final = _(
    "Attached is the receipt of the delivery: it proves, also without us, what was sold and delivered when."
)


class Letters:
    """Writes and sends the mail of a `tell_*` effect."""

    def __init__(self, house: House, mail: Mail | None, *, waits_for_log: bool = False) -> None:
        """`waits_for_log`: the letter of a delivery waits a while for its receipt; somebody has to write the log."""
        self._house = house
        self._mail = mail
        self._waits_for_log = waits_for_log

    async def tell(self, waiting: Waiting) -> None:
        """Send what `waiting` asks for; raises what the mail carrier raises.

        Somebody who cannot be reached (no address, erased) gets nothing; the pages say the same.
        """
        if waiting.kind == "tell_arbitrator":
            if self._mail is not None:
                await tell_arbitrator(self._house, self._mail, waiting)
            return
        if waiting.stream.kind in ("shop", "credit", "batch"):
            if self._mail is not None:
                await tell_shop(self._house, self._mail, waiting)
            return
        record = await self._house.questions.order_book.find(waiting.stream.shop_id, waiting.stream.id)
        words = (BUYER if waiting.kind == "tell_buyer" else MERCHANT).get(str(waiting.payload.get("what")))
        if waiting.payload.get("what") == REMIND and record is not None:
            until_ms = due_reminder(waiting, record, self._house.now_ms())
            if not until_ms:
                return
            waiting = replace(waiting, payload={**waiting.payload, "until_ms": until_ms})
            subject, lines, button = WORDS_OF_TURN[str(waiting.payload["turn"])]
            words = Words(subject=subject, lines=lines, button=button)
        if self._mail is None or record is None or words is None:
            logger.info("nobody to tell, or nothing to say, about %s", waiting.payload.get("what"))
            return
        if waiting.kind == "tell_buyer":
            await self._to_buyer(waiting, record, words)
        else:
            await self._to_merchant(waiting, record, words)

    async def _receipt(self, waiting: Waiting, record: OrderRecord) -> list[Attachment]:
        """The receipt that goes with a letter: of the delivery, with all that was before it. None when the log took too
        long; the page has it then. Raises `NotYet` while it is worth waiting.
        """
        if waiting.payload.get("what") != "delivered":
            return []
        log, stream = self._house.log, waiting.stream
        place = next((one for one in reversed(await log.places(stream)) if one.kind == "order.delivered"), None)
        if place is None:
            return []
        try:
            disclose = DISCLOSED[Party.BUYER].get(place.kind, frozenset())
            data = await log.receipt(stream, place.version, disclose=disclose)
        except (Broken, StoreIsAway):
            logger.exception("a letter goes without its receipt")
            return []
        if data is None:
            now_ms = self._house.now_ms()
            if self._waits_for_log and now_ms - place.at_ms < RECEIPT_WAIT_MS:
                raise NotYet(now_ms + RECEIPT_LOOK_MS)
            return []
        name = f"{reference_of(record.shop_no, record.order_id)}-{place.version}{RECEIPT_SUFFIX}"
        return [Attachment(name=name, data=data)]

    async def _to_buyer(self, waiting: Waiting, record: OrderRecord, words: Words) -> None:
        contact = await self._house.questions.order_book.contact_of(record.shop_id, record.order_id)
        if not contact:
            return
        order = record.file.order
        locale = locale_named(order.locale) or await self._locale_of(order.account_id)
        secret = self._house.keys.order_secret(record.order_id)
        path = f"/o/{reference_of(record.shop_no, record.order_id)}?{LINK_PARAMETER}={secret}"
        attached = await self._receipt(waiting, record)
        if attached:
            words = replace(words, lines=(*words.lines, RECEIPT_LINE))
        await self._send(contact, waiting.key, self._letter(waiting, record, words, path, locale), attached)

    async def _to_merchant(self, waiting: Waiting, record: OrderRecord, words: Words) -> None:
        """To the owners, or where a shop has none left to everybody who works there."""
        staff = await self._house.people.staff.of_shop(record.shop_id)
        owners = [member for member in staff if member.role is Role.OWNER]
        path = f"/desk/orders/{reference_of(record.shop_no, record.order_id)}"
        for member in owners or staff:
            address = await self._house.people.accounts.email_of(member.account_id)
            if address:
                locale = await self._locale_of(member.account_id)
                letter = self._letter(waiting, record, words, path, locale)
                await self._send(address, f"{waiting.key}:{member.account_id}", letter)

    def _letter(
        self, waiting: Waiting, record: OrderRecord, words: Words, path: str, locale: Locale
    ) -> tuple[str, str, str]:
        """Subject, text, HTML."""
        texts = texts_of(locale)
        values = _values(waiting, record, locale)
        nothing_back = waiting.payload.get("refund_fen") == 0
        lines = [
            texts.gettext(line) % values for line in words.lines if not ("%(refund_fen)s" in line and nothing_back)
        ]
        settings = self._house.settings
        subject = texts.gettext(words.subject) % values
        shown: dict[str, object] = {
            "subject": subject,
            "lines": lines,
            "button": texts.gettext(words.button),
            "link": f"{settings.origin}{path}",
            "number": grouped(reference_of(record.shop_no, record.order_id)),
            "product": values["product"],
            "quantity": values["quantity"],
            "shop": record.shop_name,
            "is_of_shop": False,
            "is_buyer": waiting.kind == "tell_buyer",
        }
        context = PageContext(platform_name=settings.platform_name, locale=locale, now_ms=self._house.now_ms())
        return (
            " ".join(subject.split()),
            render_text(context, "mails/letter.txt", **shown),
            render_text(context, "mails/letter.html", **shown),
        )

    async def _send(
        self, to: str, key: str, letter: tuple[str, str, str], attached: Sequence[Attachment] = ()
    ) -> None:
        if self._mail is not None:
            subject, text, html = letter
            await self._mail.send(to, subject, text, html, idempotency_key=key, attachments=attached)

    async def _locale_of(self, account_id: str) -> Locale:
        account = await self._house.people.accounts.find(account_id) if account_id else None
        return (locale_named(account.locale) if account else None) or DEFAULT_LOCALE


def _values(waiting: Waiting, record: OrderRecord, locale: Locale) -> dict[str, str]:
    """What sentences may name, written for people."""
    texts = texts_of(locale)
    values = {"product": decode_terms(record.terms_json).product, "quantity": str(record.file.order.quantity)}
    tables: Mapping[str, Callable[[str], str]] = {
        "why": lambda word: texts.gettext(WHY_MONEY.get(word, word)),
        "outcome": lambda word: texts.gettext(look("outcome", word).label),
    }
    for name, value in waiting.payload.items():
        if isinstance(value, int) and name.endswith("_fen"):
            values[name] = formats.fen(value)
        elif isinstance(value, int) and name.endswith("_ms"):
            values[name] = formats.clock(value)
        elif isinstance(value, str):
            values[name] = tables[name](value) if name in tables else value
    return values
