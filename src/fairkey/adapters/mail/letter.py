"""From what an effect wants to say to a message on the wire: nothing in it can become a header of its own."""

import hashlib
import re
from collections.abc import Sequence
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate

from fairkey.effects.ports import Attachment, MailWasRefused

LONGEST_ADDRESS = 254
LONGEST_SUBJECT = 200
CONTROL = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]+")


def key_digest(idempotency_key: str) -> str:
    """40 hex digits that stand for a key, so that the key itself (it may name an order) is not in the mail."""
    return hashlib.sha256(idempotency_key.encode()).hexdigest()[:40]


def address(text: str, name: str = "") -> Address:
    """One mailbox. Raises `MailWasRefused` for anything else: two, a list, a name with it, a line break."""
    if not 0 < len(text) <= LONGEST_ADDRESS or CONTROL.search(text) or any(char.isspace() for char in text):
        raise MailWasRefused("address_is_unusable")
    try:
        mailbox = Address(display_name=CONTROL.sub(" ", name), addr_spec=text)
    except (HeaderParseError, ValueError, IndexError) as error:
        raise MailWasRefused("address_is_unusable") from error
    if not mailbox.username or not mailbox.domain:
        raise MailWasRefused("address_is_unusable")
    return mailbox


def letter(
    *,
    sender: Address,
    to: str,
    subject: str,
    text: str,
    html: str | None,
    idempotency_key: str,
    sent_at_s: float,
    attachments: Sequence[Attachment] = (),
) -> EmailMessage:
    """The whole message. `sent_at_s` is Unix time; the same key gives the same Message-ID."""
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = address(to)
    # A subject may quote what a merchant wrote: control characters, line breaks above all, become one space.
    message["Subject"] = CONTROL.sub(" ", subject).strip()[:LONGEST_SUBJECT]
    message["Date"] = formatdate(sent_at_s)
    message["Message-ID"] = f"<{key_digest(idempotency_key)}@{_ascii_domain(sender)}>"
    # RFC 3834: no vacation notice answers these.
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text, charset="utf-8")
    if html is not None:
        message.add_alternative(html, subtype="html", charset="utf-8")
    for one in attachments:
        message.add_attachment(one.data, maintype="application", subtype="octet-stream", filename=one.name)
    return message


def _ascii_domain(sender: Address) -> str:
    try:
        return sender.domain.encode("idna").decode()
    except UnicodeError as error:
        raise MailWasRefused("address_is_unusable") from error
