"""Evidence by the rules: who may give what, when, how much; what a recording is bound to; what stands."""

from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairkey.business import evidence as rules
from fairkey.business.basics import Event, FieldIsInvalid, NotFound, Refusal
from fairkey.business.evidence import (
    DOUBT_WITHIN_MS,
    FILES_MAX,
    GIVE_RECORDING_WITHIN_MS,
    INITIAL,
    RECORDING_MS,
    AddEvidence,
    ConfirmEvidence,
    DisputeBriefing,
    DoubtEvidence,
    Evidence,
    EvidenceCommand,
    EvidenceEvent,
    EvidenceIsNotTakenNow,
    EvidenceIsThere,
    EvidenceIsWithdrawn,
    NothingToDoubt,
    Party,
    Piece,
    Rank,
    RecordingDoesNotFit,
    RecordingIsNotPossible,
    StartRecording,
    StopRecording,
    TooMuchEvidence,
    WithdrawEvidence,
    stands,
)

SHOP, ORDER = "s", "o"
AT = 1_760_000_000_000
OPEN = DisputeBriefing(stage="delivered", takes=True, may_open=True, sealed_codes=2)
NONCE = "7K3MX2QP"


def file(number: int = 1, **changes: Any) -> AddEvidence:  # noqa: ANN401 - any field of a command
    plain: dict[str, Any] = {
        "shop_id": SHOP, "order_id": ORDER, "evidence_id": f"e{number}", "by": Party.BUYER, "piece": Piece.SCREEN,
        "sha256": f"{number:064x}", "media_type": "image/png", "size_bytes": 10, "name": "a.png",
        "address": "a" * 64, "file_key": "b" * 64,
    }  # fmt: skip
    return AddEvidence(**{**plain, **changes})


def after(*steps: tuple[EvidenceCommand, int], brief: DisputeBriefing = OPEN) -> Evidence:
    now = INITIAL
    for command, at_ms in steps:
        for event in rules.decide(command, now, brief, at_ms):
            now = rules.evolve(now, cast("EvidenceEvent", event), at_ms)
    return now


def refused(command: EvidenceCommand, now: Evidence, at_ms: int = AT, brief: DisputeBriefing = OPEN) -> Refusal:
    with pytest.raises(Refusal) as caught:
        rules.decide(command, now, brief, at_ms)
    return caught.value


def recorded(stop_ms: int = AT + 60_000) -> Evidence:
    start = StartRecording(shop_id=SHOP, order_id=ORDER, nonce=NONCE)
    return after((start, AT), (StopRecording(shop_id=SHOP, order_id=ORDER), stop_ms))


def recording(**changes: Any) -> AddEvidence:  # noqa: ANN401 - any field of a command
    plain: dict[str, Any] = {
        "piece": Piece.RECORDING, "media_type": "video/mp4", "recording_no": 1, "shows": "already_used",
        "moment_ms": AT + 30_000,
    }  # fmt: skip
    return file(**{**plain, **changes})


@pytest.mark.parametrize(
    ("piece", "by", "rank"),
    [
        (Piece.SCREEN, Party.BUYER, Rank.CORROBORATING),
        (Piece.INVOICE, Party.BUYER, Rank.CORROBORATING),
        (Piece.INVOICE, Party.SHOP, Rank.PROVENANCE),
        (Piece.STATUS_CHECK, Party.SHOP, Rank.PROVENANCE),
        (Piece.ISSUER_MAIL, Party.SHOP, Rank.CORROBORATING),
    ],
)
def test_the_rank_follows_from_the_piece_and_its_giver(piece: Piece, by: Party, rank: Rank) -> None:
    (item,) = after((file(piece=piece, by=by, moment_ms=AT), AT)).items
    assert item.rank is rank


def test_nothing_is_taken_when_nobody_can_complain() -> None:
    closed = DisputeBriefing(stage="completed", takes=False, may_open=True, sealed_codes=1)
    assert isinstance(refused(file(), INITIAL, brief=closed), EvidenceIsNotTakenNow)


def test_each_side_may_give_so_much_and_the_other_is_not_kept_from_giving() -> None:
    full = after(*((file(number), AT) for number in range(1, FILES_MAX + 1)))
    assert refused(file(99), full).details == {"what": "files", "limit": FILES_MAX}
    assert rules.decide(file(99, by=Party.SHOP), full, OPEN, AT)
    half = after((file(1, size_bytes=rules.BYTES_MAX - 9), AT))
    assert isinstance(refused(file(2), half), TooMuchEvidence)
    assert rules.decide(file(2, size_bytes=9), half, OPEN, AT)


