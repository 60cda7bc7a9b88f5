"""Letters to arbitrators: a seat was drawn, and a few hours are left to vote."""

from collections.abc import Mapping
from typing import Final

from fairkey.effects.outbox import Waiting
from fairkey.effects.ports import Mail
from fairkey.engine.house import House
from fairkey.web import formats
from fairkey.web.i18n import DEFAULT_LOCALE, locale_named, texts_of
from fairkey.web.i18n import marked as _
from fairkey.web.render import PageContext, render_text

LETTERS: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "seated": (
        _("You were drawn: a case waits for your vote"),
        (
            _("Read it and vote until %(commit_by_ms)s. After that the next drawn takes your seat."),
            _("If you know a party or the matter, step back."),
        ),
    ),
    "remind": (
        _("A case still waits for your vote"),
        (_("Vote until %(commit_by_ms)s, or the next drawn takes your seat."),),
    ),
}
"""By the `what` of the effect."""


async def tell_arbitrator(house: House, mail: Mail, waiting: Waiting) -> None:
    """Write to the arbitrator of a seat, unless he has voted or lost it by now."""
    letter = LETTERS.get(str(waiting.payload.get("what")))
    arbitrator_id = str(waiting.payload.get("arbitrator_id"))
    record = await house.questions.panels.panel(waiting.stream.id)
    arbitrator = await house.questions.panels.arbitrator(arbitrator_id)
    seat_no = record.panel.seat_of(arbitrator_id) if record else 0
    if letter is None or record is None or arbitrator is None or not seat_no:
        return
    account_id = arbitrator.arbitrator.account_id
    address = await house.people.accounts.email_of(account_id)
    if record.panel.seats[seat_no - 1].commitment or not address:
        return
    account = await house.people.accounts.find(account_id)
    locale = (locale_named(account.locale) if account else None) or DEFAULT_LOCALE
    texts = texts_of(locale)
    values = {"commit_by_ms": formats.clock(record.panel.due_at_ms)}
    shown: dict[str, object] = {
        "subject": texts.gettext(letter[0]),
        "lines": [texts.gettext(line) % values for line in letter[1]],
        "button": texts.gettext(_("To the docket")),
        "link": f"{house.settings.origin}/docket/{waiting.stream.id}",
        "number": "",
        "product": "",
        "quantity": "",
        "shop": "",
        "is_buyer": False,
        "is_of_shop": True,
    }
    context = PageContext(platform_name=house.settings.platform_name, locale=locale, now_ms=house.now_ms())
    text, html = (render_text(context, f"mails/letter.{kind}", **shown) for kind in ("txt", "html"))
    await mail.send(address, str(shown["subject"]), text, html, idempotency_key=waiting.key)
