"""Batches: registered once, with exactly what lies in the vault; unsold codes may be taken off sale."""

import pytest
from msgspec.structs import replace

from business_cases import BATCH, LISTING, ORDER, SHOP, Case, all_of, hold, state_after
from fairkey.business import batches
from fairkey.business.basics import FieldIsInvalid, NotFound
from fairkey.business.batches import (
    AttestationDoesNotFit,
    BatchAttested,
    BatchIsEmpty,
    BatchIsRegistered,
    BatchRegistered,
    CodesWithdrawn,
    IssuersWord,
    NoteExport,
    NothingIsUnsold,
    QuarantineBatch,
    RegisterBatch,
    StagedBriefing,
    UnsoldBriefing,
    WithdrawCodes,
)
from fairkey.business.quarantines import (
    BatchQuarantined,
    CodesExported,
    CodesHeld,
    CodesLetBack,
    HeldCodesWithdrawn,
    places_in,
    ranges_of,
)

ID = {"shop_id": SHOP, "batch_id": BATCH}
REGISTER = RegisterBatch(
    **ID, listing_id=LISTING, count=10, root="cd" * 32, source="invoice", invoice_sha256="ef" * 32, note="May"
)
REGISTERED = BatchRegistered(
    listing_id=LISTING, count=10, root="cd" * 32, source="invoice", invoice_sha256="ef" * 32, custody="C1", note="May"
)
TEN = StagedBriefing(staged=10, listing_exists=True)
TAKE = WithdrawCodes(**ID)
DOUBT = QuarantineBatch(**ID, order_id=ORDER, row="R03")
DOUBTED = BatchQuarantined(order_id=ORDER, row="R03")
HELD = CodesHeld(listing_id=LISTING, count=2, places="3-4")
BACK = CodesLetBack(listing_id=LISTING, count=1, places="3", by="issuer", request_no=0, number=1, held=1)
GIVEN_UP = HeldCodesWithdrawn(listing_id=LISTING, count=1, places="4")
SHOW = NoteExport(**ID)
WORD = IssuersWord(
    issuer_id="00000000-0000-7000-8000-000000000071",
    key_no=1,
    product="点券 50 元",
    count=12,
    said_at_ms=7,
    statement_sha256="aa" * 32,
    statement="{}",
    signature="c2ln",
)
SIGNED = replace(REGISTER, source="issuer", attested=WORD)
BY_ISSUER = replace(TEN, product="点券 50 元", issuer_is_active=True, issuer_takes_key=True, issuer_in_scope=True)
ATTESTED = BatchAttested(
    issuer_id=WORD.issuer_id,
    key_no=1,
    count=12,
    said_at_ms=7,
    in_scope=True,
    statement_sha256="aa" * 32,
    statement="{}",
    signature="c2ln",
)
CASES = [
    Case(rule="what lies in the vault goes on sale", when=REGISTER, brief=TEN, then=[REGISTERED]),
    *(
        Case(
            rule=f"from {source}",
            when=replace(REGISTER, source=source),
            brief=TEN,
            then=[replace(REGISTERED, source=source)],
        )
        for source in ("issuer", "typed")
    ),
    Case(
        rule="with the issuer's signature",
        when=SIGNED,
        brief=BY_ISSUER,
        then=[replace(REGISTERED, source="issuer"), ATTESTED],
    ),
    Case(
        rule="of another's product: recorded, and said so",
        when=SIGNED,
        brief=replace(BY_ISSUER, issuer_in_scope=False),
        then=[replace(REGISTERED, source="issuer"), replace(ATTESTED, in_scope=False)],
    ),
    *(
        Case(rule=f"signed, but not fit: {what}", when=when, brief=brief, then=(AttestationDoesNotFit, {"what": what}))
        for what, when, brief in (
            ("source", replace(SIGNED, source="invoice"), BY_ISSUER),
            ("issuer", SIGNED, replace(BY_ISSUER, issuer_is_active=False)),
            ("key", SIGNED, replace(BY_ISSUER, issuer_takes_key=False)),
            ("product", SIGNED, replace(BY_ISSUER, product="点券 100 元")),
            ("count", replace(SIGNED, attested=replace(WORD, count=9)), BY_ISSUER),
        )
    ),
    Case(rule="from nowhere", when=replace(REGISTER, source="found"), brief=TEN, then=FieldIsInvalid),
    Case(rule="once", given=(REGISTERED,), when=REGISTER, brief=TEN, then=BatchIsRegistered),
    Case(rule="for a listing that exists", when=REGISTER, brief=replace(TEN, listing_exists=False), then=NotFound),
    Case(rule="not with none", when=replace(REGISTER, count=0), brief=replace(TEN, staged=0), then=BatchIsEmpty),
    Case(rule="not with one more than there is", when=REGISTER, brief=replace(TEN, staged=9), then=FieldIsInvalid),
    Case(rule="nor one less", when=REGISTER, brief=replace(TEN, staged=11), then=FieldIsInvalid),
    Case(
        rule="a note of 500",
        when=replace(REGISTER, note="x" * 500),
        brief=TEN,
        then=[replace(REGISTERED, note="x" * 500)],
    ),
    Case(rule="a note of 501", when=replace(REGISTER, note="x" * 501), brief=TEN, then=FieldIsInvalid),
    Case(
        rule="what is unsold comes off sale",
        given=(REGISTERED,),
        when=TAKE,
        brief=UnsoldBriefing(unsold=(0, 1, 2, 9)),
        then=[CodesWithdrawn(listing_id=LISTING, count=4, places="0-2,9")],
    ),
    Case(
        rule="nothing unsold, nothing to take",
        given=(REGISTERED,),
        when=TAKE,
        brief=UnsoldBriefing(unsold=()),
        then=NothingIsUnsold,
    ),
    Case(rule="from a batch that exists", when=TAKE, brief=UnsoldBriefing(unsold=()), then=NotFound),
    Case(
        rule="a ruling takes what is unsold off sale",
        given=(REGISTERED,),
        when=DOUBT,
        brief=UnsoldBriefing(unsold=(3, 4)),
        then=[DOUBTED, HELD],
    ),
    Case(
        rule="where nothing is unsold, only what comes back later",
        given=(REGISTERED,),
        when=DOUBT,
        brief=UnsoldBriefing(unsold=()),
        then=[DOUBTED],
    ),
    Case(
        rule="once for each order's ruling",
        given=(REGISTERED, DOUBTED, HELD),
        when=DOUBT,
        brief=UnsoldBriefing(unsold=()),
        then=[],
    ),
    Case(
        rule="the late repeat of an earlier ruling takes nothing off again",
        given=(REGISTERED, DOUBTED, HELD, replace(DOUBTED, order_id=LISTING), BACK),
        when=DOUBT,
        brief=UnsoldBriefing(unsold=(3,)),
        then=[],
    ),
    Case(
        rule="another ruling takes off what came back",
        given=(REGISTERED, DOUBTED, HELD, BACK),
        when=replace(DOUBT, order_id=LISTING),
        brief=UnsoldBriefing(unsold=(3,)),
        then=[replace(DOUBTED, order_id=LISTING), replace(HELD, count=1, places="3")],
    ),
    Case(
        rule="its shop takes all out for good, what waits too",
        given=(REGISTERED, DOUBTED, HELD, BACK),
        when=TAKE,
        brief=UnsoldBriefing(unsold=(3,)),
        then=[CodesWithdrawn(listing_id=LISTING, count=1, places="3"), GIVEN_UP],
    ),
    Case(
        rule="or only what waits",
        given=(REGISTERED, DOUBTED, HELD, BACK),
        when=replace(TAKE, held_only=True),
        brief=UnsoldBriefing(unsold=(3,)),
        then=[GIVEN_UP],
    ),
    Case(
        rule="of which there must be something",
        given=(REGISTERED,),
        when=replace(TAKE, held_only=True),
        brief=UnsoldBriefing(unsold=(3,)),
        then=NothingIsUnsold,
    ),
    Case(
        rule="what is shown in clear is told once",
        given=(REGISTERED, CodesExported(count=2, places="3-4")),
        when=SHOW,
        brief=UnsoldBriefing(unsold=(2, 3, 4)),
        then=[CodesExported(count=1, places="2")],
    ),
    Case(
        rule="shown again, nothing is told",
        given=(REGISTERED, CodesExported(count=2, places="3-4")),
        when=SHOW,
        brief=UnsoldBriefing(unsold=(3,)),
        then=[],
    ),
    Case(rule="of a batch that exists", when=SHOW, brief=UnsoldBriefing(unsold=()), then=NotFound),
    Case(rule="not a batch that was never on sale", when=DOUBT, brief=UnsoldBriefing(unsold=()), then=[]),
]


@all_of(CASES)
def test_batches(case: Case) -> None:
    hold(batches, case)


def test_withdrawn_codes_add_up() -> None:
    taken = CodesWithdrawn(listing_id=LISTING, count=4, places="0-3")
    assert state_after(batches, (REGISTERED, taken, replace(taken, count=2))).withdrawn == 6


@pytest.mark.parametrize(
    ("places", "ranges"),
    [((), ""), ((0,), "0"), ((0, 1), "0-1"), ((1, 3, 4, 5, 9), "1,3-5,9"), (tuple(range(500)), "0-499")],
)
def test_places_are_written_as_ranges(places: tuple[int, ...], ranges: str) -> None:
    assert ranges_of(places) == ranges
    assert tuple(places_in(ranges)) == places
