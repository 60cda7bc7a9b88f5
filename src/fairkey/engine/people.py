"""Who is asking: accounts, sessions, staff, API keys, and the audit trail, as the edges see them.

Ids are UUIDs in their canonical text form, moments are milliseconds UTC, tokens are text that is shown once and kept
only as a hash. An e-mail address leaves this port in two places only: an `Errand` (the letter has to go somewhere)
and `Accounts.email_of`. Nothing here is a business fact: what these people do in a shop happens through the engine.
"""

import enum
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Protocol

from fairkey.business.basics import Refusal


class Role(enum.StrEnum):
    """What somebody is in a shop. An owner may do everything staff may, and also: people, keys, payouts, exports."""

    OWNER = "owner"
    STAFF = "staff"


SCOPES = frozenset({
    "shop:read",
    "shop:write",
    "listings:read",
    "listings:write",
    "codes:read",
    "codes:write",
    "codes:export",
    "orders:read",
    "orders:write",
    "money:read",
    "payouts:write",
    "complaints:read",
    "complaints:write",
})  # fmt: skip


class ActorKind(enum.StrEnum):
    """Which door somebody came through."""

    GUEST = "guest"
    ACCOUNT = "account"
    API_KEY = "api_key"
    OPERATOR = "operator"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who is asking, and what they may claim to be. `shop_roles` maps shop id to role; `scopes` are those of an API
    key.

    `address` is the caller's IP address as text ("" for the system); it is used for limits and never stored whole.
    """

    kind: ActorKind
    account_id: str | None = None
    key_id: str | None = None
    shop_roles: Mapping[str, Role] = field(default_factory=dict)
    scopes: frozenset[str] = frozenset()
    address: str = ""

    @property
    def is_operator(self) -> bool:
        """Platform staff."""
        return self.kind is ActorKind.OPERATOR

    @property
    def name(self) -> str:
        """How the audit trail and the log call this actor: `account:<id>`, `api_key:<id>`, `guest`, `system`."""
        match self.kind:
            case ActorKind.ACCOUNT | ActorKind.OPERATOR:
                return f"account:{self.account_id}"
            case ActorKind.API_KEY:
                return f"api_key:{self.key_id}"
            case _:
                return self.kind.value

    def works_for(self, shop_id: str) -> bool:
        """Owner, staff, or a key of this shop."""
        return shop_id in self.shop_roles

    def owns(self, shop_id: str) -> bool:
        """Owner of this shop, in person: a key never is."""
        return self.kind is not ActorKind.API_KEY and self.shop_roles.get(shop_id) is Role.OWNER


SYSTEM = Actor(kind=ActorKind.SYSTEM)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A person with an e-mail address and a password. `locale` is `zh_CN` or `en`."""

    account_id: str
    display_name: str
    is_operator: bool
    locale: str
    email_verified: bool
    created_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One browser. `ref` names it without being its token; `account` is None for a guest.

    `data` is small JSON kept for this browser (acting shop, a notice to show next); never secrets or contacts.
    """

    ref: str
    account: Account | None
    shop_roles: Mapping[str, Role]
    created_at_ms: int
    last_seen_at_ms: int
    expires_at_ms: int
    user_agent_hint: str
    data: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A program of a shop. The key itself (`fk_live_…`) is shown once, at creation."""

    key_id: str
    shop_id: str
    name: str
    scopes: frozenset[str]
    created_at_ms: int
    last_used_at_ms: int | None
    revoked_at_ms: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffMember:
    """Somebody who works for a shop now."""

    shop_id: str
    account_id: str
    role: Role
    display_name: str
    added_at_ms: int


