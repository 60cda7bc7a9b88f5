"""Security headers on every answer, also on errors, static files and streams."""

from typing import Final

from fairkey.gates.rules import GateRules

Headers = list[tuple[bytes, bytes]]

HSTS_S: Final = 2 * 365 * 24 * 3600

_FEATURES_OFF: Final = (
    "accelerometer", "autoplay", "browsing-topics", "camera", "display-capture", "encrypted-media", "fullscreen",
    "geolocation", "gyroscope", "magnetometer", "microphone", "midi", "payment", "picture-in-picture",
    "publickey-credentials-get", "screen-wake-lock", "serial", "usb", "xr-spatial-tracking",
)  # fmt: skip


def content_security_policy(payment_origins: tuple[str, ...]) -> str:
    """Nothing but our own files; no inline script or style. Forms end here or, after our redirect, at the provider."""
    return "; ".join((
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "worker-src 'self'",
        " ".join(("form-action 'self'", *payment_origins)),
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ))  # fmt: skip


def security_headers(rules: GateRules) -> Headers:
    """The headers of this installation, ready to send."""
    headers = {
        "content-security-policy": content_security_policy(rules.payment_origins),
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        # Not `no-referrer`: with it browsers send `Origin: null` on our own forms, and the check of origins would
        # refuse them.
        "referrer-policy": "same-origin",
        "permissions-policy": ", ".join(f"{feature}=()" for feature in _FEATURES_OFF),
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
    }
    if not rules.over_http:
        headers["strict-transport-security"] = f"max-age={HSTS_S}; includeSubDomains"
    return [(name.encode(), value.encode()) for name, value in headers.items()]


def completed(sent: Headers, security: Headers) -> Headers:
    """`sent` with the security headers it lacks, and `no-store` where the handler said nothing about caching.

    A handler may set any of them itself (a redirect away from a link with a secret says `referrer-policy:
    no-referrer`).
    """
    present = {name.lower() for name, _ in sent}
    extra = [header for header in security if header[0] not in present]
    if b"cache-control" not in present:
        extra.append((b"cache-control", b"no-store"))
    return [*sent, *extra]
