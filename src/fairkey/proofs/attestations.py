"""What issuers sign: about one code, about a list of codes sold to a shop, or about an outage of their own.

The signed bytes are `fairkey issuer statement v1`, a line feed, and the statement's exact UTF-8 text (Ed25519, RFC
8032): nothing is canonicalised on the way, so two readers cannot differ about what was signed. Read again, the text is
one flat JSON object (RFC 8259) of known members, each once, texts and whole numbers only.

The code does not stand in the statement, and neither does the account: only the digests of their disclosures
(`commitments.py`), which travel beside it. So a statement can be kept and shown without giving the code away.
"""

import json
import re
import secrets
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Mapping
from typing import Final, NamedTuple, NoReturn
from uuid import UUID, uuid4

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from .commitments import SALT_BYTES, DisclosureDoesNotFit, check_disclosure, commitment

PREFIX: Final = b"fairkey issuer statement v1\n"
OF_CODE: Final = "fairkey.code.v1"
OF_LIST: Final = "fairkey.list.v1"
OF_OUTAGE: Final = "fairkey.outage.v1"
SAYS: Final = ("activated", "unused", "revoked")
SAYS_OF_OUTAGE: Final = ("began", "ended", "none")
STATEMENT_BYTES_MAX: Final = 4_096
DISCLOSURE_CHARS_MAX: Final = 4_096
TEXT_CHARS_MAX: Final = 500
AT_MAX_MS: Final = 2**45
COUNT_MAX: Final = 10_000_000
SIGNATURE_BYTES: Final = 64
SEED_BYTES: Final = 32

_ID: Final = re.compile("[A-Za-z0-9_-]{22,64}")
_DIGEST: Final = re.compile("[0-9a-f]{64}")
_MEMBERS: Final[Mapping[str, tuple[frozenset[str], frozenset[str]]]] = {  # type -> (needed, allowed besides)
    OF_CODE: (
        frozenset({"type", "issuer", "id", "at_ms", "says", "code", "happened_at_ms"}),
        frozenset({"account", "reason"}),
    ),
    OF_LIST: (
        frozenset({"type", "issuer", "id", "at_ms", "product", "count", "shop_no", "list_id"}),
        frozenset(),
    ),
    OF_OUTAGE: (frozenset({"type", "issuer", "id", "at_ms", "says", "happened_at_ms"}), frozenset()),
}


class StatementIsMalformed(Exception):
    """The text is no statement. The argument is a sentence that says what is wrong and never repeats a value."""


class CodeStatement(NamedTuple):
    """One code was activated, was unused, or was revoked at `happened_at_ms`. Digests are those of disclosures."""

    issuer_id: str
    id: str
    said_at_ms: int
    says: str
    happened_at_ms: int
    code_digest: bytes
    account_digest: bytes | None
    reason: str


class ListStatement(NamedTuple):
    """A list of `quantity` codes for `product` was made by the issuer and sold to shop number `shop_no`."""

    issuer_id: str
    id: str
    said_at_ms: int
    product: str
    quantity: int
    shop_no: int
    list_id: str


class OutageStatement(NamedTuple):
    """His codes cannot be activated since `happened_at_ms` (began), can again since then (ended), or there was no
    outage at that moment (none).
    """

    issuer_id: str
    id: str
    said_at_ms: int
    says: str
    happened_at_ms: int


class Written(NamedTuple):
    """A statement about a code as it is sent: `code` and `account` (may be empty) are the disclosures."""

    statement: str
    signature: str
    code: str
    account: str


