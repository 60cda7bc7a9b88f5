"""Codes of an order: reserved, delivered, opened once for ever, or taken back while sealed."""

from business_cases import LISTING, NOW, ORDER, SHOP, Case, all_of, hold, state_after
from fairkey.business import codes
from fairkey.business.basics import Broken, FieldIsInvalid
from fairkey.business.codes import (
    CodeIsNotDelivered,
    CodesDelivered,
    CodesReleased,
    CodesReserved,
    CodesRevealed,
    CodeStage,
    DeliverReserved,
    DeliverTyped,
    OpeningBriefing,
    OrderTakesNoCodes,
    ReleaseCodes,
    ReserveCodes,
    ReturningBriefing,
    RevealCodes,
    StockBriefing,
    StockIsShort,
    TooManyCodes,
    TypingBriefing,
)

ID = {"shop_id": SHOP, "order_id": ORDER}
RESERVED = CodesReserved(codes=("c1", "c2"), listing_id=LISTING)
DELIVERED = CodesDelivered(codes=("c1", "c2"), commitments=())
TYPED = CodesDelivered(codes=("t1",), commitments=("aa",))
BOX = (RESERVED, DELIVERED)
MAY, MAY_NOT = OpeningBriefing(may_open=True), OpeningBriefing(may_open=False)

ON_SALE = ReturningBriefing(off_sale=frozenset())


def opened(*code_ids: str, account: str = "", region: str = "") -> CodesRevealed:
    return CodesRevealed(codes=code_ids, account_name=account, account_region=region)


def reserving(rule: str, free: tuple[str, ...], then: object, given: tuple[object, ...] = ()) -> Case:
    when = ReserveCodes(**ID, listing_id=LISTING, quantity=2)
    return Case(rule=rule, given=given, when=when, brief=StockBriefing(free=free), then=then)


def typing(
    rule: str,
    code_ids: tuple[str, ...],
    then: object,
    given: tuple[object, ...] = (),
    commitments: tuple[str, ...] | None = None,
) -> Case:
    when = DeliverTyped(
        **ID, codes=code_ids, commitments=tuple("aa" for _ in code_ids) if commitments is None else commitments
    )
    return Case(
        rule=rule,
        given=given,
        when=when,
        brief=TypingBriefing(waits_for_typed=True, stage="paid", quantity=2),
        then=then,
    )


def opening(
    rule: str,
    given: tuple[object, ...],
    asked: tuple[str, ...],
    then: object,
    brief: OpeningBriefing = MAY,
    account: str = "",
    region: str = "",
) -> Case:
    when = RevealCodes(**ID, codes=asked, account_name=account, account_region=region)
    return Case(rule=rule, given=given, when=when, brief=brief, then=then)


