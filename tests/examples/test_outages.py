"""Outages of an issuer: said by him, found by the operator with what shows it, denied, ended, lapsed."""

import pytest

from business_cases import NOW, Case, all_of, hold, state_after
from fairkey.business import outages
from fairkey.business.basics import DAY_MS, HOUR_MS, PLATFORM, FieldIsInvalid
from fairkey.business.outages import (
    FAILURES_LEAST,
    FOUND_LATE_MAX_MS,
    LAPSES_AFTER_MS,
    SAID_LATE_MAX_MS,
    WINDOW_MS,
    EndOutage,
    FindOutage,
    LapseOutage,
    OutageBegan,
    OutageDenied,
    OutageEnded,
    OutageIsNotOver,
    OutageIsNotRunning,
    OutageIsNotShown,
    OutageIsTheIssuers,
    OutageOverlaps,
    OutageWasDenied,
    OutageWordIsNotTaken,
    SayOutage,
    StandingBriefing,
    ratio_of,
)
from fairkey.business.stopping import STANDS_MAX_MS, KnownOutage

ISSUER = "00000000-0000-7000-8000-000000000071"
ID = {"shop_id": PLATFORM, "issuer_id": ISSUER}
TAKEN = StandingBriefing(exists=True, is_active=True, takes_key=True)
SIGNED = {"key_no": 1, "signature": "c2ln"}
WHY = "Nobody can activate anything."
H = HOUR_MS


def said(says: str, ago_ms: int, text: str = "") -> SayOutage:
    return SayOutage(**ID, says=says, happened_at_ms=NOW - ago_ms, statement=text or f"{says} {ago_ms}", **SIGNED)


def found(ago_ms: int = H, **changes: object) -> FindOutage:
    given = {"failures": 0, "shops": 0, "ratio": 0, "page_url": "", "page_sha256": "", "reason": WHY}
    counted = {**given, "failures": FAILURES_LEAST, "shops": 2, "ratio": 500, **changes}
    return FindOutage(**ID, began_at_ms=NOW - ago_ms, **counted)


def began(ago_ms: int, by: str = "issuer", no: int = 1) -> OutageBegan:
    if by == "operator":
        return OutageBegan(
            outage_no=no, began_at_ms=NOW - ago_ms, by=by, failures=FAILURES_LEAST, shops=2, ratio=500, reason=WHY
        )
    return OutageBegan(outage_no=no, began_at_ms=NOW - ago_ms, by=by, statement=f"began {ago_ms}", **SIGNED)


def ended(ago_ms: int, by: str = "issuer", no: int = 1, **more: object) -> OutageEnded:
    signed = {"statement": f"ended {ago_ms}", **SIGNED} if by == "issuer" else {}
    return OutageEnded(outage_no=no, ended_at_ms=NOW - ago_ms, by=by, **{**signed, **more})


DENIED = OutageDenied(denied_at_ms=NOW - H, statement=f"none {H}", **SIGNED)


def case(rule: str, when: object, then: object, *given: object, brief: StandingBriefing = TAKEN) -> Case:
    return Case(rule=rule, given=given, when=when, brief=brief, then=then)


