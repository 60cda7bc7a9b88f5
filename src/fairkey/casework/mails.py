"""Mails as files (`.eml`): whether the sender's domain signed them (DKIM, RFC 6376), by a key record that is kept.

A domain's key stands in the DNS and is taken away sooner or later. So the record is fetched when the mail arrives, kept
with its time in the case's `records/`, and sealed with the next list. A signature with `l=` is refused: whatever is
appended to such a mail still verifies. Only headers that the signature covers are told; any other may have been added
by anybody. A signature says that the domain's mail system sent this, not who typed it.
"""

import email
import email.policy
import json
import re
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Final, NamedTuple

from .arrivals import Arrival, inspect
from .disk import FileIsRefused, read_bounded, write_whole
from .journal import canonical, sha256_hex

MAIL_BYTES_MAX: Final = 32 * 1024 * 1024
PARTS_MAX: Final = 200
NESTED_MAX: Final = 12
ATTACHMENTS_MAX: Final = 50
SIGNATURES_MAX: Final = 8
KEY_BITS_MIN: Final = 1024
RECORD_CHARS_MAX: Final = 4096
_SHOWN: Final[tuple[str, ...]] = ("from", "to", "date", "subject", "message-id")
_DOMAIN: Final = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*", re.IGNORECASE)

Lookup = Callable[[str], str | None]
"""The TXT record of a name, or None: not there, or nobody could be asked."""


class Record(NamedTuple):
    """A key record as it was found: name, text, when, and where it came from."""

    name: str
    txt: str
    at_ms: int
    source: str


class Mail(NamedTuple):
    """What a mail is: headers that are signed, names of attachments, and sentences for `CaseFile.checks`."""

    signed: dict[str, str]
    attachments: tuple[str, ...]
    checks: dict[str, str]


def read_mail(data: bytes, lookup: Lookup) -> Mail:
    """Read a mail and check its signatures. Never raises for what is in it."""
    if len(data) > MAIL_BYTES_MAX:
        return Mail({}, (), {"reading": f"a mail of more than {MAIL_BYTES_MAX // 1024 // 1024} MiB is not looked into"})
    # Counted on the bytes first: the reader of the standard library would build every part.
    if data.count(b"\n--") > 2 * PARTS_MAX or len(re.findall(rb"boundary\s*=", data, re.IGNORECASE)) > NESTED_MAX:
        return Mail({}, (), {"reading": "a mail of so many or so deeply nested parts is not looked into"})
    try:
        message = email.message_from_bytes(data, policy=email.policy.default)
        attachments = _attachments(message)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError, IndexError):
        return Mail({}, (), {"reading": "the mail is damaged and is not looked into"})
    if len(attachments) > ATTACHMENTS_MAX:
        return Mail({}, (), {"reading": f"a mail of {len(attachments)} attachments is not looked into"})
    dkim, covered = _signatures(data, lookup)
    signed = {name: _header(message, name) for name in _SHOWN if name in covered}
    checks = {"dkim": dkim}
    if signed:
        checks["signed"] = "; ".join(f"{name}: {value}" for name, value in signed.items())[:1000]
    return Mail(signed, attachments, checks)


def _attachments(message: EmailMessage) -> tuple[str, ...]:
    names = []
    for number, part in enumerate(message.walk()):
        if number > PARTS_MAX:
            raise ValueError("too many parts")
        name = part.get_filename()
        if name:
            names.append("".join(one for one in str(name)[:120] if one.isprintable()))
    return tuple(names)


def _header(message: EmailMessage, name: str) -> str:
    """The last header of this name: what DKIM counts from the bottom up (RFC 6376 5.4.2)."""
    try:
        values = message.get_all(name) or [""]
        text = str(values[-1])
    except (ValueError, IndexError, AttributeError, TypeError, LookupError):
        return ""
    return "".join(one for one in text[:300] if one.isprintable())


def _signatures(data: bytes, lookup: Lookup) -> tuple[str, frozenset[str]]:
    """A sentence about the signatures, and the headers that a good one covers."""
    try:
        import dkim  # noqa: PLC0415 - of the extra "cases"
    except ModuleNotFoundError:
        return "not checked: signatures of mails need fairkey[cases]", frozenset()
    said = "none: nobody signed this mail"
    for number in range(SIGNATURES_MAX):
        try:
            verifier = dkim.DKIM(data, minkey=KEY_BITS_MIN)
            found = verifier.verify_headerprep(number)
        except (dkim.DKIMException, ValueError, KeyError, IndexError, TypeError):
            said = "broken: a signature cannot be read"
            continue
        if not found:
            break
        sentence, is_good = _signature(verifier, number, lookup)
        if is_good:
            return sentence, frozenset(name.decode("ascii", "replace") for name in verifier.include_headers)
        said = sentence
    return said, frozenset()