CASES = [
    reserving("as many as there are units", ("c1", "c2", "c3"), [RESERVED]),
    reserving("exactly enough is enough", ("c1", "c2"), [RESERVED]),
    reserving("one too few refuses the whole order", ("c1",), (StockIsShort, {"wanted": 2, "left": 1})),
    reserving("none at all, too", (), (StockIsShort, {"wanted": 2, "left": 0})),
    reserving("an order that holds codes reserves no more", ("c3", "c4"), Broken, (RESERVED,)),
    reserving("not after delivery either", ("c3", "c4"), Broken, BOX),
    reserving(
        "an order whose codes were released may",
        ("c1", "c2"),
        [RESERVED],
        (RESERVED, CodesReleased(codes=("c1", "c2"), listing_id=LISTING, to_stock=True)),
    ),
    Case(rule="what was reserved is delivered", given=(RESERVED,), when=DeliverReserved(**ID), then=[DELIVERED]),
    Case(rule="a paid vault order without codes is our own bug", when=DeliverReserved(**ID), then=Broken),
    Case(
        rule="reserved codes go back on sale",
        given=(RESERVED,),
        when=ReleaseCodes(**ID),
brief=ON_SALE,
        then=[CodesReleased(codes=("c1", "c2"), listing_id=LISTING, to_stock=True)],
    ),
    Case(
        rule="those of a batch that was taken off sale are the merchant's again",
        given=(RESERVED,),
        when=ReleaseCodes(**ID),
        brief=ReturningBriefing(off_sale=frozenset({"c2"})),
        then=[
            CodesReleased(codes=("c1",), listing_id=LISTING, to_stock=True),
            CodesReleased(codes=("c2",), listing_id=LISTING, to_stock=False),
        ],
    ),
    Case(
        rule="sealed ones, too",
        given=BOX,
        when=ReleaseCodes(**ID),
brief=ON_SALE,
        then=[CodesReleased(codes=("c1", "c2"), listing_id=LISTING, to_stock=True)],
    ),
    Case(
        rule="an opened one never",
        given=(*BOX, opened("c1")),
        when=ReleaseCodes(**ID),
brief=ON_SALE,
        then=[CodesReleased(codes=("c2",), listing_id=LISTING, to_stock=True)],
    ),
    Case(
        rule="when all are opened nothing leaves",
        given=(*BOX, opened("c1", "c2")),
        when=ReleaseCodes(**ID),
        brief=ON_SALE,
        then=[],
    ),
    Case(
        rule="typed ones are the merchant's again, not for sale",
        given=(TYPED,),
        when=ReleaseCodes(**ID),
brief=ON_SALE,
        then=[CodesReleased(codes=("t1",), listing_id="", to_stock=False)],
    ),
    Case(rule="an order without codes releases none", when=ReleaseCodes(**ID), brief=ON_SALE, then=[]),
    Case(
        rule="what left cannot leave again",
        given=(TYPED, CodesReleased(codes=("t1",), listing_id="", to_stock=False)),
        when=ReleaseCodes(**ID),
brief=ON_SALE,
        then=[],
    ),
    typing("a part may be typed", ("t1",), [TYPED]),
    typing("and then the rest", ("t2",), [CodesDelivered(codes=("t2",), commitments=("aa",))], (TYPED,)),
    typing("or all at once", ("t1", "t2"), [CodesDelivered(codes=("t1", "t2"), commitments=("aa", "aa"))]),
    typing("one too many is refused", ("t1", "t2", "t3"), (TooManyCodes, {"wanted": 2, "given": 3})),
    typing("opened ones count, too", ("t2", "t3"), (TooManyCodes, {"wanted": 1, "given": 2}), (TYPED, opened("t1"))),
    typing("none is no delivery", (), FieldIsInvalid),
    typing("a code without a commitment is our own bug", ("t1",), Broken, commitments=()),
    typing("and so is one code typed as two", ("t1", "t1"), Broken),
    typing("the second of two clicks changes nothing", ("t1",), [], (TYPED,)),
    Case(
        rule="an order that waits for none takes none",
        when=DeliverTyped(**ID, codes=("t1",), commitments=("aa",)),
        brief=TypingBriefing(waits_for_typed=False, stage="cancelled", quantity=2),
        then=(OrderTakesNoCodes, {"stage": "cancelled"}),
    ),
    opening("all are opened when none is named", BOX, (), [opened("c1", "c2")]),
    opening("or just the named one", BOX, ("c2",), [opened("c2")]),
    opening("an opened one is not opened again", (*BOX, opened("c1")), (), [opened("c2")]),
    opening("asking again changes nothing", (*BOX, opened("c1", "c2")), (), []),
    opening("even when the order is over", (*BOX, opened("c1")), ("c1",), [], MAY_NOT),
    opening("a sealed one stays sealed when the order does not let him", BOX, (), CodeIsNotDelivered, MAY_NOT),
    opening("a reserved one is not in the box", (RESERVED,), (), CodeIsNotDelivered),
    opening("nor is anybody else's", BOX, ("c1", "c9"), CodeIsNotDelivered),
    opening(
        "nor one that was taken back",
        (TYPED, CodesReleased(codes=("t1",), listing_id="", to_stock=False)),
        ("t1",),
        CodeIsNotDelivered,
    ),
    opening("an empty box has nothing to open", (), (), CodeIsNotDelivered),
    opening("a code named twice is opened once", BOX, ("c1", "c1"), [opened("c1")]),
    opening(
        "the account it is for is kept sealed",
        BOX,
        ("c1",),
        [opened("c1", account="a" * 200, region="b" * 100)],
        account="a" * 200,
        region="b" * 100,
    ),
    opening("a name too long is refused", BOX, (), FieldIsInvalid, account="a" * 201),
    opening("so is a region too long", BOX, (), FieldIsInvalid, region="b" * 101),
    opening("so is a steering character", BOX, (), FieldIsInvalid, account="a\x00"),
    opening("so is half a character", BOX, (), FieldIsInvalid, account="a\ud800"),
]


@all_of(CASES)
def test_codes(case: Case) -> None:
    hold(codes, case)


def test_the_first_opening_is_remembered() -> None:
    box = state_after(codes, (*BOX, (opened("c1"), NOW + 1), (opened("c2"), NOW + 2)))
    assert box.first_opened_at_ms == NOW + 1
    assert box.count(CodeStage.REVEALED) == 2


def test_returned_codes_stay_with_the_order_that_they_were_typed_for() -> None:
    box = state_after(codes, (TYPED, CodesReleased(codes=("t1",), listing_id="", to_stock=False)))
    assert [(one.code_id, one.stage) for one in box.held] == [("t1", CodeStage.RETURNED)]