def test_the_same_file_twice_is_one_but_may_come_again_after_it_was_withdrawn() -> None:
    once = after((file(), AT))
    assert isinstance(refused(file(2, sha256=file().sha256), once), EvidenceIsThere)
    assert rules.decide(file(2, sha256=file().sha256, by=Party.SHOP), once, OPEN, AT)
    gone = after((file(), AT), (WithdrawEvidence(shop_id=SHOP, order_id=ORDER, evidence_id="e1", by=Party.BUYER), AT))
    doubt = DoubtEvidence(shop_id=SHOP, order_id=ORDER, evidence_id="e1", by=Party.SHOP, text="It is another screen.")
    assert isinstance(refused(doubt, gone), EvidenceIsWithdrawn)
    assert rules.decide(file(2, sha256=file().sha256), gone, OPEN, AT)


def test_only_its_giver_withdraws_a_file_and_twice_is_once() -> None:
    once = after((file(), AT))
    other = WithdrawEvidence(shop_id=SHOP, order_id=ORDER, evidence_id="e1", by=Party.SHOP)
    assert isinstance(refused(other, once), NotFound)
    own = WithdrawEvidence(shop_id=SHOP, order_id=ORDER, evidence_id="e1", by=Party.BUYER)
    assert rules.decide(own, after((file(), AT), (own, AT)), OPEN, AT) == []


def test_a_recording_begins_while_something_is_sealed_and_one_at_a_time() -> None:
    start = StartRecording(shop_id=SHOP, order_id=ORDER, nonce=NONCE)
    opened = DisputeBriefing(stage="delivered", takes=True, may_open=True, sealed_codes=0)
    assert refused(start, INITIAL, brief=opened).details == {"why": "nothing_sealed"}
    begun = after((start, AT))
    assert refused(start, begun, AT + RECORDING_MS - 1).details == {"why": "running"}
    assert rules.decide(start, begun, OPEN, AT + RECORDING_MS)
    stop = StopRecording(shop_id=SHOP, order_id=ORDER)
    assert rules.decide(stop, begun, OPEN, AT + RECORDING_MS - 1)
    assert isinstance(refused(stop, begun, AT + RECORDING_MS), NotFound)
    thrice = after(*((start, AT + number * RECORDING_MS) for number in range(3)))
    late = AT + 9 * RECORDING_MS
    assert isinstance(refused(start, thrice, late), RecordingIsNotPossible)
    assert isinstance(refused(StartRecording(shop_id=SHOP, order_id=ORDER, nonce="7K3MX2QO"), INITIAL), FieldIsInvalid)


@pytest.mark.parametrize(
    ("change", "at_ms", "why"),
    [
        ({}, AT + 60_000 + GIVE_RECORDING_WITHIN_MS, ""),
        ({}, AT + 60_000 + GIVE_RECORDING_WITHIN_MS + 1, "late"),
        ({"recording_no": 2}, AT + 61_000, "none"),
        ({"moment_ms": AT}, AT + 61_000, ""),
        ({"moment_ms": AT - 1}, AT + 61_000, "moment"),
        ({"moment_ms": AT + 60_000}, AT + 61_000, ""),
        ({"moment_ms": AT + 60_001}, AT + 61_000, "moment"),
        ({"media_type": "image/png"}, AT + 61_000, "no_video"),
    ],
)
def test_a_file_is_bound_to_the_recordings_times(change: dict[str, Any], at_ms: int, why: str) -> None:
    command = recording(**change)
    if not why:
        assert rules.decide(command, recorded(), OPEN, at_ms)
        return
    found = refused(command, recorded(), at_ms)
    assert isinstance(found, RecordingDoesNotFit)
    assert found.details == {"why": why}


def test_a_recording_takes_one_file_of_the_buyer() -> None:
    now = recorded()
    for event in rules.decide(recording(), now, OPEN, AT + 61_000):
        now = rules.evolve(now, cast("EvidenceEvent", event), AT + 61_000)
    again = recording(evidence_id="e2", sha256="c" * 64)
    assert refused(again, now, AT + 62_000).details == {"why": "given"}
    assert isinstance(refused(recording(by=Party.SHOP), recorded(), AT + 61_000), FieldIsInvalid)
    assert isinstance(refused(recording(shows="anything"), recorded(), AT + 61_000), FieldIsInvalid)
    running = after((StartRecording(shop_id=SHOP, order_id=ORDER, nonce=NONCE), AT))
    assert refused(recording(moment_ms=AT), running, AT + 5).details == {"why": "not_stopped"}