def _signature(verifier: Any, number: int, lookup: Lookup) -> tuple[str, bool]:  # noqa: ANN401 - no types
    import dkim  # noqa: PLC0415 - of the extra "cases"

    domain, selector = (_told(one) for one in (verifier.domain, verifier.selector))
    if b"l" in verifier.signature_fields:
        return f"refused d={domain}: it covers only the beginning of the text (l=)", False
    if not _DOMAIN.fullmatch(domain) or not _DOMAIN.fullmatch(selector):
        return "refused: it names no domain", False
    name = f"{selector}._domainkey.{domain}"
    record = lookup(name)
    if record is None:
        return f"unknown d={domain} s={selector}: its key is not there, or nobody could be asked", False
    try:
        is_good = bool(verifier.verify(number, dnsfunc=lambda *_, **__: record.encode("utf-8", "replace")))
    except (dkim.DKIMException, ValueError, KeyError, IndexError, TypeError, OverflowError):
        is_good = False
    bits = getattr(verifier, "keysize", 0)
    if not is_good:
        return f"fail d={domain} s={selector}: the mail is not as it was signed, or the key is another", False
    return f"pass d={domain} s={selector} {bits} bits", True


def _told(value: bytes) -> str:
    return value.decode("ascii", "replace").strip().rstrip(".")[:253].lower()


class Records:
    """Key records of a case: those it has, those from a file, and those that the DNS gives; what is used is kept."""

    def __init__(self, folder: Path, *, at_ms: int, given: Path | None = None, ask: Lookup | None = None) -> None:
        """`given`: a JSON object from names to TXT texts. `ask`: None asks nobody.

        Raises `FileIsRefused` when the file given is none.
        """
        self._folder = folder
        self._at_ms = at_ms
        self._given = _given(given) if given is not None else {}
        self._ask = ask

    def __call__(self, name: str) -> str | None:
        """The record of a name: a given one, then one that was kept, then the DNS."""
        if name in self._given:
            return self._keep(Record(name, self._given[name], self._at_ms, "given by the person"))
        for path in sorted(self._folder.glob("*.json")):
            kept = _kept(path)
            if kept is not None and kept.name == name:
                return kept.txt
        txt = self._ask(name) if self._ask is not None else None
        return None if txt is None else self._keep(Record(name, txt[:RECORD_CHARS_MAX], self._at_ms, "DNS"))

    def _keep(self, record: Record) -> str:
        data = canonical(record._asdict() | {"format": "fairkey-dns-record/1"})
        path = self._folder / f"{sha256_hex(record.name.encode() + record.txt.encode())[:16]}.json"
        if not path.exists():
            write_whole(path, data)
        return record.txt


def _given(path: Path) -> dict[str, str]:
    try:
        found = json.loads(read_bounded(path, 1024 * 1024))
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or not all(isinstance(one, str) for one in found.values()):
        raise FileIsRefused('is no list of records: {"selector._domainkey.example.com": "v=DKIM1; p=…"}')
    return {name.rstrip(".").lower(): txt[:RECORD_CHARS_MAX] for name, txt in found.items()}


def _kept(path: Path) -> Record | None:
    try:
        found = json.loads(read_bounded(path, 64 * 1024))
        return Record(str(found["name"]), str(found["txt"]), int(found["at_ms"]), str(found["source"]))
    except (FileIsRefused, ValueError, KeyError, TypeError, RecursionError):
        return None


def ask_dns(name: str) -> str | None:
    """The TXT record of a name from this machine's resolver; None when there is none, or nobody answers in 5 s."""
    import dns.exception  # noqa: PLC0415 - of the extra "cases"
    import dns.resolver  # noqa: PLC0415 - of the same

    try:
        answer = dns.resolver.resolve(name, "TXT", lifetime=5)
        texts = [b"".join(one.strings).decode("ascii", "replace") for one in answer]
    except (dns.exception.DNSException, OSError, ValueError):
        return None
    keys = [one for one in texts if "p=" in one]
    return keys[0] if keys else None


def look_with(lookup: Lookup) -> Callable[[Path, str], Arrival]:
    """How files are looked at on arrival: as `arrivals.inspect` does, and mails also for their signatures."""

    def look(path: Path, name: str) -> Arrival:
        from .pages import read_page  # noqa: PLC0415 - pages look at files as well

        arrival = inspect(path, name)
        if not arrival.is_readable:
            return arrival
        if arrival.media_type == "message/rfc822":
            try:
                checks = read_mail(read_bounded(path, MAIL_BYTES_MAX), lookup).checks
            except FileIsRefused as error:
                checks = {"reading": f"the mail {error}"}
            return Arrival(arrival.media_type, arrival.checks | checks)
        if arrival.media_type in {"text/html", "multipart/related", "application/wacz"}:
            return Arrival(arrival.media_type, arrival.checks | read_page(path, arrival.media_type).checks)
        return arrival

    return look