def read_statement(text: str) -> CodeStatement | ListStatement | OutageStatement:
    """What `text` says. Raises `StatementIsMalformed`; whether it is signed is another question."""
    members = _members(text)
    kind = members.get("type")
    if not isinstance(kind, str) or kind not in _MEMBERS:
        raise StatementIsMalformed(f"type must be {OF_CODE}, {OF_LIST} or {OF_OUTAGE}")
    needed, besides = _MEMBERS[kind]
    if missing := sorted(needed - members.keys()):
        raise StatementIsMalformed(f"it lacks {', '.join(missing)}")
    if members.keys() - needed - besides:
        raise StatementIsMalformed("it has members that nobody knows")
    issuer_id, id_ = _text(members, "issuer"), _text(members, "id")
    if not _is_uuid(issuer_id):
        raise StatementIsMalformed("issuer must be a UUID in small letters")
    if not _ID.fullmatch(id_):
        raise StatementIsMalformed("id must have 22 to 64 characters of A-Z a-z 0-9 - _")
    said_at_ms = _number(members, "at_ms", 1, AT_MAX_MS)
    if kind == OF_LIST:
        return ListStatement(
            issuer_id,
            id_,
            said_at_ms,
            _text(members, "product", 1),
            _number(members, "count", 1, COUNT_MAX),
            _number(members, "shop_no", 1, 2**31 - 1),
            _text(members, "list_id", 1),
        )
    says, may_say = _text(members, "says"), SAYS if kind == OF_CODE else SAYS_OF_OUTAGE
    if says not in may_say:
        raise StatementIsMalformed(f"says must be one of {', '.join(may_say)}")
    happened_at_ms = _number(members, "happened_at_ms", 1, AT_MAX_MS)
    if happened_at_ms > said_at_ms:
        raise StatementIsMalformed("happened_at_ms lies after at_ms")
    if kind == OF_OUTAGE:
        return OutageStatement(issuer_id, id_, said_at_ms, says, happened_at_ms)
    if "account" in members and says != "activated":
        raise StatementIsMalformed("account belongs to an activation")
    if "reason" in members and says != "revoked":
        raise StatementIsMalformed("reason belongs to a revocation")
    account = _digest(members, "account") if "account" in members else None
    reason = _text(members, "reason") if "reason" in members else ""
    return CodeStatement(issuer_id, id_, said_at_ms, says, happened_at_ms, _digest(members, "code"), account, reason)


def signing_key_of(text: str, signature: str, public_keys: Mapping[int, str]) -> int | None:
    """The number of the key (hex) under which `signature` (base64) stands for `text`; `None`: under none of them."""
    try:
        raw, signed = b64decode(signature, validate=True), PREFIX + text.encode()
    except (NotBase64, ValueError):
        return None
    if len(raw) != SIGNATURE_BYTES:
        return None
    for key_no in sorted(public_keys, reverse=True):
        try:
            Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_keys[key_no])).verify(raw, signed)
        except (InvalidSignature, ValueError):
            continue
        return key_no
    return None


def disclosed(disclosure: str, digest: bytes, name: str) -> tuple[str, str]:
    """(value, salt in base64url) of the disclosure of `name` for `digest`. Raises `StatementIsMalformed`."""
    if len(disclosure) > DISCLOSURE_CHARS_MAX:
        raise StatementIsMalformed(f"the disclosure of the {name} is too long")
    try:
        told = check_disclosure(disclosure, digest)
        told.value.encode()
    except (DisclosureDoesNotFit, UnicodeError, RecursionError) as error:
        raise StatementIsMalformed(f"the disclosure of the {name} does not fit its digest") from error
    if told.name != name:
        raise StatementIsMalformed(f"the disclosure of the {name} is named otherwise")
    if len(told.salt) < SALT_BYTES:
        raise StatementIsMalformed(f"the salt of the {name} has less than {SALT_BYTES} bytes")
    return told.value, _base64url(told.salt)


def write_statement(  # noqa: PLR0913 - everything a statement says
    key: Ed25519PrivateKey,
    *,
    issuer_id: str,
    said_at_ms: int,
    says: str,
    code: str,
    happened_at_ms: int,
    account: str = "",
    reason: str = "",
    statement_id: str = "",
) -> Written:
    """Say something about a code and sign it; salts and (unless given) the id are fresh chance."""
    code_digest, code_disclosure = commitment(secrets.token_bytes(SALT_BYTES), "code", code)
    members: dict[str, object] = {
        "type": OF_CODE,
        "issuer": issuer_id,
        "id": statement_id or str(uuid4()),
        "at_ms": said_at_ms,
        "says": says,
        "code": code_digest.hex(),
        "happened_at_ms": happened_at_ms,
    }
    account_disclosure = ""
    if account:
        account_digest, account_disclosure = commitment(secrets.token_bytes(SALT_BYTES), "account", account)
        members["account"] = account_digest.hex()
    if reason:
        members["reason"] = reason
    text = _json(members)
    return Written(text, sign_statement(key, text), code_disclosure, account_disclosure)


