"""Mails: what DKIM proves of them and what it does not, with keys that are given, kept or away; and hostile ones."""

import base64
import json
from pathlib import Path

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from case_world import BEGAN_MS, a_case
from fairkey.casework.disk import FileIsRefused
from fairkey.casework.mails import Records, look_with, read_mail
from fairkey.casework.model import Capture
from fairkey.casework.sealing import add_bytes

NAME = "s1._domainkey.shop.example"
PLAIN = (
    "From: 店铺 <service@shop.example>\r\nTo: buyer@example.com\r\nSubject: order 123\r\n"
    "Date: Fri, 20 Nov 2026 10:00:00 +0800\r\nMessage-ID: <1@shop.example>\r\n\r\n"
    "Your code will be there in 72 hours.\r\n"
).encode()


class Domain:
    """A domain with a key."""

    def __init__(self, bits: int = 2048) -> None:
        self.key = rsa.generate_private_key(65537, bits)
        public = self.key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        self.txt = f"v=DKIM1; k=rsa; p={base64.b64encode(public).decode()}"

    def signed(self, mail: bytes = PLAIN, headers: tuple[bytes, ...] = (b"from", b"subject", b"date")) -> bytes:
        pem = self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
        )
        return dkim.sign(mail, b"s1", b"shop.example", pem, include_headers=list(headers)) + mail

    def __call__(self, name: str) -> str | None:
        return self.txt if name == NAME else None


@pytest.fixture(name="domain", scope="module")
def _domain() -> Domain:
    return Domain()


def test_a_signed_mail_passes_and_only_signed_headers_are_told(domain: Domain) -> None:
    mail = read_mail(domain.signed(), domain)
    assert mail.checks["dkim"] == "pass d=shop.example s=s1 2048 bits"
    assert set(mail.signed) == {"from", "subject", "date"}
    assert mail.signed["subject"] == "order 123"


def test_a_header_that_was_added_is_not_told_as_signed(domain: Domain) -> None:
    mail = read_mail(b"Subject: pay me 1000\r\nReply-To: x@evil.example\r\n" + domain.signed(), domain)
    assert mail.checks["dkim"].startswith("pass")
    assert mail.signed["subject"] == "order 123"
    assert "reply-to" not in mail.signed


@pytest.mark.parametrize("old", [b"72 hours", b"order 123", b"10:00:00"])
def test_a_changed_mail_fails(domain: Domain, old: bytes) -> None:
    mail = read_mail(domain.signed().replace(old, old[:-1] + b"9"), domain)
    assert mail.checks["dkim"].startswith("fail")
    assert mail.signed == {}


def test_a_signature_over_the_beginning_only_is_refused(domain: Domain) -> None:
    pem = domain.key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    signature = dkim.sign(PLAIN, b"s1", b"shop.example", pem, include_headers=[b"from"], length=True)
    appended = signature + PLAIN + b"and we promise nothing\r\n"
    assert dkim.verify(appended, dnsfunc=lambda *_, **__: domain.txt.encode())  # why it is refused
    mail = read_mail(appended, domain)
    assert mail.checks["dkim"].startswith("refused")
    assert mail.signed == {}


def test_a_weak_key_another_key_and_no_key(domain: Domain) -> None:
    weak, other = Domain(1024), Domain()
    assert read_mail(weak.signed(), weak).checks["dkim"] == "pass d=shop.example s=s1 1024 bits"
    assert read_mail(domain.signed(), other).checks["dkim"].startswith("fail")
    assert read_mail(domain.signed(), lambda _: None).checks["dkim"].startswith("unknown")
    assert read_mail(domain.signed(), lambda _: "garbage").checks["dkim"].startswith("fail")
    assert read_mail(PLAIN, domain).checks["dkim"].startswith("none")


@pytest.mark.parametrize(
    "mail",
    [
        b"Content-Type: multipart/mixed; boundary=x\r\n\r\n"
        + b"--x\r\nContent-Disposition: attachment; filename=a\r\n\r\nx\r\n" * 1000
        + b"--x--\r\n",
        b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (one, one) for one in range(500)),
        b"From: a@b.c\r\n" + b"x" * (33 * 1024 * 1024),
    ],
    ids=["thousand attachments", "nested", "long"],
)
def test_a_mail_built_to_harm_is_not_looked_into(mail: bytes) -> None:
    assert "not looked into" in read_mail(mail, lambda _: None).checks["reading"]


@pytest.mark.parametrize(
    "junk", [b"", b"\0" * 100, b"DKIM-Signature: \r\n\r\n", b"DKIM-Signature: v=1; a=b; d=..; s=\r\n"]
)
def test_junk_is_told_and_raises_nothing(junk: bytes) -> None:
    assert read_mail(junk, lambda _: None).checks


def test_a_record_that_was_found_is_kept_sealed_and_used_when_the_dns_has_it_no_longer(
    tmp_path: Path, domain: Domain
) -> None:
    folder = a_case(tmp_path / "case")
    look = look_with(Records(folder.records, at_ms=BEGAN_MS, ask=domain))
    file = add_bytes(folder, "a.eml", domain.signed(), Capture(how="mail"), at_ms=BEGAN_MS, look=look).file
    assert file.checks["dkim"].startswith("pass")
    (kept,) = folder.records.glob("*.json")
    assert json.loads(kept.read_bytes()) == {
        "format": "fairkey-dns-record/1",
        "name": NAME,
        "txt": domain.txt,
        "at_ms": BEGAN_MS,
        "source": "DNS",
    }
    later = Records(folder.records, at_ms=BEGAN_MS + 9, ask=lambda _: None)
    assert later(NAME) == domain.txt


def test_records_may_be_given_in_a_file(tmp_path: Path, domain: Domain) -> None:
    given = tmp_path / "records.json"
    given.write_text(json.dumps({f"{NAME}.": domain.txt}))
    records = Records(tmp_path, at_ms=1, given=given)
    assert records(NAME) == domain.txt
    given.write_text("[1]")
    with pytest.raises(FileIsRefused, match="list of records"):
        Records(tmp_path, at_ms=1, given=given)
