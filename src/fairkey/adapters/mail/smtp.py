"""Mail over SMTP: one connection per letter, TLS unless plainly told otherwise, no retries (the outbox retries)."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal
from urllib.parse import parse_qs, unquote, urlsplit

import aiosmtplib

from fairkey.adapters.mail.letter import address, letter
from fairkey.effects.ports import Attachment, MailIsUnreachable, MailWasRefused

Tls = Literal["implicit", "starttls", "none"]
TIMEOUT_S = 20.0
IMPLICIT_TLS_PORT = 465
SUBMISSION_PORT = 587
PERMANENT = range(500, 600)
NEIGHBOURS = {"localhost", "127.0.0.1", "::1"}
OURS_TO_REPAIR = {530, 534, 535, 538}
"""Answers about our account and not about the letter (RFC 4954): it waits until the operator has set that right."""


class MailAddressIsUnusable(ValueError):
    """The SMTP URL cannot be read, or would send a password in the clear."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpServer:
    """Where letters are handed over."""

    host: str
    port: int
    username: str | None
    password: str | None
    tls: Tls

    @classmethod
    def from_url(cls, url: str) -> "SmtpServer":
        """Read `smtp://user:password@host:port?tls=implicit|starttls|none` (or `smtps://`, which means implicit).

        Without `tls`: STARTTLS, but none to this very machine when no password is sent.
        """
        parts = urlsplit(url)
        asked = parse_qs(parts.query).get("tls", [""])[-1]
        try:
            port = parts.port
        except ValueError as error:
            raise MailAddressIsUnusable("the port is no number") from error
        if parts.scheme not in {"smtp", "smtps"} or not parts.hostname or parts.path not in {"", "/"}:
            raise MailAddressIsUnusable("expected smtp://user:password@host:port?tls=implicit|starttls|none")
        near = parts.hostname in NEIGHBOURS
        tls: Tls
        match asked, parts.scheme:
            case ("implicit", _) | ("", "smtps"):
                tls = "implicit"
            case "starttls", "smtp":
                tls = "starttls"
            case "none", "smtp":
                tls = "none"
            case "", _:
                tls = "none" if near and parts.password is None else "starttls"
            case _:
                raise MailAddressIsUnusable(f"tls={asked} does not go with {parts.scheme}://")
        if tls == "none" and parts.password is not None and not near:
            raise MailAddressIsUnusable("a password is not sent to another machine without TLS")
        return cls(
            host=parts.hostname,
            port=port or (IMPLICIT_TLS_PORT if tls == "implicit" else SUBMISSION_PORT),
            username=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password is not None else None,
            tls=tls,
        )


class SmtpMail:
    """Port `Mail`."""

    def __init__(
        self,
        url: str,
        sender: str,
        *,
        sender_name: str = "",
        now_s: Callable[[], float] = time.time,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        """Send from `sender` through the server at `url` (see `SmtpServer.from_url`, which may refuse it);
        `timeout_s` bounds each step of the conversation.
        """
        self._server = SmtpServer.from_url(url)
        self._sender = address(sender, sender_name)
        self._now_s = now_s
        self._timeout_s = timeout_s

    async def send(
        self,
        to: str,
        subject: str,
        text: str,
        html: str | None,
        idempotency_key: str,
        attachments: Sequence[Attachment] = (),
    ) -> None:
        """See the port."""
        message = letter(
            sender=self._sender,
            to=to,
            subject=subject,
            text=text,
            html=html,
            idempotency_key=idempotency_key,
            attachments=attachments,
            sent_at_s=self._now_s(),
        )
        try:
            await aiosmtplib.send(
                message,
                sender=self._sender.addr_spec,
                recipients=[to],
                hostname=self._server.host,
                port=self._server.port,
                username=self._server.username,
                password=self._server.password,
                use_tls=self._server.tls == "implicit",
                start_tls=self._server.tls == "starttls",
                timeout=self._timeout_s,
            )
        except aiosmtplib.SMTPRecipientsRefused as error:
            raise _refusal(error.recipients[0]) from error
        except aiosmtplib.SMTPResponseException as error:
            raise _refusal(error) from error
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            raise MailIsUnreachable(f"{type(error).__name__}: {error}") from error


def _refusal(error: aiosmtplib.SMTPResponseException) -> MailIsUnreachable | MailWasRefused:
    """What a 4yz or 5yz answer means for the letter; the server's words, shortened, without the address."""
    said = f"{error.code} {error.message}"[:200]
    if isinstance(error, aiosmtplib.SMTPRecipientRefused):
        said = said.replace(error.recipient, "<recipient>")
    if error.code in PERMANENT and error.code not in OURS_TO_REPAIR:
        return MailWasRefused(said)
    return MailIsUnreachable(said)
