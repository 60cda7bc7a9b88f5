"""HMAC-SHA256 in a header `Sandbox-Signature: t=<ms>,v1=<hex>`, three kinds of message, none of which reads as another.

- request  (customer to provider): `t.METHOD target.body`, target with its query string
- answer   (provider to customer): `t.answer STATUS v1-of-the-request.body`, so an old answer fits no new question
- notice   (provider to customer): `t.body`, the body a JSON object
"""

import hashlib
import hmac

HEADER = "sandbox-signature"
MOST_DIGITS = 15
TOLERANCE_MS = 300_000
"""How far a timestamp may lie from now, either way."""


def mac(secret: bytes, *parts: bytes) -> str:
    """Hex HMAC over the parts joined by dots."""
    return hmac.new(secret, b".".join(parts), hashlib.sha256).hexdigest()


def header(at_ms: int, v1: str) -> str:
    """The header's value."""
    return f"t={at_ms},v1={v1}"


def read_header(value: str) -> tuple[int, str] | None:
    """Timestamp and hex MAC of a header, or None if it is none."""
    stamp, _, v1 = value.partition(",v1=")
    digits = stamp.removeprefix("t=")
    if (
        not stamp.startswith("t=")
        or not (digits.isascii() and digits.isdigit())
        or len(digits) > MOST_DIGITS
        or not v1.isascii()
    ):
        return None
    return int(digits), v1


def sign_notice(secret: bytes, at_ms: int, body: bytes) -> str:
    """Header value for a notification."""
    return header(at_ms, mac(secret, str(at_ms).encode(), body))


def sign_answer(secret: bytes, at_ms: int, status: int, request_v1: str, body: bytes) -> str:
    """Header value for the answer to one request."""
    return header(at_ms, mac(secret, str(at_ms).encode(), f"answer {status} {request_v1}".encode(), body))


def request_is_ours(secret: bytes, value: str, now_ms: int, method: str, target: str, body: bytes) -> str | None:
    """The request's v1 if it was signed with our secret and recently; else None."""
    read = read_header(value)
    if read is None:
        return None
    at_ms, v1 = read
    expected = mac(secret, str(at_ms).encode(), f"{method} {target}".encode(), body)
    if not hmac.compare_digest(expected, v1) or abs(now_ms - at_ms) > TOLERANCE_MS:
        return None
    return v1
