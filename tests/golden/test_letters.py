"""The letters of four cases for every channel, word by word as they were read over. See README.md to change one."""

import json
from datetime import date
from pathlib import Path

import pytest

from fairkey.casework.channels import CHANNELS
from fairkey.casework.demand import compute
from fairkey.casework.letters.composing import compose
from letter_cases import CASES, ON

LETTERS = Path(__file__).parent / "letters"


def told(case: str, channel: str) -> str:
    letter = compose(CASES[case], compute(CASES[case], date.fromisoformat(ON)), channel)
    form = "".join(f"{name}：{value}\n" for name, value in letter.fields.items())
    warned = "".join(f"! {one.zh}\n" for one in letter.warnings)
    return f"{form}\n{letter.text}\n\n{warned}"


@pytest.mark.parametrize("channel", list(CHANNELS))
@pytest.mark.parametrize("case", list(CASES))
def test_letters_stay_as_they_were_read_over(case: str, channel: str) -> None:
    assert told(case, channel) == (LETTERS / f"{case}-{channel}.txt").read_text(encoding="utf-8")


def test_nothing_lies_there_that_is_not_compared() -> None:
    wanted = {f"{case}-{channel}.txt" for case in CASES for channel in CHANNELS}
    assert {path.name for path in LETTERS.iterdir()} == wanted
    assert json.dumps(sorted(wanted))
