"""Cases under any changes in any order, and any bytes as files: the journal leads to the case, nothing raises."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from case_world import BEGAN_MS, a_case
from fairkey.casework.arrivals import inspect
from fairkey.casework.checking import BAD, check_case
from fairkey.casework.folder import safe_name
from fairkey.casework.journal import canonical, case_of, change_between, changed
from fairkey.casework.mails import read_mail
from fairkey.casework.model import Capture, Case, StepTaken
from fairkey.casework.pages import words_of
from fairkey.casework.sealing import add_bytes

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
STEPS = st.lists(st.builds(StepTaken, step_id=TEXT, channel=TEXT, stage=TEXT, at_ms=st.integers(0, 9)), max_size=4)
CASES = st.builds(
    Case,
    case_id=st.just("c"),
    created_at_ms=st.just(0),
    title=TEXT,
    account=TEXT,
    losses_fen=st.integers(0, 9),
    wishes=st.lists(TEXT, max_size=3).map(tuple),
    steps=STEPS.map(tuple),
)


@given(st.lists(CASES, min_size=1, max_size=6))
def test_changes_lead_from_any_case_to_any_other(cases: list[Case]) -> None:
    state: dict[str, Any] = {}
    before = None
    for case in cases:
        state = changed(state, json.loads(canonical(change_between(before, case))))
        assert case_of(state) == case
        before = case


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(TEXT, st.binary(max_size=60), TEXT), max_size=5))
def test_whatever_comes_in_a_case_holds(files: list[tuple[str, bytes, str]]) -> None:
    with TemporaryDirectory() as name:
        folder = a_case(Path(name) / "case")
        for title, data, file_name in files:
            add_bytes(folder, file_name, data, Capture(who=title), at_ms=BEGAN_MS)
            folder.change("title.set", lambda case, title=title: structs.replace(case, title=title), at_ms=BEGAN_MS)
        assert len(folder.read().files) == len({data for _, data, _ in files})
        assert [one for one in check_case(folder) if one.state == BAD] == []


@settings(deadline=None)
@given(
    st.sampled_from(
        [b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF89a", b"RIFFxxxxWEBP", b"BM", b"%PDF-", b"PK\x03\x04"]
    ),
    st.binary(max_size=300),
)
def test_looking_at_any_bytes_raises_nothing(head: bytes, rest: bytes) -> None:
    with TemporaryDirectory() as name:
        place = Path(name) / "file"
        place.write_bytes(head + rest)
        assert inspect(place, "file").media_type


@given(st.binary(max_size=400).map(lambda data: b"DKIM-Signature: v=1; " + data))
def test_any_mail_raises_nothing(data: bytes) -> None:
    assert read_mail(data, lambda _: None).checks


@given(st.text(max_size=200))
def test_safe_names_lead_nowhere(name: str) -> None:
    safe = safe_name(name)
    assert safe
    assert not {"/", "\\", "\0"} & set(safe)
    assert not safe.startswith(".")
    assert safe.isprintable()


@given(st.text(st.sampled_from("<>/!-pscript \"'=&;x"), max_size=200))
def test_words_of_anything_come_to_an_end(text: str) -> None:
    assert len(words_of(text)) <= len(text) + 200
