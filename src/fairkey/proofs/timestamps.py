"""Trusted time: checking an RFC 3161 TimeStampToken over bytes one holds, against roots one has chosen oneself.

What a token says is believed only after: it is a CMS SignedData over a TSTInfo (RFC 3161 2.4.2); its imprint is the
hash of the bytes; its nonce and policy are the expected ones, where one expects any; the signer's certificate is for
time stamping and nothing else (EKU, critical, 2.3) and was valid at genTime; the signature holds; and the chain leads
to a pinned root that was valid at genTime. Certificates inside a token are links of a chain and never trusted.

Some authorities send the certificates in an order that DER forbids for a SET. That set is not covered by the
signature: a copy with the set in order is checked, the token itself is kept and passed on as it came.
"""

import hashlib
import hmac
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, ObjectIdentifier
from rfc3161_client import TimeStampResponse, VerificationError, VerifierBuilder, decode_timestamp_response

from .der import (
    CONTEXT_0,
    INTEGER,
    OBJECT_IDENTIFIER,
    SEQUENCE,
    SET,
    UTF8_STRING,
    NotDer,
    element_at,
    encoded,
    inside,
    the_element,
)

TOKEN_BYTES_MAX: Final = 64 * 1024
ROOTS_BYTES_MAX: Final = 1024 * 1024
REQUEST_TYPE: Final = "application/timestamp-query"
REPLY_TYPE: Final = "application/timestamp-reply"

_SIGNED_DATA: Final = bytes.fromhex("2a864886f70d010702")  # 1.2.840.113549.1.7.2
_GRANTED: Final = 0
_CERTIFICATES_MAX: Final = 32
_HASHES: Final[dict[str, tuple[str, Callable[[bytes], Any]]]] = {
    "2.16.840.1.101.3.4.2.1": ("SHA-256", hashlib.sha256),
    "2.16.840.1.101.3.4.2.2": ("SHA-384", hashlib.sha384),
    "2.16.840.1.101.3.4.2.3": ("SHA-512", hashlib.sha512),
}
_EPOCH: Final = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
_STATUS_WORDS: Final = (
    "granted",
    "granted with changes",
    "rejected",
    "to be waited for",
    "granted with a warning of revocation",
    "granted under a revoked certificate",
)


class TokenIsRefused(Exception):
    """The token proves no time for these bytes. The argument is a sentence that says why."""


class TokenIsMalformed(TokenIsRefused):
    """The bytes are no TimeStampToken, or no reply of a time-stamping authority."""


class StampWasNotGranted(TokenIsRefused):
    """The authority answered, and granted nothing."""


class TokenIsOverOtherBytes(TokenIsRefused):
    """The token's imprint is not the hash of these bytes."""


class TokenHasAnotherNonce(TokenIsRefused):
    """The token answers another request than ours."""


class TokenHasAnotherPolicy(TokenIsRefused):
    """The token was made under another policy than the one that is asked for."""


class SignerMayNotStamp(TokenIsRefused):
    """The signer's certificate is not one for time stamping alone."""


class SignerWasNotValid(TokenIsRefused):
    """At the time that the token names, the signer's certificate was not valid."""


class TokenIsNotTrusted(TokenIsRefused):
    """The signature does not hold, or no chain leads from its signer to a pinned root."""


class RootsAreUnreadable(Exception):
    """The file of pinned roots holds none, or cannot be read. The argument is a sentence."""


class TsaRoots(NamedTuple):
    """Roots that the verifier has chosen, and the PEM text they came from."""

    certificates: tuple[x509.Certificate, ...]
    pem: bytes


class Stamp(NamedTuple):
    """What a good token says. `tsa` is the name in its signer's certificate; `accuracy_ms` is None when untold."""

    gen_time_ms: int
    accuracy_ms: int | None
    tsa: str
    serial: int
    policy: str
    hash_name: str


def read_roots(pem: bytes) -> TsaRoots:
    """Read the pinned roots, one or more certificates in PEM. Raises `RootsAreUnreadable`."""
    if len(pem) > ROOTS_BYTES_MAX:
        raise RootsAreUnreadable("the file of roots is too long")
    try:
        certificates = x509.load_pem_x509_certificates(pem)
    except ValueError as error:
        raise RootsAreUnreadable("the file of roots holds no certificate in PEM") from error
    if strangers := [one for one in certificates if one.subject != one.issuer]:
        name = strangers[0].subject.rfc4514_string()
        raise RootsAreUnreadable(f"{name} is no root: its certificate is signed by another")
    return TsaRoots(tuple(dict.fromkeys(certificates)), pem)


