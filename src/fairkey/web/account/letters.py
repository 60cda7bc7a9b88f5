"""Letters about an account: prove the address, set a new password, somebody tried to register again."""

import logging

from fairkey.effects.ports import MailIsUnreachable, MailWasRefused
from fairkey.engine.house import House
from fairkey.engine.people import Errand, ErrandKind
from fairkey.web.i18n import locale_named, texts_of
from fairkey.web.render import PageContext, render_text

logger = logging.getLogger(__name__)


async def post(house: House, errand: Errand | None) -> bool:
    """Send the letter; whether it was handed over. Who asked learns nothing of it: a carrier that is away is logged."""
    if errand is None or house.mail is None:
        return False
    locale = locale_named(errand.locale) or "zh_CN"
    context = PageContext(
        platform_name=house.settings.platform_name, locale=locale, now_ms=house.now_ms(), path=house.settings.origin
    )
    gettext = texts_of(locale).gettext
    subjects = {
        ErrandKind.VERIFY: gettext("Confirm your e-mail address"),
        ErrandKind.RESET: gettext("Set a new password"),
        ErrandKind.ALREADY_REGISTERED: gettext("You already have an account"),
    }
    path = {ErrandKind.VERIFY: f"/verify/{errand.token}", ErrandKind.RESET: f"/reset/{errand.token}"}.get(
        errand.kind, "/login"
    )
    text = render_text(
        context,
        "account/letter.txt",
        kind=errand.kind.value,
        link=f"{house.settings.origin}{path}",
        expires_at_ms=errand.expires_at_ms,
    )
    try:
        await house.mail.send(
            errand.to, subjects[errand.kind], text, None, idempotency_key=f"{errand.kind}:{house.new_id()}"
        )
    except (MailIsUnreachable, MailWasRefused) as error:
        logger.warning("a letter of kind %s could not be handed over: %s", errand.kind, type(error).__name__)
        return False
    return True