def write_list_statement(
    key: Ed25519PrivateKey, *, issuer_id: str, said_at_ms: int, product: str, count: int, shop_no: int, list_id: str
) -> tuple[str, str]:
    """(statement, signature) about a list of codes."""
    members = {
        "type": OF_LIST,
        "issuer": issuer_id,
        "id": str(uuid4()),
        "at_ms": said_at_ms,
        "product": product,
        "count": count,
        "shop_no": shop_no,
        "list_id": list_id,
    }
    text = _json(members)
    return text, sign_statement(key, text)


def write_outage_statement(
    key: Ed25519PrivateKey,
    *,
    issuer_id: str,
    said_at_ms: int,
    says: str,
    happened_at_ms: int,
    statement_id: str = "",
) -> tuple[str, str]:
    """(statement, signature) about an outage."""
    members = {
        "type": OF_OUTAGE,
        "issuer": issuer_id,
        "id": statement_id or str(uuid4()),
        "at_ms": said_at_ms,
        "says": says,
        "happened_at_ms": happened_at_ms,
    }
    text = _json(members)
    return text, sign_statement(key, text)


def sign_statement(key: Ed25519PrivateKey, text: str) -> str:
    """The signature of a statement, in base64. What the house would not read is not signed: `StatementIsMalformed`."""
    read_statement(text)
    return b64encode(key.sign(PREFIX + text.encode())).decode()


def public_key_of(key: Ed25519PrivateKey) -> str:
    """What the operator is given: 64 hex digits."""
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()


def _members(text: str) -> dict[str, object]:
    try:
        too_long = len(text.encode()) > STATEMENT_BYTES_MAX
    except UnicodeEncodeError:
        raise StatementIsMalformed("it is no Unicode text") from None
    if too_long:
        raise StatementIsMalformed(f"it has more than {STATEMENT_BYTES_MAX} bytes")
    try:
        read = json.loads(
            text, object_pairs_hook=_once, parse_float=_no_such_number, parse_constant=_no_such_number
        )
    except (ValueError, RecursionError):
        raise StatementIsMalformed("it is no JSON") from None
    if not isinstance(read, dict) or any(isinstance(value, dict | list | bool) for value in read.values()):
        raise StatementIsMalformed("it must be one flat JSON object of texts and whole numbers")
    return read


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise StatementIsMalformed("a member stands there twice")
    return members


def _no_such_number(_: str) -> NoReturn:
    raise StatementIsMalformed("numbers must be whole")


def _text(members: Mapping[str, object], name: str, length_min: int = 0) -> str:
    value = members[name]
    if not isinstance(value, str) or not length_min <= len(value) <= TEXT_CHARS_MAX or not value.isprintable():
        raise StatementIsMalformed(f"{name} must be a plain text of at most {TEXT_CHARS_MAX} characters")
    return value


def _number(members: Mapping[str, object], name: str, least: int, most: int) -> int:
    value = members[name]
    if not isinstance(value, int) or not least <= value <= most:
        raise StatementIsMalformed(f"{name} must be a whole number from {least} to {most}")
    return value


def _digest(members: Mapping[str, object], name: str) -> bytes:
    text = _text(members, name)
    if not _DIGEST.fullmatch(text):
        raise StatementIsMalformed(f"{name} must be a SHA-256 in 64 small hex digits")
    return bytes.fromhex(text)


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


def _json(members: Mapping[str, object]) -> str:
    return json.dumps(members, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _base64url(data: bytes) -> str:
    return b64encode(data, altchars=b"-_").rstrip(b"=").decode()
