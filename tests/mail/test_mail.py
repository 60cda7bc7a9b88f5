"""Mail over a real SMTP conversation and into a folder: what arrives, what is refused, what is tried again."""

import email
import email.policy
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from fairkey.adapters.mail.folder import FolderMail
from fairkey.adapters.mail.letter import letter
from fairkey.adapters.mail.smtp import MailAddressIsUnusable, SmtpMail, SmtpServer
from fairkey.effects.ports import Mail, MailIsUnreachable, MailWasRefused

NOW_S = 1_790_000_000.0
SENDER = "shop@fairkey.example"


class Carrier:
    """Takes letters, or answers what the test wants to the recipient or to the letter."""

    def __init__(self) -> None:
        self.taken: list[EmailMessage] = []
        self.recipients: list[str] = []
        self.to_recipient = "250 OK"
        self.to_letter = "250 OK"

    async def handle_RCPT(  # noqa: N802 the library calls it so
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.to_recipient.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.to_recipient

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 see above
        if self.to_letter.startswith("250"):
            assert isinstance(envelope.content, bytes)
            self.taken.append(email.message_from_bytes(envelope.content, policy=email.policy.SMTP))
            self.recipients += envelope.rcpt_tos
        return self.to_letter


@pytest.fixture
def carrier() -> Carrier:
    return Carrier()


@pytest.fixture
def port(carrier: Carrier, unused_tcp_port: int) -> Iterator[int]:
    controller = Controller(carrier, hostname="127.0.0.1", port=unused_tcp_port)
    controller.start()
    yield controller.port
    controller.stop()


def smtp(port: int, **more: float) -> SmtpMail:
    return SmtpMail(f"smtp://127.0.0.1:{port}?tls=none", SENDER, sender_name="公平钥匙", now_s=lambda: NOW_S, **more)


async def test_a_letter_arrives_as_text_and_html(port: int, carrier: Carrier) -> None:
    mail: Mail = smtp(port)
    await mail.send(
        "buyer@example.com", "订单 K-1 已发货", "卡密已发货。\n请打开订单。", "<p>卡密已发货。</p>", "mail:1"
    )
    [taken] = carrier.taken
    assert carrier.recipients == ["buyer@example.com"]
    assert taken["Subject"] == "订单 K-1 已发货"
    assert taken["From"] == f"公平钥匙 <{SENDER}>"
    assert taken["Date"] == "Mon, 21 Sep 2026 14:13:20 -0000"
    text, html = taken.get_body(("plain",)), taken.get_body(("html",))
    assert text is not None
    assert html is not None
    assert text.get_content().replace("\r\n", "\n") == "卡密已发货。\n请打开订单。\n"
    assert html.get_content().strip() == "<p>卡密已发货。</p>"


async def test_the_same_key_gives_the_same_message_id(port: int, carrier: Carrier) -> None:
    for key in ("order:1", "order:1", "order:2"):
        await smtp(port).send("buyer@example.com", "s", "t", None, key)
    first, again, other = (taken["Message-ID"] for taken in carrier.taken)
    assert first == again != other
    assert first.endswith("@fairkey.example>")
    assert "order" not in first


@pytest.mark.parametrize("breaking", ["\r\n", "\n", "\r", "\x00", "\u2028", "\x85", "\n\n"])
async def test_a_subject_cannot_become_a_header(port: int, carrier: Carrier, breaking: str) -> None:
    await smtp(port).send("buyer@example.com", f"Sold{breaking}Bcc: thief@example.com", "t", None, "k")
    [taken] = carrier.taken
    assert taken["Bcc"] is None
    assert taken["Subject"] == "Sold Bcc: thief@example.com"
    assert carrier.recipients == ["buyer@example.com"]


UNUSABLE = [
    "",
    "nobody",
    "@example.com",
    "a@",
    "a@b@c",
    "a@example.com,b@example.com",
    "a@example.com\nBcc: b@example.com",
    "a@example.com\r\nRCPT TO:<b@example.com>",
    "Name <a@example.com>",
    "a b@example.com",
    "a@example.com ",
    f"{'a' * 250}@example.com",
]


@pytest.mark.parametrize("to", UNUSABLE)
async def test_an_unusable_address_is_refused_before_anything_is_sent(port: int, carrier: Carrier, to: str) -> None:
    with pytest.raises(MailWasRefused, match="address_is_unusable"):
        await smtp(port).send(to, "s", "t", None, "k")
    assert carrier.taken == []


@pytest.mark.parametrize(
    ("recipient", "data", "expected"),
    [
        ("550 5.1.1 no such mailbox buyer@example.com", "250 OK", MailWasRefused),
        ("450 4.2.1 try later", "250 OK", MailIsUnreachable),
        ("250 OK", "554 5.7.1 looks like spam", MailWasRefused),
        ("250 OK", "451 4.3.0 disk full", MailIsUnreachable),
        ("530 5.7.0 authenticate first", "250 OK", MailIsUnreachable),
    ],
)
async def test_what_the_carrier_answers_decides_whether_to_try_again(
    port: int, carrier: Carrier, recipient: str, data: str, expected: type[Exception]
) -> None:
    carrier.to_recipient, carrier.to_letter = recipient, data
    with pytest.raises(expected) as caught:
        await smtp(port).send("buyer@example.com", "s", "t", None, "k")
    assert "buyer@example.com" not in str(caught.value)
    carrier.to_recipient = carrier.to_letter = "250 OK"
    await smtp(port).send("buyer@example.com", "s", "t", None, "k")
    assert len(carrier.taken) == 1


async def test_nobody_at_the_door_is_unreachable(unused_tcp_port: int) -> None:
    with pytest.raises(MailIsUnreachable, match="Connect"):
        await smtp(unused_tcp_port).send("buyer@example.com", "s", "t", None, "k")


async def test_a_carrier_without_tls_gets_no_letter_when_tls_is_wanted(port: int, carrier: Carrier) -> None:
    mail = SmtpMail(f"smtp://127.0.0.1:{port}?tls=starttls", SENDER)
    with pytest.raises(MailIsUnreachable, match="STARTTLS"):
        await mail.send("buyer@example.com", "s", "t", None, "k")
    assert carrier.taken == []


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
@pytest.mark.parametrize(("password", "arrives"), [("p%40ss:w", True), ("wrong", False)])
async def test_a_password_from_the_url_opens_the_door(
    carrier: Carrier, unused_tcp_port: int, password: str, arrives: bool
) -> None:
    def check(
        server: SMTP, session: Session, envelope: Envelope, mechanism: str, auth_data: LoginPassword
    ) -> AuthResult:
        return AuthResult(success=auth_data == LoginPassword(b"me@x", b"p@ss:w"), handled=False)

    controller = Controller(
        carrier,
        hostname="127.0.0.1",
        port=unused_tcp_port,
        authenticator=check,
        auth_required=True,
        auth_require_tls=False,
    )
    controller.start()
    try:
        url = f"smtp://me%40x:{password}@127.0.0.1:{unused_tcp_port}?tls=none"
        mail = SmtpMail(url, SENDER)
        if arrives:
            await mail.send("buyer@example.com", "s", "t", None, "k")
        else:
            with pytest.raises(MailIsUnreachable, match="535"):
                await mail.send("buyer@example.com", "s", "t", None, "k")
    finally:
        controller.stop()
    assert len(carrier.taken) == arrives


@pytest.mark.parametrize(
    ("url", "tls", "port"),
    [
        ("smtp://mx.example", "starttls", 587),
        ("smtps://u:p@mx.example", "implicit", 465),
        ("smtp://u:p@mx.example:465?tls=implicit", "implicit", 465),
        ("smtp://localhost:2525", "none", 2525),
        ("smtp://u:p@localhost:2525", "starttls", 2525),
        ("smtp://mx.example:25?tls=none", "none", 25),
    ],
)
def test_tls_is_used_unless_told_otherwise(url: str, tls: str, port: int) -> None:
    server = SmtpServer.from_url(url)
    assert (server.tls, server.port) == (tls, port)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://mx.example",
        "smtp://",
        "smtp://mx.example:port",
        "smtp://mx.example/path",
        "smtp://mx.example?tls=maybe",
        "smtps://mx.example?tls=none",
        "smtp://u:p@mx.example?tls=none",
    ],
)
def test_an_unusable_server_address_is_refused(url: str) -> None:
    with pytest.raises(MailAddressIsUnusable):
        SmtpServer.from_url(url)