def given_recording() -> Evidence:
    now = recorded()
    for event in rules.decide(recording(), now, OPEN, AT + 61_000):
        now = rules.evolve(now, cast("EvidenceEvent", event), AT + 61_000)
    return now


def test_the_other_side_doubts_once_in_its_time_and_nobody_doubts_his_own() -> None:
    now = given_recording()
    at_ms = AT + 61_000
    doubt = DoubtEvidence(shop_id=SHOP, order_id=ORDER, evidence_id="e1", by=Party.SHOP, text="the nonce is not seen")
    assert rules.decide(doubt, now, OPEN, at_ms + DOUBT_WITHIN_MS - 1)
    assert isinstance(refused(doubt, now, at_ms + DOUBT_WITHIN_MS), NothingToDoubt)
    own = DoubtEvidence(shop_id=SHOP, order_id=ORDER, evidence_id="e1", by=Party.BUYER, text="not what it seems")
    assert isinstance(refused(own, now, at_ms), NothingToDoubt)
    confirm = ConfirmEvidence(shop_id=SHOP, order_id=ORDER, evidence_id="e1", by=Party.SHOP)
    (event,) = rules.decide(confirm, now, OPEN, at_ms)
    confirmed = rules.evolve(now, cast("EvidenceEvent", event), at_ms)
    assert isinstance(refused(doubt, confirmed, at_ms), NothingToDoubt)


def test_what_stands() -> None:
    item = given_recording().items[0]
    assert not stands(item, 0, item.at_ms + DOUBT_WITHIN_MS - 1)
    assert stands(item, 0, item.at_ms + DOUBT_WITHIN_MS)
    assert stands(item, item.at_ms, item.at_ms)
    assert not stands(item, item.at_ms - 1, item.at_ms)


COMMANDS = st.one_of(
    st.builds(file, st.integers(1, 4), by=st.sampled_from(Party), piece=st.sampled_from(Piece), moment_ms=st.just(AT)),
    st.builds(recording, recording_no=st.integers(0, 3), moment_ms=st.integers(AT - 5, AT + 50)),
    st.just(StartRecording(shop_id=SHOP, order_id=ORDER, nonce=NONCE)),
    st.just(StopRecording(shop_id=SHOP, order_id=ORDER)),
    st.builds(
        DoubtEvidence, shop_id=st.just(SHOP), order_id=st.just(ORDER), evidence_id=st.sampled_from(["e1", "e2"]),
        by=st.sampled_from(Party), text=st.just("I doubt it"),
    ),
    st.builds(
        ConfirmEvidence, shop_id=st.just(SHOP), order_id=st.just(ORDER), evidence_id=st.sampled_from(["e1", "e2"]),
        by=st.sampled_from(Party),
    ),
)  # fmt: skip


@given(st.lists(st.tuples(COMMANDS, st.integers(0, 20)), max_size=25))
def test_whatever_is_asked_in_whatever_order(steps: list[tuple[EvidenceCommand, int]]) -> None:
    now, at_ms = INITIAL, AT
    for command, wait_ms in steps:
        at_ms += wait_ms
        events: list[Event] = []
        try:
            events = rules.decide(command, now, OPEN, at_ms)
        except Refusal:
            continue
        for event in events:
            now = rules.evolve(now, cast("EvidenceEvent", event), at_ms)
    ids = [one.evidence_id for one in now.items]
    assert len(ids) == len(set(ids))
    assert len([one for one in now.recordings if one.evidence_id]) <= len(now.recordings) <= rules.RECORDINGS_MAX
    for item in now.items:
        assert not (item.doubted_at_ms and item.confirmed_at_ms)
        assert (item.rank is Rank.RECORDING) == bool(item.recording_no)
        if item.recording_no:
            bound = now.recordings[item.recording_no - 1]
            assert bound.started_at_ms <= item.moment_ms <= bound.stopped_at_ms < bound.until_ms
            assert bound.evidence_id == item.evidence_id
