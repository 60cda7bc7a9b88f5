"""Letters about a shop itself: its application, its half-yearly check, measures, a changed payout account."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from fairkey.effects.outbox import Waiting
from fairkey.effects.ports import Mail
from fairkey.engine.admission_port import Dossier
from fairkey.engine.house import House
from fairkey.engine.people import Role
from fairkey.web import formats
from fairkey.web.i18n import DEFAULT_LOCALE, Locale, locale_named, texts_of
from fairkey.web.i18n import marked as _
from fairkey.web.render import PageContext, render_text


class Words(NamedTuple):
    """A letter's sentences as message ids; they may use `reason` and the moments of the effect."""

    subject: str
    lines: tuple[str, ...]
    button: str = _("To the desk")
    path: str = "/desk/admission"


_APPEAL: Final = _("You can appeal at your desk; a person who can lift the measure answers.")
_BATCH: Final = "/desk/batches/{id}"
_RUNNING: Final = _("Orders under way go on, and settled money can still be paid out.")

LETTERS: Final[Mapping[str, Words]] = {
    "application_passed": Words(
        _("Verified: %(shop)s"),
        (_("The reviewers wrote: %(reason)s"), _("The next check is due at %(until_ms)s; we write 30 days before.")),
    ),
    "application_returned": Words(
        _("More is asked for: %(shop)s"),
        (_("The reviewers wrote: %(reason)s"), _("What is missing stands at your desk.")),
        _("Mend the application"),
    ),
    "application_refused": Words(
        _("Refused: %(shop)s"),
        (_("The reviewers wrote: %(reason)s"), _("You may send another application.")),
    ),
    "check_near": Words(
        _("Confirm who stands behind %(shop)s"),
        (
            _("The law wants your data checked every six months. Look through it and send it until %(until_ms)s."),
            _("After that the shop takes no new orders until it was checked."),
        ),
        _("Confirm now"),
    ),
    "check_lapsed": Words(
        _("No new orders: the check of %(shop)s is overdue"),
        (_("Confirm your data; once it was checked the shop opens again by itself."), _RUNNING),
        _("Confirm now"),
    ),
    "sanctioned_suspension": Words(
        _("Suspended: %(shop)s"), (_("The operator's reason: %(because)s"), _RUNNING, _APPEAL), _("Read and appeal")
    ),
    "sanctioned_ban": Words(
        _("Banned: %(shop)s"), (_("The operator's reason: %(because)s"), _RUNNING, _APPEAL), _("Read and appeal")
    ),
    "batch_quarantined": Words(
        _("A batch of %(shop)s was taken off sale"),
        (
            _("A ruling about one of its codes casts doubt on all of it. Nothing of it is sold any more."),
            _("Codes that their issuer signs to be unused come back by themselves; or ask a person."),
            _("Or take them out: then they are yours, and never come back."),
        ),
        _("See the batch"),
        _BATCH,
    ),
    "batch_vouched_for": Words(
        _("Codes of %(shop)s are on sale again"),
        (_("Their issuer signed that they are unused. What he has not vouched for still waits."),),
        _("See the batch"),
        _BATCH,
    ),
    "batch_review_granted": Words(
        _("A batch of %(shop)s is on sale again"),
        (_("A person looked at your grounds and let it back. The reason stands with the batch."),),
        _("See the batch"),
        _BATCH,
    ),
    "batch_review_refused": Words(
        _("A batch of %(shop)s stays off sale"),
        (
            _("A person looked at your grounds and refused. The reason stands with the batch."),
            _("Codes that their issuer signs to be unused come back all the same."),
        ),
        _("Read the reason"),
        _BATCH,
    ),
    "batch_review_lapsed": Words(
        _("Nobody answered about a batch of %(shop)s"),
        (_("The batch stays off sale. You may ask again, or take its codes out."),),
        _("See the batch"),
        _BATCH,
    ),
    "credit_throttled": Words(
        _("The meter of %(shop)s rose"),
        (
            _("Rulings against the shop count up, clean orders count down: the meter is in the yellow."),
            _("Half as much may be open at once, and money of orders is held twice as long."),
            _("Each line of it stands on your credit page."),
        ),
        _("See each line"),
        "/desk/credit",
    ),
    "credit_frozen": Words(
        _("No new orders: the meter of %(shop)s reached its end"),
        (
            _("Rulings found too many of its orders bad. A person looks at it within three days."),
            _RUNNING,
            _("Each line of it stands on your credit page."),
        ),
        _("See each line"),
        "/desk/credit",
    ),
    "credit_normal": Words(
        _("The meter of %(shop)s fell: all limits are as before"),
        (_("Each line of it stands on your credit page."),),
        _("See each line"),
        "/desk/credit",
    ),
    "credit_reviewed": Words(
        _("A person looked at it: %(shop)s may trade again"),
        (_("It goes on with halved limits; clean orders bring the meter down."),),
        _("See each line"),
        "/desk/credit",
    ),
    "vanished": Words(
        _("No sign of life: the open orders of %(shop)s are refunded"),
        (
            _("For two days nobody of the shop was seen, and a ruling by row R18 was carried out."),
            _("All open orders go back to their buyers, and no new ones are taken."),
            _("Settled money can still be paid out."),
            _("If you are back, say so at your desk: a person looks at it within 72 hours."),
        ),
        path="/desk",
    ),
    "returned": Words(
        _("A person looked at it: %(shop)s may trade again"),
        (_("What was refunded stays refunded. The meter stands as it stood."),),
        path="/desk",
    ),
    "reinstated": Words(_("The measure was lifted: %(shop)s"), (_("The page of published measures says so too."),)),
    "payout_account_changed": Words(
        _("The payout account of %(shop)s was changed"),
        (
            _("Money can be paid out to the new account from %(payable_from_ms)s on."),
            _("If it was not you: change your password and write to the platform before then."),
        ),
        path="/desk/settings",
    ),
}
"""By the `what` of the effect."""