async def test_letters_in_a_folder_can_be_opened_and_are_written_once(tmp_path: Path) -> None:
    mail = FolderMail(tmp_path / "mail", SENDER, now_s=lambda: NOW_S)
    for key in ("b", "a", "b"):
        await mail.send("buyer@example.com", f"Letter {key}", "你好", None, key)
    written = mail.letters()
    assert len(written) == 2
    assert all(path.name.startswith("20260921T141320Z-") for path in written)
    assert {path.stat().st_mode & 0o777 for path in written} == {0o600}
    assert {path.name for path in mail.folder.iterdir()} == {path.name for path in written}
    read = [email.message_from_bytes(path.read_bytes(), policy=email.policy.default) for path in written]
    assert {message["Subject"] for message in read} == {"Letter a", "Letter b"}
    assert {message.get_content().strip() for message in read} == {"你好"}


@pytest.mark.parametrize("to", UNUSABLE)
async def test_a_folder_refuses_the_same_addresses(tmp_path: Path, to: str) -> None:
    with pytest.raises(MailWasRefused):
        await FolderMail(tmp_path, SENDER).send(to, "s", "t", None, "k")
    assert list(tmp_path.iterdir()) == []


def test_no_vacation_notice_answers() -> None:
    from fairkey.adapters.mail.letter import address

    message = letter(
        sender=address(SENDER), to="b@example.com", subject="s", text="t", html=None, idempotency_key="k", sent_at_s=0
    )
    assert message["Auto-Submitted"] == "auto-generated"