def token_of(reply: bytes) -> bytes:
    """The token in a TimeStampResp (RFC 3161 2.4.2), byte for byte. Raises `StampWasNotGranted`, `TokenIsMalformed`."""
    if len(reply) > TOKEN_BYTES_MAX:
        raise TokenIsMalformed("the reply is too long")
    try:
        parts = inside(reply, the_element(reply, SEQUENCE))
        info = inside(reply, parts[0]) if parts and parts[0].tag == SEQUENCE else []
        _require_der(bool(info) and info[0].tag == INTEGER, "it has no status")
        status = int.from_bytes(info[0].content(reply), signed=True)
        words = [one for text in info[1:2] if text.tag == SEQUENCE for one in inside(reply, text)]
        said = "; ".join(one.content(reply).decode("utf-8", "replace") for one in words if one.tag == UTF8_STRING)
    except NotDer as error:
        raise TokenIsMalformed(f"the reply is not one of RFC 3161: {error}") from None
    if status != _GRANTED:
        meaning = _STATUS_WORDS[status] if 0 <= status < len(_STATUS_WORDS) else f"status {status}"
        shown = "".join(one if one.isprintable() else "?" for one in said[:200])
        raise StampWasNotGranted(f"the authority's answer is: {meaning}" + (f" ({shown})" if shown else ""))
    if len(parts) != 2:  # noqa: PLR2004 - status and token
        raise TokenIsMalformed("the reply says granted and brings no token")
    return parts[1].whole(reply)


def check_token(
    token: bytes, data: bytes, roots: TsaRoots, *, nonce: int | None = None, policy: str | None = None
) -> Stamp:
    """Check a token over `data`; `nonce` and `policy` (dotted numbers) where they are known.

    Raises a `TokenIsRefused` that says what is wrong.
    """
    reply = _readable(token)
    info = reply.tst_info
    found = _HASHES.get(info.message_imprint.hash_algorithm.dotted_string)
    if found is None:
        raise TokenIsOverOtherBytes("the token's imprint is made with a hash that is not accepted")
    hash_name, make = found
    if not hmac.compare_digest(bytes(info.message_imprint.message), make(data).digest()):
        raise TokenIsOverOtherBytes("the token is over other bytes than these")
    if nonce is not None and info.nonce != nonce:
        raise TokenHasAnotherNonce("the token answers another request")
    if policy is not None and info.policy.dotted_string != policy:
        raise TokenHasAnotherPolicy(f"the token is made under policy {info.policy.dotted_string}, not {policy}")
    signer = _signer(reply)
    _require_stamping_only(signer)
    at = info.gen_time
    if not signer.not_valid_before_utc <= at <= signer.not_valid_after_utc:
        raise SignerWasNotValid(f"at {at:%Y-%m-%d %H:%M:%S} UTC the certificate of {_name(signer)} was not valid")
    _require_trust(reply, make(data).digest(), roots)
    return Stamp(
        gen_time_ms=(at - _EPOCH) // timedelta(milliseconds=1),
        accuracy_ms=_accuracy_ms(info.accuracy),
        tsa=_name(signer),
        serial=info.serial_number,
        policy=info.policy.dotted_string,
        hash_name=hash_name,
    )


def with_certificates_in_order(token: bytes) -> bytes:
    """A copy of the token whose certificates stand in the order that DER wants of a SET (X.690 11.6); same length.

    Raises `TokenIsMalformed`.
    """
    try:
        content = inside(token, the_element(token, SEQUENCE))
        _require_der([one.tag for one in content] == [OBJECT_IDENTIFIER, CONTEXT_0], "it is no CMS content")
        _require_der(content[0].content(token) == _SIGNED_DATA, "it is no signed data")
        fields = inside(token, element_at(token, content[1].body, content[1].end, SEQUENCE))
        _require_der([one.tag for one in fields[:3]] == [INTEGER, SET, SEQUENCE], "its parts are another's")
        sets = [one for one in fields[3:] if one.tag == CONTEXT_0]
        _require_der(len(sets) == 1, "it does not bring one set of certificates")
        certificates = [one.whole(token) for one in inside(token, sets[0])]
    except NotDer as error:
        raise TokenIsMalformed(f"the bytes are no time stamp token: {error}") from None
    if len(certificates) > _CERTIFICATES_MAX:
        raise TokenIsMalformed("the token brings too many certificates")
    if not all(_is_numbered(one) for one in certificates):
        raise TokenIsMalformed("a certificate in the token has no positive serial number")
    return token[: sets[0].body] + b"".join(sorted(certificates)) + token[sets[0].end :]