async def tell_shop(house: House, mail: Mail, waiting: Waiting) -> None:
    """Write to the owners, or where a shop has none left to everybody who works there."""
    words = LETTERS.get(str(waiting.payload.get("what")))
    dossier = await house.admissions.dossier(waiting.stream.shop_id)
    if words is None or dossier is None:
        return
    staff = await house.people.staff.of_shop(waiting.stream.shop_id)
    owners = [member for member in staff if member.role is Role.OWNER]
    for member in owners or staff:
        address = await house.people.accounts.email_of(member.account_id)
        if address:
            account = await house.people.accounts.find(member.account_id)
            locale = (locale_named(account.locale) if account else None) or DEFAULT_LOCALE
            subject, text, html = _letter(house, words, dossier, waiting, locale)
            await mail.send(address, subject, text, html, idempotency_key=f"{waiting.key}:{member.account_id}")


def _letter(
    house: House, words: Words, dossier: Dossier, waiting: Waiting, locale: Locale
) -> tuple[str, str, str]:
    texts = texts_of(locale)
    values = {
        "shop": dossier.shop.name,
        "reason": dossier.admission.reason,
        "because": dossier.shop.suspended_because or formats.NONE,
        **{
            name: formats.clock(value)
            for name, value in waiting.payload.items()
            if isinstance(value, int) and name.endswith("_ms")
        },
    }
    subject = " ".join((texts.gettext(words.subject) % values).split())
    shown: dict[str, object] = {
        "subject": subject,
        "lines": [texts.gettext(line) % values for line in words.lines],
        "button": texts.gettext(words.button),
        "link": house.settings.origin + words.path.replace("{id}", waiting.stream.id),
        "number": str(dossier.shop.shop_no),
        "product": "",
        "quantity": "",
        "shop": dossier.shop.name,
        "is_buyer": False,
        "is_of_shop": True,
    }
    context = PageContext(platform_name=house.settings.platform_name, locale=locale, now_ms=house.now_ms())
    return (
        subject,
        render_text(context, "mails/letter.txt", **shown),
        render_text(context, "mails/letter.html", **shown),
    )
