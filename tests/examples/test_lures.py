"""What leads off the platform is found; what only looks like it is left alone."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairkey.business.lures import LURE_TEXT_MAX, Lure, lures_in
from lure_corpus import INNOCENT, LURES


@pytest.mark.parametrize(("text", "kind"), LURES, ids=[text for text, _ in LURES])
def test_a_lure_is_found(text: str, kind: Lure) -> None:
    assert kind in lures_in(text)


@pytest.mark.parametrize("text", INNOCENT)
def test_an_innocent_line_is_left_alone(text: str) -> None:
    assert lures_in(text) == ()


@pytest.mark.parametrize("hidden", ["\u200b", "\u2060", "\ufeff", "\u00ad"])
def test_signs_that_nobody_sees_hide_nothing(hidden: str) -> None:
    assert Lure.CONTACT in lures_in(f"加我微{hidden}信 kami{hidden}8899")


def test_the_house_itself_is_nowhere_else() -> None:
    assert lures_in("看 https://shop.example.com/o/1", "shop.example.com") == ()
    assert lures_in("看 https://shop.example.com.evil.top/o/1", "shop.example.com") == (Lure.LINK,)


@given(st.text(max_size=LURE_TEXT_MAX + 10))
def test_any_text_is_read(text: str) -> None:
    assert set(lures_in(text)) <= set(Lure)


@pytest.mark.parametrize("piece", ["加", "1", "v ", "a.", "私下", "微 ", "https://a", "加我 ", "去闲鱼"])
def test_no_text_takes_long(piece: str) -> None:
    """Patterns that go back and forth would need minutes for these."""
    before_s = time.process_time()
    lures_in((piece * LURE_TEXT_MAX)[:LURE_TEXT_MAX])
    assert time.process_time() - before_s < 20
