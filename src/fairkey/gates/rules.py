"""What the gates need to know of this installation. Made from the settings in `app.py`."""

import hashlib
import hmac
import re
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network
from typing import Final, Self

from fairkey.settings import Settings

Network = IPv4Network | IPv6Network

# Under these paths cookies are never looked at: callers there show a key, an order secret or a signature, so no
# foreign page can borrow a browser's rights. Everywhere else it is the other way round: cookies count and
# `Authorization` does not.
COOKIE_FREE: Final = ("/api/", "/callbacks/")

_ORIGIN: Final = re.compile(r"https?://[A-Za-z0-9.\[\]:-]+")  # stands in a header as it is


@dataclass(frozen=True, slots=True, kw_only=True)
class GateRules:
    """`signing_key`: at least 32 secret bytes, the same in all processes. `public_origin`: `https://keys.example`.

    `over_http`: the demo on 127.0.0.1, where browsers refuse Secure cookies; never in production. `payment_origins`:
    where a form may end up after our redirect to the provider. `trusted_proxies`: the only ones whose X-Forwarded-For
    is believed. `pow_difficulty_bits`: 0 = no proof of work. `limit_factor`: multiplies all rate limits; 0 = no
    limits (benchmarks).
    """

    signing_key: bytes = field(repr=False)
    public_origin: str
    over_http: bool = False
    payment_origins: tuple[str, ...] = ()
    trusted_proxies: tuple[Network, ...] = ()
    pow_difficulty_bits: int = 0
    limit_factor: float = 1.0

    def __post_init__(self) -> None:
        """Refuse what would open a gate by mistake."""
        if len(self.signing_key) < 32:  # noqa: PLR2004 - bytes of SHA-256
            raise ValueError("signing_key must have at least 32 bytes")
        if not self.over_http and not self.public_origin.startswith("https://"):
            raise ValueError("public_origin must be https:// unless over_http is on (demo)")
        for origin in self.payment_origins:
            if not _ORIGIN.fullmatch(origin):
                raise ValueError(f"payment_origins holds something else than scheme://host[:port]: {origin!r}")

    @classmethod
    def from_settings(cls, settings: Settings, *, signing_key: bytes, payment_origins: tuple[str, ...] = ()) -> Self:
        """Rules as the installation's settings want them; `signing_key` is `keys.fingerprint("csrf", b"gates")`."""
        return cls(
            signing_key=signing_key,
            public_origin=settings.origin,
            over_http=settings.origin.startswith("http://"),
            payment_origins=payment_origins,
            trusted_proxies=settings.trusted_proxies,
            pow_difficulty_bits=settings.pow_difficulty_bits,
            limit_factor=settings.limit_percent / 100,
        )

    def cookie_name(self, name: str) -> str:
        """`__Host-` binds a cookie to this host over TLS; browsers refuse the prefix over plain http."""
        return name if self.over_http else f"__Host-{name}"

    def key_for(self, use: str) -> bytes:
        """A key of its own for each use, so that one kind of signed text never passes for another."""
        return hmac.digest(self.signing_key, b"fairkey gates: " + use.encode(), hashlib.sha256)


def is_cookie_free(path: str) -> bool:
    """Whether cookies are ignored at this path."""
    return path.startswith(COOKIE_FREE)