class ErrandKind(enum.StrEnum):
    """Why a letter about an account is written."""

    VERIFY = "verify"
    RESET = "reset"
    ALREADY_REGISTERED = "already_registered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """A letter for the caller to send. `token` goes into its link ("" where there is none) and is not kept anywhere
    else.
    """

    kind: ErrandKind
    to: str = field(repr=False)
    token: str = field(repr=False)
    locale: str
    expires_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """What came of a registration. Always mail `errand` and always show the same page: `account` is None when the
    address has an account already, and only the owner of the mailbox is told so.
    """

    account: Account | None
    errand: Errand


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """Something an operator or merchant did that is not an event of a stream."""

    entry_id: int
    at_ms: int
    actor: str
    role: str
    action: str
    target: str
    detail: Mapping[str, object]
    ip_hint: str


class LogInIsWrong(Refusal):
    """Unknown address or wrong password: deliberately the same answer."""


class LogInIsBraked(Refusal):
    """Too many failed attempts for this address or from this network. Details: wait_s."""


class PasswordIsWeak(Refusal):
    """Details: why = too_short | too_long | common | like_email; length_min."""


class EmailIsInvalid(Refusal):
    """The text is not an e-mail address we could write to."""


class DisplayNameIsInvalid(Refusal):
    """Empty, too long, or with control characters or an `@` in it (it is shown to others)."""


class LinkIsSpent(Refusal):
    """A link from a mail was used before, is too old, or was never ours: the same answer for all three."""


class AccountIsClosed(Refusal):
    """The account was closed by its owner meanwhile."""


class LastOwnerMustStay(Refusal):
    """The only owner of a shop can neither leave nor become staff. Details: shop_id."""


class ScopeIsUnknown(Refusal):
    """Details: scope."""


class KeyNameIsInvalid(Refusal):
    """A key's name is empty, longer than 80 characters or has control characters."""


class TooManyKeys(Refusal):
    """A shop has as many live keys as it may. Details: count_max."""


class NotStaffHere(Refusal):
    """The account does not work for this shop."""


class Accounts(Protocol):
    """Accounts and their passwords. Wrong and unknown cost the same time and get the same answer."""

    async def register(
        self, *, email: str, password: str, display_name: str = "", locale: str = "zh_CN", is_operator: bool = False
    ) -> Registration:
        """Make an account, unverified. Raises `EmailIsInvalid`, `PasswordIsWeak`, `DisplayNameIsInvalid`,
        `FieldIsInvalid` (locale). Without a display name it is called `user-…`.
        """
        ...

    async def prove(self, *, email: str, password: str, address: str) -> Account:
        """Check e-mail and password. `address` is the caller's IP address. Raises `LogInIsWrong`, `LogInIsBraked`.

        Edges call `fairkey.gates.sessions.log_in`, which also opens the session.
        """
        ...

    async def find(self, account_id: str) -> Account | None:
        """An open account by its id."""
        ...

    async def find_by_email(self, email: str) -> Account | None:
        """An open account by its address: for operators and for adding staff, not for public pages."""
        ...

    async def email_of(self, account_id: str) -> str | None:
        """The address in clear, for its owner's own page and for letters."""
        ...

    async def change_profile(self, account_id: str, *, display_name: str, locale: str) -> Account:
        """Raises `DisplayNameIsInvalid`, `AccountIsClosed`."""
        ...

    async def change_password(
        self, account_id: str, *, old: str, new: str, address: str, keep_token: str | None
    ) -> None:
        """Change it and log every other browser out. Raises `LogInIsWrong`, `LogInIsBraked`, `PasswordIsWeak`."""
        ...

    async def ask_verification(self, account_id: str) -> Errand | None:
        """A new link for an unverified address; None when it is verified or three were sent within the hour."""
        ...

    async def verify_email(self, token: str) -> Account:
        """Spend a verification link. Raises `LinkIsSpent`."""
        ...

    async def ask_reset(self, email: str) -> Errand | None:
        """A link to set a new password; None for unknown addresses or after three within the hour. Show the same
        page.
        """
        ...

    async def reset_password(self, token: str, new: str) -> Account:
        """Spend a reset link, set the password, log every browser out. Raises `LinkIsSpent`, `PasswordIsWeak`."""
        ...

    async def close(self, account_id: str, *, password: str, address: str) -> None:
        """Erase address, name and password; the id stays. Raises `LogInIsWrong`, `LogInIsBraked`,
        `LastOwnerMustStay`.
        """
        ...

    async def make_operator(self, account_id: str) -> None:
        """Give an account the operator's role (command line only) and log it out everywhere. Raises
        `AccountIsClosed`.
        """
        ...

    async def sweep(self) -> int:
        """Delete spent and expired links and forgotten brakes; how many rows went."""
        ...


