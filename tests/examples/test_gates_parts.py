"""Parts of the gates that need no application: addresses, ways back, proof of work, tables, headers."""

import ipaddress
from dataclasses import replace

import pytest

from fairkey.engine.people import ip_hint_of, network_of
from fairkey.gates import permissions
from fairkey.gates.addresses import caller_address
from fairkey.gates.headers import completed, content_security_policy, security_headers
from fairkey.gates.permissions import Gate, Permission
from fairkey.gates.pow import GOOD_FOR_MS, WAIT_MS, ProofOfWork, solve, zero_bits
from fairkey.gates.refusals import WorkIsMissing
from fairkey.gates.rules import GateRules
from fairkey.gates.sessions import back_path, cookies_of
from fairkey.settings import Settings

RULES = GateRules(signing_key=bytes(32), public_origin="https://keys.example", payment_origins=("https://pay.example",))
PROXIES = (ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("::1/128"))


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "caller"),
    [
        ("203.0.113.9", "1.2.3.4", "203.0.113.9"),  # a stranger may write what he likes
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "1.2.3.4, 203.0.113.9, 10.9.9.9", "203.0.113.9"),  # what stands left of the stranger is his word
        ("10.0.0.1", "203.0.113.9:4711", "203.0.113.9"),
        ("::1", "[2001:db8::7]:4711", "2001:db8::7"),
        ("10.0.0.1", "203.0.113.9, <script>", "10.0.0.1"),
        ("10.0.0.1", "10.0.0.2, 10.0.0.3", "10.0.0.2"),
    ],
)
def test_only_trusted_proxies_say_for_whom_they_call(peer: str, forwarded_for: str, caller: str) -> None:
    assert caller_address(peer, forwarded_for, PROXIES) == caller


def test_without_trusted_proxies_nobody_is_believed() -> None:
    assert caller_address("10.0.0.1", "203.0.113.9", ()) == "10.0.0.1"


def test_addresses_are_counted_by_what_one_person_holds_and_stored_by_less() -> None:
    assert network_of("2001:db8:1:2:3::4") == "2001:db8:1:2::/64"
    assert network_of("::ffff:203.0.113.9") == network_of("203.0.113.9") == "203.0.113.9/32"
    assert network_of("unix") == "unix"
    assert ip_hint_of("203.0.113.9") == "203.0.113.0/24"
    assert ip_hint_of("2001:db8:1:2::4") == "2001:db8:1::/48"
    assert ip_hint_of("") == ""


@pytest.mark.parametrize(
    "elsewhere",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "evil", "",  None,
     "/a\r\nSet-Cookie: x", "/" + "x" * 3_000],
)  # fmt: skip
def test_the_way_back_never_leads_away(elsewhere: str | None) -> None:
    assert back_path(elsewhere, "/desk") == "/desk"


def test_the_way_back_keeps_the_page_and_its_question() -> None:
    assert back_path("/desk/orders?state=paid&page=2") == "/desk/orders?state=paid&page=2"


def test_cookies_are_read_leniently_and_the_first_of_two_counts() -> None:
    assert cookies_of(b'a=1; b="2"; broken; a=3; c=x=y') == {"a": "1", "b": "2", "c": "x=y"}
    assert cookies_of(b"a=1; " + b"x" * 9_000) == {}


# --- proof of work -------------------------------------------------------------------------------------------------


class Clock:
    def __init__(self) -> None:
        self.now_ms = 1_750_000_000_000

    def __call__(self) -> int:
        return self.now_ms


def test_without_difficulty_nothing_is_asked() -> None:
    work = ProofOfWork(bytes(32), 0, Clock())
    assert work.challenge("place", "here") == ""
    work.require("place", "here", "")


def test_work_is_taken_once() -> None:
    work = ProofOfWork(bytes(32), 8, Clock())
    challenge = work.challenge("place", "here")
    answer = solve(challenge, 8)
    assert zero_bits(answer) >= 8
    work.require("place", "here", answer)
    for again in (answer, challenge):
        with pytest.raises(WorkIsMissing):
            work.require("place", "here", again)


