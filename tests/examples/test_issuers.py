"""Issuers: registered by the operator; keys follow one another and never come back; a suspended one is not heard."""

import pytest
from msgspec.structs import replace

from business_cases import NOW, Case, all_of, hold, state_after
from fairkey.business import issuers
from fairkey.business.basics import DAY_MS, PLATFORM, Event, FieldIsInvalid
from fairkey.business.issuers import (
    ChangeIssuerApi,
    ChangeIssuerScope,
    IssuerApiChanged,
    IssuerIsInAnotherStanding,
    IssuerKeyIsTaken,
    IssuerKeyRotated,
    IssuerRegistered,
    IssuerReinstated,
    IssuerScopeChanged,
    IssuerSuspended,
    RegisterIssuer,
    ReinstateIssuer,
    RotateIssuerKey,
    SuspendIssuer,
)

ID = {"shop_id": PLATFORM, "issuer_id": "00000000-0000-7000-8000-000000000071"}
KEY, OTHER_KEY = "ab" * 32, "cd" * 32
REGISTER = RegisterIssuer(**ID, name="晨光游戏", public_key=KEY, speaks_for=("点券",), contact="a@example.com")
REGISTERED = IssuerRegistered(name="晨光游戏", public_key=KEY, speaks_for=("点券",), contact="a@example.com")
ROTATE = RotateIssuerKey(**ID, public_key=OTHER_KEY, at_once=False)
ROTATED = IssuerKeyRotated(key_no=2, public_key=OTHER_KEY, old_key_until_ms=NOW + DAY_MS)
SUSPEND = SuspendIssuer(**ID, reason="signs what is not so")
SUSPENDED = IssuerSuspended(reason="signs what is not so")
API = ChangeIssuerApi(**ID, url="https://issuer.example/v1", token="secret-token")
WEAK = ("01" + "00" * 31, "ec" + "ff" * 30 + "7f", "ec" + "ff" * 31, "00" * 31 + "80")

CASES = [
    Case(rule="the operator registers one", when=REGISTER, then=[REGISTERED]),
    Case(rule="once", given=(REGISTERED,), when=REGISTER, then=IssuerIsInAnotherStanding),
    Case(rule="a name of one letter", when=replace(REGISTER, name="a"), then=FieldIsInvalid),
    Case(rule="a name of two lines", when=replace(REGISTER, name="a\nb"), then=FieldIsInvalid),
    Case(rule="a key that is none", when=replace(REGISTER, public_key="xyz"), then=FieldIsInvalid),
    Case(rule="a key in capitals", when=replace(REGISTER, public_key=KEY.upper()), then=FieldIsInvalid),
    *(
        Case(rule=f"a key anybody can sign under {key}", when=replace(REGISTER, public_key=key), then=FieldIsInvalid)
        for key in WEAK
    ),
    Case(rule="for nothing", when=replace(REGISTER, speaks_for=()), then=FieldIsInvalid),
    Case(rule="for everything by an empty word", when=replace(REGISTER, speaks_for=("  ",)), then=FieldIsInvalid),
    Case(rule="for 101 words", when=replace(REGISTER, speaks_for=("点券",) * 101), then=FieldIsInvalid),
    Case(rule="another key", given=(REGISTERED,), when=ROTATE, then=[ROTATED]),
    Case(
        rule="another key at once",
        given=(REGISTERED,),
        when=replace(ROTATE, at_once=True),
        then=[replace(ROTATED, old_key_until_ms=NOW)],
    ),
    Case(
        rule="the first key does not come back",
        given=(REGISTERED, ROTATED),
        when=replace(ROTATE, public_key=KEY),
        then=IssuerKeyIsTaken,
    ),
    Case(rule="no rotation of nobody's key", when=ROTATE, then=(IssuerIsInAnotherStanding, {"standing": "none"})),
    Case(
        rule="for other products",
        given=(REGISTERED,),
        when=ChangeIssuerScope(**ID, speaks_for=("Steam", "Steam", "点券")),
        then=[IssuerScopeChanged(speaks_for=("Steam", "点券"))],
    ),
    Case(
        rule="with a licence API",
        given=(REGISTERED,),
        when=API,
        then=[IssuerApiChanged(has_api=True, url="https://issuer.example/v1", token="secret-token")],
    ),
    Case(
        rule="without one again",
        given=(REGISTERED,),
        when=replace(API, url="", token=""),
        then=[IssuerApiChanged(has_api=False, url="", token="")],
    ),
    Case(rule="not with a file", given=(REGISTERED,), when=replace(API, url="file:///x"), then=FieldIsInvalid),
    Case(rule="nor a broken address", given=(REGISTERED,), when=replace(API, url="https://a b"), then=FieldIsInvalid),
    Case(rule="nor a broken token", given=(REGISTERED,), when=replace(API, token="a\nb"), then=FieldIsInvalid),
    Case(rule="suspended", given=(REGISTERED,), when=SUSPEND, then=[SUSPENDED]),
    Case(rule="with a reason", given=(REGISTERED,), when=replace(SUSPEND, reason="x"), then=FieldIsInvalid),
    Case(
        rule="suspended once",
        given=(REGISTERED, SUSPENDED),
        when=SUSPEND,
        then=(IssuerIsInAnotherStanding, {"standing": "suspended"}),
    ),
    Case(
        rule="reinstated",
        given=(REGISTERED, SUSPENDED),
        when=ReinstateIssuer(**ID, reason="it was a slip"),
        then=[IssuerReinstated(reason="it was a slip")],
    ),
    Case(
        rule="only who is suspended",
        given=(REGISTERED,),
        when=ReinstateIssuer(**ID, reason="it was a slip"),
        then=IssuerIsInAnotherStanding,
    ),
]


@all_of(CASES)
def test_issuers(case: Case) -> None:
    hold(issuers, case)


def test_the_old_key_counts_for_a_day_and_not_a_moment_longer() -> None:
    issuer = state_after(issuers, (REGISTERED, ROTATED))
    assert issuer.takes_key(1, NOW + DAY_MS - 1)
    assert not issuer.takes_key(1, NOW + DAY_MS)
    assert issuer.takes_key(2, NOW + 100 * DAY_MS)
    assert not issuer.takes_key(3, NOW)


def test_a_stolen_key_counts_no_more_at_once_whatever_was_promised_before() -> None:
    third = IssuerKeyRotated(key_no=3, public_key="ef" * 32, old_key_until_ms=NOW)
    issuer = state_after(issuers, (REGISTERED, ROTATED, third))
    assert [issuer.takes_key(number, NOW) for number in (1, 2, 3)] == [False, False, True]


@pytest.mark.parametrize(
    ("product", "makes"),
    [
        ("点券 50 元", True),
        ("游戏點券", False),
        ("ｓｔｅａｍ 100", True),
        ("STEAM", True),
        ("Ste am", False),
        ("", False),
    ],
)
def test_for_which_products_he_speaks(product: str, makes: bool) -> None:
    given: tuple[Event, ...] = (REGISTERED, IssuerScopeChanged(speaks_for=("点券", "Steam")))
    assert state_after(issuers, given).makes(product) is makes
