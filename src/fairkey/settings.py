"""Everything an installation decides, read from environment variables `FAIRKEY_*` once, at the start.

Each field of `Settings` stands with its default, its meaning and the check of its text; `docs/settings.md` is printed
from here. What cannot be read or is not safe is refused at the start, all of it at once, one sentence each.
"""

import difflib
import re
from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, field, fields
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Any, Final, Literal, Self
from urllib.parse import SplitResult, urlsplit

PREFIX: Final = "FAIRKEY_"
MASTER_KEY_BYTES: Final = 32
FEWEST_DISTINCT_KEY_BYTES: Final = 12  # 32 random bytes have fewer with a chance of about 10^-17
SHORTEST_SANDBOX_SECRET: Final = 16
SHORTEST_OPERATOR_PASSWORD: Final = 12
OTHERS_MAY_READ: Final = 0o077
_TSA_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,39}")

Mode = Literal["production", "demo", "test"]
PaymentProviderName = Literal["none", "sandbox"]
Worker = Literal["inside", "apart"]
SequencerPlace = Literal["inside", "apart"]
ShopAdmission = Literal["open", "by_operator"]
Network = IPv4Network | IPv6Network


class SettingsRefused(Exception):
    """The house does not start like this; `reasons` says why, one sentence each."""

    def __init__(self, reasons: list[str]) -> None:
        super().__init__("\n".join(reasons))
        self.reasons = reasons


class _Unreadable(Exception):
    """A text is not a value of its setting; says what would be one, to follow 'must be'."""


def _setting(default: str, read: Callable[[str], Any], meaning: str, *, secret: bool = False) -> Any:  # noqa: ANN401
    """A field of `Settings`: default and check of its text, and what it means. Secret ones are not shown in a repr."""
    about = {"default": default, "read": read, "meaning": meaning, "secret": secret}
    return field(default=read(default), repr=not secret, metadata=about)


# ---- what a text may be


def _text(longest: int) -> Callable[[str], str]:
    def read(text: str) -> str:
        if len(text) > longest or not text.isprintable():
            raise _Unreadable(f"one line of at most {longest} characters")
        return text

    return read