class Sessions(Protocol):
    """Browsers. A token is 256 random bits; the table holds its SHA-256."""

    async def open(
        self, account_id: str | None, *, user_agent: str = "", replaces: str | None = None
    ) -> tuple[str, Session]:
        """A new session and its token; the session of token `replaces` ends in the same transaction."""
        ...

    async def find(self, token: str) -> Session | None:
        """The live session of this token, its expiry moved ahead; None if there is none, expired, or its account
        closed.
        """
        ...

    async def keep_data(self, token: str, data: Mapping[str, object]) -> None:
        """Replace the session's data. Raises `fairkey.business.basics.Broken` above 4 kB of JSON."""
        ...

    async def close(self, token: str) -> None:
        """Log this browser out."""
        ...

    async def close_all(self, account_id: str, *, keep_token: str | None = None) -> int:
        """Log out everywhere (else); how many sessions ended."""
        ...

    async def close_one(self, account_id: str, ref: str) -> bool:
        """Log one of the account's browsers out."""
        ...

    async def of_account(self, account_id: str) -> tuple[Session, ...]:
        """The account's live sessions, the most recently seen first."""
        ...

    async def sweep(self) -> int:
        """Delete expired sessions; how many went."""
        ...


class Staff(Protocol):
    """Who works for which shop."""

    async def add(self, shop_id: str, account_id: str, role: Role) -> None:
        """Add or change a role; idempotent. Raises `AccountIsClosed`, `LastOwnerMustStay`."""
        ...

    async def remove(self, shop_id: str, account_id: str) -> None:
        """Raises `NotStaffHere`, `LastOwnerMustStay`."""
        ...

    async def of_shop(self, shop_id: str) -> tuple[StaffMember, ...]:
        """Owners first, then by date."""
        ...


class ApiKeys(Protocol):
    """Keys of programs."""

    async def create(self, shop_id: str, *, name: str, scopes: frozenset[str]) -> tuple[str, ApiKey]:
        """A new key and its text, shown this once. Raises `ScopeIsUnknown`, `KeyNameIsInvalid`, `TooManyKeys`."""
        ...

    async def find(self, text: str) -> ApiKey | None:
        """The live key with this text."""
        ...

    async def of_shop(self, shop_id: str) -> tuple[ApiKey, ...]:
        """All keys, also revoked ones, newest first."""
        ...

    async def revoke(self, shop_id: str, key_id: str) -> bool:
        """False if there was no such live key."""
        ...


class AuditTrail(Protocol):
    """Append-only list of what operators and merchants did beside events: log-ins, keys, exports, rotations."""

    async def write(
        self, actor: Actor, action: str, *, target: str = "", detail: Mapping[str, object] | None = None
    ) -> None:
        """Note an action (`operator.logged_in`, `key.created`). Raises `Broken` if the detail holds an address or a
        key.
        """
        ...

    async def read(self, *, before_entry_id: int | None = None, entries_max: int = 50) -> tuple[AuditEntry, ...]:
        """Newest first; pass the last `entry_id` to go on."""
        ...


@dataclass(frozen=True, slots=True)
class People:
    """Everything above in one hand, as the house carries it."""

    accounts: Accounts
    sessions: Sessions
    staff: Staff
    api_keys: ApiKeys
    audit: AuditTrail


@lru_cache(maxsize=8_192)
def network_of(address: str) -> str:
    """The part of an IP address that one person can be assumed to hold: IPv4 whole, IPv6 its /64; other text
    unchanged.
    """
    return _network(address, 32, 64) or address


def ip_hint_of(address: str) -> str:
    """What may be stored of an IP address: its /24 or /48, enough to see "the same office", too little to find a
    person.
    """
    return _network(address, 24, 48)


def _network(address: str, bits_v4: int, bits_v6: int) -> str:
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return ""
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    bits = bits_v4 if ip.version == 4 else bits_v6  # noqa: PLR2004 - the two versions of IP
    return str(ipaddress.ip_network((ip, bits), strict=False))