SUSPENDED = StandingBriefing(exists=True, is_active=False, takes_key=True)
OLD_KEY = StandingBriefing(exists=True, is_active=True, takes_key=False)
NOBODY = StandingBriefing(exists=False, is_active=False, takes_key=False)
PAGE = {"page_url": "https://status.example/", "page_sha256": "ab" * 32}
CASES = [
    case("he says that it began", said("began", H), [began(H)]),
    case("saying it again is saying it once", said("began", H), [], began(H)),
    case("also when it is over", said("began", H), [], began(H), ended(0)),
    case("another word about one that lasts tells nothing new", said("began", H // 2), [], began(H)),
    case("nor about one that the operator found", said("began", H // 2), [], began(H, "operator")),
    case("he may say so a week late", said("began", SAID_LATE_MAX_MS), [began(SAID_LATE_MAX_MS)]),
    case("and no later", said("began", SAID_LATE_MAX_MS + 1), FieldIsInvalid),
    case("his clock may go before ours", said("began", -1, "x"), [
        OutageBegan(outage_no=1, began_at_ms=NOW, by="issuer", statement="x", **SIGNED)]),
    case("two at one time are none", said("began", 3 * H), (OutageOverlaps, {
        "began_at_ms": NOW - 4 * H, "ended_at_ms": NOW - 2 * H}), began(4 * H), ended(2 * H)),
    case("one that begins where another ended is the next", said("began", 2 * H), [began(2 * H, no=2)],
        began(4 * H), ended(2 * H)),
    case("one before the one that lasts overlaps it", said("began", 5 * H), OutageOverlaps, began(4 * H)),
    case("he says that it is over", said("ended", H), [ended(H)], began(2 * H)),
    case("saying that again is saying it once", said("ended", H), [], began(2 * H), ended(H)),
    case("it does not end before it began", said("ended", 3 * H), [ended(2 * H, statement=f"ended {3 * H}")],
        began(2 * H)),
    case("what did not begin does not end", said("ended", H), OutageIsNotRunning),
    case("what is over does not end again", said("ended", 0), OutageIsNotRunning, began(2 * H), ended(H)),
    case("he ends what the operator found", said("ended", H), [ended(H)], began(2 * H, "operator")),
    case("he denies what the operator found", said("none", H),
        [DENIED, ended(H, statement=f"none {H}")], began(2 * H, "operator")),
    case("denying at a moment before it leaves it", said("none", 3 * H),
        [OutageDenied(denied_at_ms=NOW - 3 * H, statement=f"none {3 * H}", **SIGNED)], began(2 * H, "operator")),
    case("denying twice is denying once", said("none", H), [], DENIED),
    case("an older denial tells nothing", said("none", 2 * H), [], DENIED),
    case("who is suspended says nothing", said("began", H), (OutageWordIsNotTaken, {"why": "standing"}),
        brief=SUSPENDED),
    case("a replaced key says nothing new", said("began", H), (OutageWordIsNotTaken, {"why": "key"}), brief=OLD_KEY),
    case("but repeats", said("began", H), [], began(H), brief=OLD_KEY),

    case("the operator finds one by five times the usual", found(), [began(H, "operator")]),
    case("less is none", found(ratio=499), (OutageIsNotShown, {"failures": 5, "shops": 2, "ratio": 499})),
    case("few failures are none", found(failures=FAILURES_LEAST - 1), OutageIsNotShown),
    case("those of one shop are none", found(shops=1), OutageIsNotShown),
    case("a captured page shows it, and the figures do not", found(ratio=499, **PAGE), [OutageBegan(
        outage_no=1, began_at_ms=NOW - H, by="operator", failures=5, shops=2, reason=WHY, **PAGE)]),
    case("a page has an address", found(page_sha256="ab" * 32), FieldIsInvalid),
    case("and a hash", found(page_url="https://status.example/", page_sha256="page"), FieldIsInvalid),
    case("the reason is told", found(reason="yes"), FieldIsInvalid),
    case("it is found within three days", found(FOUND_LATE_MAX_MS), [began(FOUND_LATE_MAX_MS, "operator")]),
    case("and no later than that", found(FOUND_LATE_MAX_MS + 1), FieldIsInvalid),
    case("nor before it begins", found(-1), FieldIsInvalid),
    case("nobody finds what lasts", found(), OutageOverlaps, began(2 * H)),
    case("nor what the issuer denied", found(H), (OutageWasDenied, {"denied_at_ms": NOW - H}), DENIED),
    case("after that moment he does", found(H - 1), [began(H - 1, "operator")], DENIED),
    case("an issuer there is not has none", found(), OutageIsNotRunning, brief=NOBODY),
    case("one who is suspended may have one", found(), [began(H, "operator")], brief=SUSPENDED),

    case("the operator ends what he found", EndOutage(**ID, ended_at_ms=NOW, reason=WHY),
        [ended(0, "operator", reason=WHY)], began(H, "operator")),
    case("not what the issuer said", EndOutage(**ID, ended_at_ms=NOW, reason=WHY), OutageIsTheIssuers, began(H)),
    case("not what is not", EndOutage(**ID, ended_at_ms=NOW, reason=WHY), OutageIsNotRunning),
    case("not before it began", EndOutage(**ID, ended_at_ms=NOW - H - 1, reason=WHY), FieldIsInvalid,
        began(H, "operator")),
    case("not in advance", EndOutage(**ID, ended_at_ms=NOW + 1, reason=WHY), FieldIsInvalid, began(H, "operator")),
    case("not without a reason", EndOutage(**ID, ended_at_ms=NOW, reason=""), FieldIsInvalid, began(H, "operator")),

    case("what nobody ends lapses after a week", LapseOutage(**ID), [ended(0, "clock")], began(LAPSES_AFTER_MS)),
    case("not before", LapseOutage(**ID), (OutageIsNotOver, {"due_at_ms": NOW + 1}), began(LAPSES_AFTER_MS - 1)),
    case("what is over does not lapse", LapseOutage(**ID), OutageIsNotRunning, began(7 * DAY_MS), ended(0)),
]  # fmt: skip


@all_of(CASES)
def test_outages(case: Case) -> None:
    hold(outages, case)


def test_what_clocks_are_told_of_them() -> None:
    state = state_after(outages, (began(9 * H), ended(8 * H), began(H, "operator", 2)))
    assert state.known(ISSUER) == (
        KnownOutage(issuer_id=ISSUER, outage_no=1, began_at_ms=NOW - 9 * H, ended_at_ms=NOW - 8 * H),
        KnownOutage(issuer_id=ISSUER, outage_no=2, began_at_ms=NOW - H),
    )
    assert state.running is not None
    assert (state.running.ratio, state.running.is_shown, state.all[0].is_shown) == (500, False, True)
    assert [one.lasts(NOW) for one in state.known(ISSUER)] == [False, True]
    assert state.known(ISSUER)[1].latest_ms == NOW - H + STANDS_MAX_MS


@pytest.mark.parametrize(
    ("failures", "before", "percent"), [(5, 1_344, 500), (5, 1_345, 499), (4, 1_344, 400), (1, 0, 134_400), (0, 9, 0)]
)
def test_failures_in_percent_of_the_usual(failures: int, before: int, percent: int) -> None:
    assert ratio_of(failures, before, 28 * DAY_MS) == percent
    assert 28 * DAY_MS // WINDOW_MS == 1_344
