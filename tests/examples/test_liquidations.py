"""What is left of a vanished shop's deposit: kept, claimed, divided to the fen, paid once."""

from business_cases import NOW, ORDER, SHOP, Case, all_of, hold, state_after
from fairkey.business import liquidations
from fairkey.business.liquidations import (
    CLAIMS_WITHIN_MS,
    Claimed,
    ClaimsAreOver,
    DepositShared,
    KeepForClaims,
    KeptForClaims,
    NoteClaim,
    PayShare,
    Share,
    ShareDeposit,
    SharePaid,
    SharingIsNotDue,
)

OTHER, THIRD = ORDER[:-1] + "b", ORDER[:-1] + "c"
UNTIL = NOW + CLAIMS_WITHIN_MS
ID = {"shop_id": SHOP}
NOTE = NoteClaim(**ID, order_id=ORDER, row="R11", claim_fen=100)
BEGAN = KeptForClaims(order_id=ORDER, amount_fen=0, until_ms=UNTIL)
KEPT = KeptForClaims(order_id=ORDER, amount_fen=100, until_ms=UNTIL)
CLAIMED = Claimed(order_id=ORDER, row="R11", claim_fen=100)
TWO = (BEGAN, KEPT, CLAIMED, Claimed(order_id=OTHER, row="R03", claim_fen=50) )
SHARES = (
    Share(order_id=ORDER, row="R11", claim_fen=100, share_fen=67),
    Share(order_id=OTHER, row="R03", claim_fen=50, share_fen=33),
)
SHARED = DepositShared(kept_fen=100, shares=SHARES, rest_fen=0)
PAID = SharePaid(order_id=ORDER, row="R11", share_fen=67, short_fen=33)


def keep(amount_fen: int) -> KeepForClaims:
    return KeepForClaims(**ID, order_id=ORDER, amount_fen=amount_fen)


CASES = [
    Case(rule="claims begin when the shop has vanished", when=keep(0), then=[BEGAN]),
    Case(rule="once", given=(BEGAN,), when=keep(0), then=[]),
    Case(rule="what a ruling takes is kept, to the same day", given=(BEGAN,), when=keep(100), at_ms=NOW + 9,
         then=[KEPT]),
    Case(rule="or it comes first", when=keep(100), then=[KEPT]),
    Case(rule="a claim in the last millisecond", given=(BEGAN,), when=NOTE,
         at_ms=UNTIL - 1, then=[CLAIMED]),
    Case(rule="one later", given=(BEGAN,), when=NOTE,
         at_ms=UNTIL, then=ClaimsAreOver),
    Case(rule="nor before anything vanished", when=NOTE,
         then=ClaimsAreOver),
    Case(rule="one order counts once", given=TWO, when=NOTE, then=[]),
    Case(rule="divided not before its time", given=TWO, when=ShareDeposit(**ID), at_ms=UNTIL - 1, then=SharingIsNotDue),
    Case(rule="in proportion, to the fen", given=TWO, when=ShareDeposit(**ID), at_ms=UNTIL, then=[SHARED]),
    Case(rule="divided once", given=(*TWO, SHARED), when=ShareDeposit(**ID), at_ms=UNTIL, then=SharingIsNotDue),
    Case(rule="what nobody claimed is left", given=(BEGAN, KEPT), when=ShareDeposit(**ID), at_ms=UNTIL,
         then=[DepositShared(kept_fen=100, shares=(), rest_fen=100)]),
    Case(rule="a share is paid", given=(*TWO, SHARED), when=PayShare(**ID, order_id=ORDER), then=[PAID]),
    Case(rule="paid once", given=(*TWO, SHARED, PAID), when=PayShare(**ID, order_id=ORDER), then=[]),
    Case(rule="and nobody else's", given=(*TWO, SHARED), when=PayShare(**ID, order_id=THIRD), then=[]),
]  # fmt: skip


@all_of(CASES)
def test_liquidations(case: Case) -> None:
    hold(liquidations, case)


def test_what_lies_there_is_told_until_the_last_share_is_paid() -> None:
    lies = [state_after(liquidations, given).left_fen for given in (TWO, (*TWO, SHARED), (*TWO, SHARED, PAID))]
    assert lies == [100, 100, 33]
    assert state_after(liquidations, (*TWO, SHARED)).until_ms == 0