def _is_numbered(certificate: bytes) -> bool:
    """RFC 5280 4.1.2.2: a serial number is positive. The library only warns of others, and will refuse them one day."""
    try:
        parts = inside(certificate, inside(certificate, the_element(certificate, SEQUENCE))[0])
        number = next(one for one in parts if one.tag == INTEGER).content(certificate)
    except (NotDer, IndexError, StopIteration):
        return True  # what it is instead is found when it is read
    return int.from_bytes(number, signed=True) > 0


def _require_der(holds: bool, what: str) -> None:  # noqa: FBT001 - reads as a sentence at the call
    if not holds:
        raise NotDer(what)


def _readable(token: bytes) -> TimeStampResponse:
    """The token as the library reads it: in order, and in a reply that says granted."""
    if len(token) > TOKEN_BYTES_MAX:
        raise TokenIsMalformed("the token is too long")
    granted = encoded(SEQUENCE, encoded(INTEGER, b"\0"))
    try:
        reply = decode_timestamp_response(encoded(SEQUENCE, granted + with_certificates_in_order(token)))
        # Each part is decoded when it is first looked at; all of it must be readable.
        info, signed = reply.tst_info, reply.signed_data
        _ = (info.gen_time, info.nonce, info.serial_number, info.policy, info.accuracy, info.message_imprint)
        _ = (signed.certificates, [(one.issuer, one.serial_number) for one in signed.signer_infos])
    except (
        ValueError,
        TypeError,
        KeyError,
        OverflowError,
        x509.UnsupportedGeneralNameType,
        x509.InvalidVersion,
    ) as error:
        raise TokenIsMalformed("the bytes are no time stamp token") from error
    return reply


def _signer(reply: TimeStampResponse) -> x509.Certificate:
    signers = list(reply.signed_data.signer_infos)
    if len(signers) != 1:
        raise TokenIsMalformed("a token has one signer")
    try:
        certificates = [x509.load_der_x509_certificate(one) for one in reply.signed_data.certificates]
        for one in certificates:
            if (one.issuer, one.serial_number) == (signers[0].issuer, signers[0].serial_number):
                return one
    except (ValueError, x509.InvalidVersion) as error:
        raise TokenIsMalformed("a certificate in the token cannot be read") from error
    raise TokenIsMalformed("the token does not bring the certificate of its signer")


def _require_stamping_only(signer: x509.Certificate) -> None:
    """RFC 3161 2.3: the extension is there, critical, and holds this one purpose."""
    try:
        usage = signer.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
        raise SignerMayNotStamp(f"the certificate of {_name(signer)} does not say what it is for") from None
    if not usage.critical:
        raise SignerMayNotStamp(f"the certificate of {_name(signer)} does not make its purpose binding (critical)")
    purposes: Sequence[ObjectIdentifier] = list(usage.value)
    if purposes != [ExtendedKeyUsageOID.TIME_STAMPING]:
        raise SignerMayNotStamp(f"the certificate of {_name(signer)} is not for time stamping alone")


def _require_trust(reply: TimeStampResponse, hashed: bytes, roots: TsaRoots) -> None:
    try:
        VerifierBuilder(roots=list(roots.certificates)).build().verify(reply, hashed)
    except (VerificationError, ValueError, TypeError) as error:
        raise TokenIsNotTrusted(
            "the signature does not hold, or no chain leads from its signer to a pinned root that was valid then"
        ) from error


def _accuracy_ms(accuracy: Any) -> int | None:  # noqa: ANN401 - the library's, or none
    if accuracy is None:
        return None
    parts = ((accuracy.seconds or 0) * 1000, accuracy.millis or 0, -(-(accuracy.micros or 0) // 1000))
    return sum(parts)


def _name(certificate: x509.Certificate) -> str:
    return certificate.subject.rfc4514_string()


def fingerprints_of(roots: TsaRoots) -> list[str]:
    """SHA-256 of each root's DER in hex: what one compares with what its owner has printed."""
    return [hashlib.sha256(one.public_bytes(Encoding.DER)).hexdigest() for one in roots.certificates]
