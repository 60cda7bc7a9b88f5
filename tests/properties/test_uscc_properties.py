"""The check digit of GB 32100-2015: codes in circulation pass, every slip that mod 31 can catch is caught."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairkey.business.uscc import ALPHABET, CHARS, check_digit, normalised, problem_of

SEVENTEEN = st.text(ALPHABET, min_size=CHARS - 1, max_size=CHARS - 1)


@pytest.mark.parametrize(
    "code",
    [
        "91350100M000100Y43",  # the example of the standard
        "914403001922038216",  # published registers
        "91330100799655058B",
    ],
)
def test_codes_in_circulation_pass(code: str) -> None:
    assert problem_of(code) == ""


@given(SEVENTEEN)
def test_every_single_wrong_character_is_caught(first: str) -> None:
    code = first + check_digit(first)
    assert problem_of(code) == ""
    for place in range(CHARS):
        for other in ALPHABET:
            if other != code[place]:
                assert problem_of(code[:place] + other + code[place + 1 :]) == "check_digit"


@given(SEVENTEEN)
def test_every_transposition_is_caught_except_of_first_and_last_which_weigh_the_same(first: str) -> None:
    code = first + check_digit(first)
    for one in range(CHARS):
        for two in range(one + 1, CHARS):
            letters = list(code)
            letters[one], letters[two] = letters[two], letters[one]
            swapped = "".join(letters)
            blind = swapped == code or (one, two) == (0, CHARS - 1)
            assert problem_of(swapped) == ("" if blind else "check_digit")


@given(st.text())
def test_any_text_has_an_answer(text: str) -> None:
    assert problem_of(normalised(text)) in {"", "length_18", "not_in_code", "check_digit"}
