"""Shops: opened, admitted, changed, suspended, reinstated, closed."""

from msgspec.structs import replace

from business_cases import NOW, SHOP, Case, all_of, hold, state_after
from examples import test_shop_law as law
from fairkey.business import shops
from fairkey.business.basics import Event, FieldIsInvalid
from fairkey.business.shops import (
    AdmitShop,
    ChangeShop,
    CheckLapsed,
    CloseShop,
    OpenShop,
    ReinstateShop,
    ShopAdmitted,
    ShopApplied,
    ShopChanged,
    ShopClosed,
    ShopIsInAnotherStanding,
    ShopReinstated,
    ShopSanctioned,
    ShopSuspended,
    Standing,
    SuspendShop,
)

ID = {"shop_id": SHOP}
OPEN = OpenShop(**ID, shop_no=101, name="晨星", contact="a@b.c", payout_account="bank 1", fee_bp=200, admitted=True)
APPLIED = ShopApplied(shop_no=101, name="晨星", contact="a@b.c", payout_account="bank 1")
ADMITTED = ShopAdmitted(basis="simple registration", fee_bp=200)
SUSPENDED = ShopSuspended(reason="too many complaints")
SANCTIONED = ShopSanctioned(number=1, measure="suspension", reason_code="other", clause="9", until_ms=0)
CHANGE = ChangeShop(**ID, name="晨星二", announcement="hello", payout_account="")
CHANGED = ShopChanged(name="晨星二", announcement="hello", payout_account="")


def over(standings: tuple[Standing, ...], then: list[Event]) -> dict[Standing, list[Event]]:
    return {standing: list(then) for standing in standings}


BEFORE = {
    Standing.NONE: (),
    Standing.APPLIED: (APPLIED,),
    Standing.OPEN: (APPLIED, ADMITTED),
    Standing.LAPSED: (APPLIED, ADMITTED, CheckLapsed(until_ms=NOW)),
    Standing.SUSPENDED: (APPLIED, ADMITTED, SUSPENDED),
    Standing.BANNED: (APPLIED, ADMITTED, SUSPENDED, replace(SANCTIONED, measure="ban")),
    Standing.CLOSED: (APPLIED, ADMITTED, ShopClosed()),
    Standing.VANISHED: (APPLIED, ADMITTED, law.GONE),
}
ASKED = {
    OPEN: {Standing.NONE: [APPLIED, ADMITTED]},
    AdmitShop(**ID, fee_bp=300): {Standing.APPLIED: [ShopAdmitted(basis="operator", fee_bp=300)]},
    CHANGE: over((Standing.APPLIED, Standing.OPEN, Standing.LAPSED, Standing.SUSPENDED, Standing.BANNED), [CHANGED]),
    SuspendShop(**ID, reason="too many complaints"): over((Standing.OPEN, Standing.LAPSED), [SUSPENDED, SANCTIONED]),
    ReinstateShop(**ID, reason="looked into"): over(
        (Standing.SUSPENDED, Standing.BANNED), [ShopReinstated(reason="looked into")]
    ),
    CloseShop(**ID): over((Standing.OPEN, Standing.LAPSED, Standing.SUSPENDED), [ShopClosed()]),
}
CASES = [
    *law.CASES,
    *(
        Case(
            rule=f"{type(when).__name__} of a shop that is {standing}",
            given=given,
            when=when,
            then=then.get(standing, (ShopIsInAnotherStanding, {"standing": standing.value})),
        )
        for when, then in ASKED.items()
        for standing, given in BEFORE.items()
    ),
    Case(rule="who is not admitted at once has applied", when=replace(OPEN, admitted=False), then=[APPLIED]),
    *(
        Case(rule=f"a name {why}", when=replace(OPEN, name=name), then=FieldIsInvalid)
        for why, name in (
            ("of one letter", "x"),
            ("of 41", "x" * 41),
            ("of two lines", "a\nb"),
            ("with a bell", "ab\x07"),
        )
    ),
    Case(
        rule="a name of 40 is taken",
        when=replace(OPEN, name="x" * 40),
        then=[replace(APPLIED, name="x" * 40), ADMITTED],
    ),
    Case(rule="a contact too short", when=replace(OPEN, contact="ab"), then=FieldIsInvalid),
    Case(rule="an account too long", when=replace(OPEN, payout_account="x" * 121), then=FieldIsInvalid),
    Case(
        rule="an announcement too long",
        given=BEFORE[Standing.OPEN],
        when=replace(CHANGE, announcement="x" * 2_001),
        then=FieldIsInvalid,
    ),
    Case(
        rule="a suspension without a reason",
        given=BEFORE[Standing.OPEN],
        when=SuspendShop(**ID, reason="bad"),
        then=FieldIsInvalid,
    ),
    Case(
        rule="a reinstatement without a reason",
        given=BEFORE[Standing.SUSPENDED],
        when=ReinstateShop(**ID, reason="ok"),
        then=FieldIsInvalid,
    ),
]


CASES += [
    Case(
        rule=f"{type(when).__name__} with a reason of {length} characters",
        given=given,
        when=replace(when, reason="x" * length),
        then=[replace(then[0], reason="x" * length), *then[1:]] if length in (5, 2_000) else FieldIsInvalid,
    )
    for given, when, then in (
        (BEFORE[Standing.OPEN], SuspendShop(**ID, reason=""), [SUSPENDED, SANCTIONED]),
        (BEFORE[Standing.SUSPENDED], ReinstateShop(**ID, reason=""), [ShopReinstated(reason="")]),
    )
    for length in (4, 5, 2_000, 2_001)
]


@all_of(CASES)
def test_shops(case: Case) -> None:
    hold(shops, case)


def test_only_an_open_shop_takes_orders() -> None:
    assert {standing: state_after(shops, given).is_open for standing, given in BEFORE.items()} == {
        standing: standing is Standing.OPEN for standing in Standing
    }
    back = state_after(shops, (*BEFORE[Standing.SUSPENDED], ShopReinstated(reason="looked into")))
    assert back.is_open
    assert not back.suspended_because
    assert back.opened_at_ms == NOW
    assert not state_after(shops, (APPLIED, CHANGED)).has_payout_account
