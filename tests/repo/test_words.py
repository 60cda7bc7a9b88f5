"""`docs/words.md` and the code use the same words."""

import re
from enum import StrEnum
from pathlib import Path

import pytest

from fairkey.business.attestations import Conflict, Says
from fairkey.business.basics import InstructionState
from fairkey.business.codes import CodeStage
from fairkey.business.dispute_events import Outcome, Reason
from fairkey.business.dispute_state import ComplaintStage
from fairkey.business.files import EVENT_OF_KIND, FILES
from fairkey.business.issuers import IssuerStanding
from fairkey.business.orders import Stage
from fairkey.business.postings import Account
from fairkey.business.shops import Standing
from repo.tree import text_of

PAGE = text_of(Path("docs/words.md"))


@pytest.mark.parametrize(
    "words",
    [
        Stage, CodeStage, Standing, ComplaintStage, Outcome, Reason, InstructionState, Account, IssuerStanding, Says,
        Conflict,
    ],
)
def test_every_state_and_account_is_explained(words: type[StrEnum]) -> None:
    assert [word.value for word in words if word.value and f"`{word.value}`" not in PAGE] == []


def test_every_kind_of_event_is_explained_and_no_other() -> None:
    streams = {"order", "code", "payment", "dispute", "review", "shop", "listing", "coupon", "batch"}
    streams |= {"attest", "issuer", "message", "evidence"}
    streams |= {"person", "standard", "panel", "arbitrator", "deposit", "pool", "credit", "claim"}
    told = {word for word in re.findall(r"`([a-z_]+\.[a-z_]+)`", PAGE) if word.partition(".")[0] in streams}
    assert told == set(EVENT_OF_KIND)


def test_every_state_of_an_order_stands_in_the_table_of_orders() -> None:
    page = text_of(Path("docs/orders.md"))
    assert [stage.value for stage in Stage if stage is not Stage.NEW and f"`{stage.value}`" not in page] == []


def test_every_account_and_its_movements_stand_on_the_page_of_money() -> None:
    page = text_of(Path("docs/money.md"))
    assert [account.value for account in Account if f"`{account.value}`" not in page] == []


def test_every_kind_of_stream_is_named() -> None:
    line = next(line for line in PAGE.splitlines() if line.startswith("| stream |"))
    missing = [kind for kind in FILES if kind not in line]
    assert missing == []
