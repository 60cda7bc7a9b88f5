"""Shops: opened, admitted, changed, suspended, reinstated, closed."""

from msgspec.structs import replace

from business_cases import NOW, SHOP, Case, all_of, hold, state_after
from fairkey.business import shops
from fairkey.business.basics import FieldIsInvalid
from fairkey.business.shops import (
    AdmitShop,
    ChangeShop,
    CloseShop,
    OpenShop,
    ReinstateShop,
    ShopAdmitted,
    ShopApplied,
    ShopChanged,
    ShopClosed,
    ShopIsInAnotherStanding,
    ShopReinstated,
    ShopSuspended,
    Standing,
    SuspendShop,
)

ID = {"shop_id": SHOP}
OPEN = OpenShop(**ID, shop_no=101, name="晨星", contact="a@b.c", payout_account="bank 1", fee_bp=200, admitted=True)
APPLIED = ShopApplied(shop_no=101, name="晨星", contact="a@b.c", payout_account="bank 1")
ADMITTED = ShopAdmitted(basis="simple registration", fee_bp=200)
SUSPENDED = ShopSuspended(reason="too many complaints")
CHANGE = ChangeShop(**ID, name="晨星二", announcement="hello", payout_account="")
CHANGED = ShopChanged(name="晨星二", announcement="hello", payout_account="")
BEFORE = {
    Standing.NONE: (),
    Standing.APPLIED: (APPLIED,),
    Standing.OPEN: (APPLIED, ADMITTED),
    Standing.SUSPENDED: (APPLIED, ADMITTED, SUSPENDED),
    Standing.CLOSED: (APPLIED, ADMITTED, ShopClosed()),
}
ASKED = {
    OPEN: {Standing.NONE: [APPLIED, ADMITTED]},
    AdmitShop(**ID, fee_bp=300): {Standing.APPLIED: [ShopAdmitted(basis="operator", fee_bp=300)]},
    CHANGE: {Standing.APPLIED: [CHANGED], Standing.OPEN: [CHANGED], Standing.SUSPENDED: [CHANGED]},
    SuspendShop(**ID, reason="too many complaints"): {Standing.OPEN: [SUSPENDED]},
    ReinstateShop(**ID, reason="looked into"): {Standing.SUSPENDED: [ShopReinstated(reason="looked into")]},
    CloseShop(**ID): {Standing.OPEN: [ShopClosed()], Standing.SUSPENDED: [ShopClosed()]},
}
CASES = [
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
        then=[replace(then, reason="x" * length)] if length in (5, 2_000) else FieldIsInvalid,
    )
    for given, when, then in (
        (BEFORE[Standing.OPEN], SuspendShop(**ID, reason=""), SUSPENDED),
        (BEFORE[Standing.SUSPENDED], ReinstateShop(**ID, reason=""), ShopReinstated(reason="")),
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