def _whole(least: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        number = int(text) if text.isascii() and text.isdigit() else -1
        if not least <= number <= most:
            raise _Unreadable(f"a whole number from {least} to {most}")
        return number

    return read


def _one_of(*words: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in words:
            raise _Unreadable("one of " + ", ".join(words))
        return text

    return read


def _address_of(*schemes: str, origin_only: bool = False) -> Callable[[str], str]:
    """An address with one of these schemes and a host, or nothing; `origin_only` without path, query and user."""

    def read(text: str) -> str:
        if not text:
            return ""
        wanted = "an address that begins with " + " or ".join(f"{scheme}://" for scheme in schemes)
        try:
            parts: SplitResult = urlsplit(text)
            parts.port  # noqa: B018 - raises when it is no number
        except ValueError:
            raise _Unreadable(wanted) from None
        has_place = bool(parts.hostname or ("postgresql" in parts.scheme and "host=" in parts.query))
        if parts.scheme not in schemes or not has_place or not text.isascii() or " " in text:
            raise _Unreadable(wanted)
        if origin_only and text.rstrip("/") != f"{parts.scheme}://{parts.netloc}":
            raise _Unreadable("scheme, host and port only, like https://keys.example")
        if origin_only and "@" in parts.netloc:
            raise _Unreadable("scheme, host and port only, without a user")
        return text.rstrip("/") if origin_only else text

    return read


def _log_origin(text: str) -> str:
    longest = 200
    if len(text) > longest or not (text.isprintable() and text.isascii()) or any(sign in text for sign in " +"):
        raise _Unreadable("a name like keys.example/log: ASCII, without spaces and '+'")
    return text


def _log_store(text: str) -> str:
    schemes = ("s3", "gs", "az", "file", "memory", "http", "https")
    if text and (text.partition("://")[0] not in schemes or not text.isprintable() or " " in text):
        raise _Unreadable("the URL of a bucket, like s3://bucket/folder")
    return text.rstrip("/") if not text.endswith("://") else text


def _email(text: str) -> str:
    name, at, host = text.rpartition("@")
    longest = 254
    if text and (not at or not name or "." not in host or len(text) > longest or not text.isprintable() or " " in text):
        raise _Unreadable("an e-mail address")
    return text


def _host(text: str) -> str:
    try:
        ip_address(text)
    except ValueError:
        if text != "localhost":
            raise _Unreadable("an IP address of this machine or localhost") from None
    return text


def _networks(text: str) -> tuple[Network, ...]:
    try:
        return tuple(ip_network(part.strip()) for part in text.split(",") if part.strip())
    except ValueError:
        raise _Unreadable("addresses or networks separated by commas, like 10.0.0.0/8, ::1") from None


def _master_key(text: str) -> str:
    if not text:
        return ""
    try:
        key = b64decode(text, validate=True)
    except ValueError:
        key = b""
    if len(key) != MASTER_KEY_BYTES:
        raise _Unreadable("32 random bytes in base64 (openssl rand -base64 32)")
    return text


def _authorities(text: str) -> tuple[tuple[str, str], ...]:
    """`name=address` or only `address`, commas between; without a name the host is the name."""
    wanted = "addresses separated by commas, each with a name of its own: one=https://tsa.example/tsr, …"
    found: dict[str, str] = {}
    for part in (one.strip() for one in text.split(",") if one.strip()):
        name, equals, address = part.partition("=")
        try:
            if not equals or "/" in name:
                name, address = urlsplit(part).hostname or "", part
            _address_of("https", "http")(address)
        except (_Unreadable, ValueError):
            raise _Unreadable(wanted) from None
        if not address or name in found or not _TSA_NAME.fullmatch(name):
            raise _Unreadable(wanted)
        found[name] = address
    return tuple(found.items())


def _path(text: str) -> Path | None:
    return Path(text).expanduser() if text else None


# ---- the settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The decisions of one installation. Lengths of time, money and sizes carry their unit in the name."""

    mode: Mode = _setting(
        "production",
        _one_of("production", "demo", "test"),
        "`production` refuses whatever is unsafe. `demo` is a world to play with, for this machine only: one-click "
        "logins for every role, money that is not money. `test` is what the tests use.",
    )
    state_dir: Path | None = _setting(
        "",
        _path,
        "Folder of everything that must survive: embedded database, demo keys. Default: `$XDG_STATE_HOME/fairkey`, "
        "else `~/.local/state/fairkey`; `./run` uses `.state/data` in its own folder.",
    )
    database_url: str = _setting(
        "",
        _address_of("postgresql", "postgres"),
        "PostgreSQL to use (`postgresql://user:password@host/database`, version 16 or later). Empty: the embedded "
        "one in the state folder.",
        secret=True,
    )
    database_connections: int = _setting(
        "10",
        _whole(2, 200),
        "Connections to the database that each process keeps; the embedded server takes 200 in all.",
    )
    host: str = _setting("127.0.0.1", _host, "Address to listen on. In demo mode only one of this machine itself.")
    port: int = _setting("8000", _whole(0, 65535), "Port to listen on; 0 takes a free one.")
    public_url: str = _setting(
        "",
        _address_of("https", "http", origin_only=True),
        "How buyers reach the house, without a path: `https://keys.example`. Stands in mails, in cookies' rules and "
        "in what the payment provider is told. Needed in production, and there only `https`.",
    )
    trusted_proxies: tuple[Network, ...] = _setting(
        "",
        _networks,
        "Proxies in front of us whose `X-Forwarded-For` is believed: addresses or networks, commas between.",
    )
    processes: int = _setting("1", _whole(1, 64), "How many processes answer requests.")
    worker: Worker = _setting(
        "inside",
        _one_of("inside", "apart"),
        "Who carries out payments back, mails and deadlines: the serving processes themselves, or `fairkey worker` "
        "started apart.",
    )
    log_origin: str = _setting(
        "",
        _log_origin,
        "Name of the public log, fixed for good when its first checkpoint is signed. Empty: the host of "
        "`FAIRKEY_PUBLIC_URL` and `/log`.",
    )
    log_store: str = _setting(
        "",
        _log_store,
        "Bucket for the public log's tiles (`s3://bucket/folder`, `gs://`, `az://`; keys and region come from the "
        "cloud's own environment variables). Empty: the folder `log` in the state folder.",
    )
    evidence_store: str = _setting(
        "",
        _log_store,
        "Bucket for files given as evidence, encrypted (`s3://bucket/folder`). Empty: a folder in the state folder.",
    )
    evidence_scanner: str = _setting(
        "",
        _text(500),
        "Command that every such file is piped to, with arguments: exit code 0 clean, 1 found something. Empty: "
        "nothing is scanned.",
    )
    log_period_ms: int = _setting(
        "1000",
        _whole(20, 60_000),
        "How long the public log's writer collects events before it signs over them, in milliseconds.",
    )
    sequencer: SequencerPlace = _setting(
        "inside",
        _one_of("inside", "apart"),
        "Who writes the public log: one of the serving processes, whichever holds the lease, or `fairkey sequencer` "
        "started apart.",
    )
    witnesses: Path | None = _setting(
        "",
        _path,
        "Policy file (C2SP tlog-policy) that names the witnesses of the public log, their keys and addresses, and how "
        "many must cosign before a checkpoint is published. Empty: nobody watches.",
    )
    stop_wait_s: int = _setting("20", _whole(1, 600), "How long requests under way may take to end when asked to stop.")
    log_level: str = _setting(
        "info",
        _one_of("debug", "info", "warning", "error"),
        "What the log tells. It never holds codes, secrets or contacts at any level.",
    )
    master_key: str = _setting(
        "",
        _master_key,
        "32 random bytes in base64 (`openssl rand -base64 32`) from which every key of this installation hangs: "
        "sealed codes, contacts, order secrets, sessions. Keep a copy elsewhere: without it nothing sealed can be "
        "opened again. Needed in production (here or as a file); demo and test make their own.",
        secret=True,
    )
    master_key_file: Path | None = _setting(
        "", _path, "The master key as a file that nobody but its owner may read; instead of `FAIRKEY_MASTER_KEY`."
    )
    payment_provider: PaymentProviderName = _setting(
        "none",
        _one_of("none", "sandbox"),
        "Who holds and moves the money. `sandbox` moves none and is refused in production; `none` takes no orders. "
        "Demo mode uses `sandbox` when nothing is said.",
    )
    sandbox_url: str = _setting(
        "",
        _address_of("http", "https", origin_only=True),
        "A sandbox provider that is already running. Empty: the house starts its own in demo mode.",
    )
    sandbox_secret: str = _setting(
        "", _text(200), "Secret shared with that sandbox provider, 16 characters or more.", secret=True
    )
    smtp_url: str = _setting(
        "",
        _address_of("smtp", "smtps"),
        "Mail server: `smtps://user:password@host:465`, or `smtp://...:587` (STARTTLS). Empty: no mail is sent; the "
        "demo puts its mails into the state folder.",
        secret=True,
    )
    mail_from: str = _setting("", _email, "Sender of every mail; needed with a mail server.")
    platform_name: str = _setting("fairkey", _text(40), "Name shown on pages and in mails.")
    fee_bp: int = _setting(
        "100",
        _whole(0, 2000),
        "The platform's share of a completed order in basis points (100 = 1 %), fixed for a shop when it is admitted.",
    )
    shop_admission: ShopAdmission = _setting(
        "open",
        _one_of("open", "by_operator"),
        "Whether a new shop may sell at once or waits for the operator's word.",
    )
    admission_approvals: int = _setting(
        "1",
        _whole(1, 2),
        "How many persons on the operator's side must agree before an applicant is admitted.",
    )
    small_trial_fen: int = _setting(
        "44000",
        _whole(0, 100_000_000),
        "What a shop without a deposit may have unsettled at once, in fen; it grows by 15 % of what it settles without"
        " complaint. 0: deposits bound nothing.",
    )
    first_order_fen: int = _setting(
        "22000",
        _whole(0, 100_000_000),
        "What a buyer without a completed order at a new shop may have open there at once, in fen; until the shop's"
        " deposit covers more than the small trial, or ten small trials are settled without complaint. 0: no limit.",
    )
    cover_bp: int = _setting(
        "1000",
        _whole(1, 100_000),
        "What of a shop's unsettled value its deposit must hold, in hundredths of a percent.",
    )
    tsa_urls: tuple[tuple[str, str], ...] = _setting(
        "",
        _authorities,
        "Time-stamping authorities (RFC 3161) that stamp the log's checkpoints: `name=https://...`, commas between; "
        "two of different operators are a good number. Empty: no trusted time.",
    )
    tsa_roots: Path | None = _setting(
        "", _path, "The root certificates of those authorities in one PEM file, fetched and compared by you."
    )
    tsa_every_s: int = _setting(
        "300", _whole(10, 86_400), "How often the newest published checkpoint is stamped by each authority."
    )
    session_days: int = _setting(
        "90", _whole(1, 365), "How long somebody stays logged in at most. Operators: never longer than 12 hours."
    )
    session_idle_days: int = _setting(
        "14", _whole(1, 365), "How long somebody stays logged in without a visit. Operators: never longer than 2 hours."
    )
    limit_percent: int = _setting(
        "100",
        _whole(0, 10_000),
        "All limits on requests and guesses, made tighter or wider; 0 lifts them, which production refuses.",
    )
    pow_difficulty_bits: int = _setting(
        "0", _whole(0, 24), "Work a guest's browser must prove before it reserves codes, in bits; 0 asks for none."
    )
    operator_email: str = _setting("", _email, "First operator, made at the start as long as the house has none.")
    operator_password: str = _setting(
        "", _text(200), "That operator's password for the first login, 12 characters or more.", secret=True
    )

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Read and check all settings; raises `SettingsRefused` with every reason at once."""
        reasons = list(_unknown(environment))
        values: dict[str, Any] = {}
        for each in fields(cls):
            text = environment.get(variable(each.name), "").strip()
            try:
                values[each.name] = each.metadata["read"](text or each.metadata["default"])
            except _Unreadable as wanted:
                shown = "" if each.metadata["secret"] else f", not '{text}'"
                reasons.append(f"{variable(each.name)} must be {wanted}{shown}.")
        if reasons:
            raise SettingsRefused(reasons)
        if values["state_dir"] is None:
            values["state_dir"] = _usual_state_dir(environment)
        if values["mode"] == "demo" and not environment.get(variable("payment_provider"), "").strip():
            values["payment_provider"] = "sandbox"
        if values["master_key_file"] is not None and not values["master_key"]:
            values["master_key"] = _read_master_key(values["master_key_file"], reasons)
        elif values["master_key_file"] is not None:
            reasons.append("FAIRKEY_MASTER_KEY and FAIRKEY_MASTER_KEY_FILE are both set; leave one out.")
        settings = cls(**values)
        reasons += [*_contradictions(settings), *_dangers(settings)]
        if reasons:
            raise SettingsRefused(reasons)
        return settings

    @property
    def state(self) -> Path:
        """The state folder, whatever decided it."""
        return self.state_dir or Path.home() / ".local" / "state" / "fairkey"

    @property
    def is_playground(self) -> bool:
        """Whether this is a demo or a test, where no money is money."""
        return self.mode != "production"

    @property
    def origin(self) -> str:
        """How the house is reached: `public_url`, or in playgrounds the address it listens on."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return self.public_url or f"http://{host}:{self.port}"


def variable(name: str) -> str:
    """The environment variable of a field: `fee_bp` is read from `FAIRKEY_FEE_BP`."""
    return PREFIX + name.upper()


def _unknown(environment: Mapping[str, str]) -> list[str]:
    """A sentence for every variable that looks like a setting and is none: a slip would otherwise pass in silence."""
    known = [variable(each.name) for each in fields(Settings)]
    reasons = []
    for name in sorted(environment):
        if name.startswith(PREFIX) and name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            reasons.append(f"{name} is not a setting{f'; did you mean {near[0]}?' if near else '.'}")
    return reasons


def _usual_state_dir(environment: Mapping[str, str]) -> Path:
    """Where state belongs by the XDG rules; a relative `XDG_STATE_HOME` does not count, as they say."""
    base = Path(environment.get("XDG_STATE_HOME", ""))
    if not base.is_absolute():
        home = environment.get("HOME", "")
        base = (Path(home) if home else Path.home()) / ".local" / "state"
    return base / "fairkey"


def _read_master_key(file: Path, reasons: list[str]) -> str:
    """The key in the file; what is wrong with it is added to `reasons`."""
    try:
        if file.stat().st_mode & OTHERS_MAY_READ:
            reasons.append(f"The master key file {file} can be read by others; say chmod 600 {file}.")
        return _master_key(file.read_text(encoding="ascii").strip())
    except _Unreadable as wanted:
        reasons.append(f"The master key file {file} must hold {wanted}.")
    except UnicodeDecodeError:
        reasons.append(f"The master key file {file} must hold 32 random bytes in base64, not the bytes themselves.")
    except OSError as error:
        reasons.append(f"The master key file {file} cannot be read: {error.strerror}.")
    return ""


def _contradictions(settings: Settings) -> list[str]:
    """What does not fit together in any mode."""
    reasons = []
    if settings.sandbox_url and settings.payment_provider != "sandbox":
        reasons.append("FAIRKEY_SANDBOX_URL is set, but FAIRKEY_PAYMENT_PROVIDER is not sandbox.")
    if settings.sandbox_url and len(settings.sandbox_secret) < SHORTEST_SANDBOX_SECRET:
        reasons.append(f"FAIRKEY_SANDBOX_SECRET must have {SHORTEST_SANDBOX_SECRET} characters or more.")
    if settings.smtp_url and not settings.mail_from:
        reasons.append("FAIRKEY_MAIL_FROM is needed with FAIRKEY_SMTP_URL: mails need a sender.")
    if bool(settings.operator_email) != bool(settings.operator_password):
        reasons.append("FAIRKEY_OPERATOR_EMAIL and FAIRKEY_OPERATOR_PASSWORD are set together or not at all.")
    if bool(settings.tsa_urls) != (settings.tsa_roots is not None):
        reasons.append("FAIRKEY_TSA_URLS and FAIRKEY_TSA_ROOTS are set together or not at all.")
    if settings.session_idle_days > settings.session_days:
        reasons.append("FAIRKEY_SESSION_IDLE_DAYS is longer than FAIRKEY_SESSION_DAYS.")
    return reasons


def _dangers(settings: Settings) -> list[str]:
    """What is not safe in this mode."""
    if settings.mode == "demo":
        is_local = settings.host == "localhost" or ip_address(settings.host).is_loopback
        return [] if is_local else ["The demo lets everybody in as anybody: FAIRKEY_HOST must be 127.0.0.1."]
    if settings.mode == "test":
        return []
    reasons = []
    if not settings.master_key:
        if settings.master_key_file is None:
            reasons.append(
                "FAIRKEY_MASTER_KEY is missing: make one with openssl rand -base64 32 and keep a copy in a safe place."
            )
    elif len(set(b64decode(settings.master_key))) < FEWEST_DISTINCT_KEY_BYTES:
        reasons.append("The master key is not random; make one with openssl rand -base64 32.")
    if not settings.public_url:
        reasons.append("FAIRKEY_PUBLIC_URL is missing: the https address at which buyers reach the house.")
    elif not settings.public_url.startswith("https://"):
        reasons.append("FAIRKEY_PUBLIC_URL must begin with https://: order secrets and passwords travel over it.")
    if settings.payment_provider == "sandbox":
        reasons.append("FAIRKEY_PAYMENT_PROVIDER=sandbox moves no money; it works with FAIRKEY_MODE=demo or test only.")
    if settings.limit_percent == 0:
        reasons.append("FAIRKEY_LIMIT_PERCENT=0 lets anybody guess passwords without end.")
    if settings.operator_password and _is_guessable(settings.operator_password, settings.operator_email):
        reasons.append(
            f"FAIRKEY_OPERATOR_PASSWORD is too easy to guess: {SHORTEST_OPERATOR_PASSWORD} characters or more, "
            "none of the usual ones, not the e-mail address."
        )
    return reasons


def _is_guessable(password: str, email: str) -> bool:
    usual = ("fairkey", "password", "passwort", "changeme", "operator", "letmein", "12345678", "qwertyui")
    plain = password.casefold()
    few_letters = 6
    return (
        len(password) < SHORTEST_OPERATOR_PASSWORD
        or len(set(plain)) < few_letters
        or plain == email.casefold()
        or any(plain.startswith(word) for word in usual)
    )


# ---- the page about them


_PAGE: Final = """\
# Settings

Every setting is an environment variable. What cannot be read, does not fit together or is not safe is refused at the
start, all at once, one sentence each; a variable `FAIRKEY_...` that is no setting is refused as well. This page is
printed from `src/fairkey/settings.py` by `./run docs`.

| variable | default | meaning |
| --- | --- | --- |
{rows}

## A production start

```sh
openssl rand -base64 32 > /etc/fairkey/master.key && chmod 600 /etc/fairkey/master.key   # keep a copy elsewhere
export FAIRKEY_MASTER_KEY_FILE=/etc/fairkey/master.key
export FAIRKEY_PUBLIC_URL=https://keys.example
export FAIRKEY_DATABASE_URL=postgresql://fairkey:...@db.internal/fairkey
./run serve
```

Put a proxy that speaks TLS in front and name it in `FAIRKEY_TRUSTED_PROXIES`. Secrets are never logged, and the
embedded database server does not see them in its environment.
"""


def settings_page() -> str:
    """`docs/settings.md`, in full. `./run docs` writes it; a test compares."""
    return _PAGE.format(rows="\n".join(_row(each) for each in fields(Settings)))


def _row(each: Field[Any]) -> str:
    default = f"`{each.metadata['default']}`" if each.metadata["default"] else "–"
    meaning = each.metadata["meaning"] + (" *Secret.*" if each.metadata["secret"] else "")
    return f"| `{variable(each.name)}` | {default} | {meaning} |"