def test_work_for_another_form_another_network_or_too_little_is_refused() -> None:
    work = ProofOfWork(bytes(32), 8, Clock())
    challenge = work.challenge("place", "here")
    answer = solve(challenge, 8)
    lazy = next(f"{challenge}:{nonce}" for nonce in range(1_000) if zero_bits(f"{challenge}:{nonce}") < 8)
    with pytest.raises(WorkIsMissing):
        work.require("register", "here", answer)
    with pytest.raises(WorkIsMissing):
        work.require("place", "elsewhere", answer)
    for bad in (lazy, "", "a.b.c.d.e:1", challenge[:-1] + "x:1", "é:é", answer.replace(".8.", ".0.", 1)):
        with pytest.raises(WorkIsMissing):
            work.require("place", "here", bad)
    work.require("place", "here", answer)


def test_without_scripts_waiting_counts_as_work() -> None:
    clock = Clock()
    work = ProofOfWork(bytes(32), 20, clock)
    challenge = work.challenge("place", "here")
    with pytest.raises(WorkIsMissing):
        work.require("place", "here", challenge)
    clock.now_ms += WAIT_MS
    work.require("place", "here", challenge)


def test_a_challenge_grows_old() -> None:
    clock = Clock()
    work = ProofOfWork(bytes(32), 4, clock)
    answer = solve(work.challenge("place", "here"), 4)
    clock.now_ms += GOOD_FOR_MS + 1
    with pytest.raises(WorkIsMissing):
        work.require("place", "here", answer)


# --- rules, headers, table --------------------------------------------------------------------------------------------


def test_rules_refuse_what_would_open_a_gate() -> None:
    with pytest.raises(ValueError, match="signing_key"):
        replace(RULES, signing_key=b"short")
    with pytest.raises(ValueError, match="https"):
        replace(RULES, public_origin="http://keys.example")
    for origin in ("https://pay.example/path", "pay.example", "'unsafe-inline'", "https://a b", "javascript:x"):
        with pytest.raises(ValueError, match="payment_origins"):
            replace(RULES, payment_origins=(origin,))


def test_rules_follow_the_settings() -> None:
    settings = Settings.from_environment({
        "FAIRKEY_MODE": "demo",
        "FAIRKEY_LIMIT_PERCENT": "50",
        "FAIRKEY_TRUSTED_PROXIES": "10.0.0.0/8",
        "FAIRKEY_PORT": "8123",
    })  # fmt: skip
    rules = GateRules.from_settings(settings, signing_key=bytes(32))
    assert rules.over_http
    assert (rules.public_origin, rules.limit_factor) == ("http://127.0.0.1:8123", 0.5)
    assert rules.trusted_proxies == PROXIES[:1]


def test_keys_for_different_uses_differ() -> None:
    assert RULES.key_for("csrf") != RULES.key_for("proof of work")
    assert "signing_key" not in repr(RULES)


def test_the_policy_allows_our_own_files_only_and_forms_to_the_provider() -> None:
    policy = dict(part.split(" ", 1) for part in content_security_policy(RULES.payment_origins).split("; "))
    assert policy["default-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["img-src"] == "'self' data:"
    assert policy["form-action"] == "'self' https://pay.example"
    assert not any("unsafe" in value or "*" in value for value in policy.values())


def test_hsts_only_over_tls_and_a_handler_may_say_otherwise() -> None:
    assert b"strict-transport-security" in dict(security_headers(RULES))
    demo = replace(RULES, over_http=True, public_origin="http://127.0.0.1:8000")
    assert b"strict-transport-security" not in dict(security_headers(demo))
    sent = [(b"Cache-Control", b"public, max-age=31536000, immutable"), (b"Referrer-Policy", b"no-referrer")]
    answer = [(name.lower(), value) for name, value in completed(sent, security_headers(RULES))]
    assert [value for name, value in answer if name == b"cache-control"] == [sent[0][1]]
    assert [value for name, value in answer if name == b"referrer-policy"] == [b"no-referrer"]


def test_rows_that_cannot_work_are_refused() -> None:
    with pytest.raises(ValueError, match="rate limit"):
        Gate(Permission.PUBLIC, limit="sometimes")
    with pytest.raises(ValueError, match="scope"):
        Gate(Permission.PUBLIC, scope="orders:read")


def test_table_and_application_are_compared_both_ways() -> None:
    table = {"GET /": Gate(Permission.PUBLIC), "GET /gone": Gate(Permission.ACCOUNT)}
    assert permissions.differences({"GET /", "POST /new"}, table) == [
        "no row in gates/route_table.py for: POST /new",
        "no route of the application for the row: GET /gone",
    ]
    assert permissions.unprotected(table) == ["GET /  public"]
