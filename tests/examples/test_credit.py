"""Credit: what counts and what does not, at its boundaries; and the same numbers from logs in another order."""

import json
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result

from fairkey.business.credit.facts import Fact
from fairkey.business.credit.figures import Account, account_of
from fairkey.business.credit.meter import BUYER_REST_MS, Band
from fairkey.cli import root
from fairkey.proofs.merkle import leaf_hash
from fairkey.verifying.alarms import frozen_ppm, median_orders
from log_files import put, write_log
from verify_cases import AT_MS, policy_of

HOUR_MS = 3_600_000
PLACED = {"amount_fen": 5_000, "fee_bp": 200}
RULED = {"ruling_no": 1, "row": "R07", "counted": True, "points": 23}


def order(number: int, at_ms: int, *more: tuple[str, dict[str, object]], buyer: str = "") -> list[Fact]:
    told = [("order.placed", {**PLACED, "buyer": buyer or f"buyer-{number}"}), ("order.paid", {}), *more]
    return [
        Fact(at_ms + version * 1_000, f"order:{number}", version, kind, public)
        for version, (kind, public) in enumerate(told, 1)
    ]


def defect(number: int, at_ms: int, points: int = 23, buyer: str = "", **more: object) -> list[Fact]:
    ruled = {**RULED, "points": points, **more}
    steps = (("order.delivered", {}), ("dispute.opened", {}), ("dispute.ruled", ruled))
    done = (("dispute.final", {"outcome": "standard"}), ("dispute.executed", {"ruling_no": 1}))
    return order(number, at_ms, *steps, *done, buyer=buyer)


def clean(number: int, at_ms: int) -> list[Fact]:
    return order(number, at_ms, ("order.delivered", {}), ("order.completed", {}))


def account(*orders: list[Fact], at_ms: int = AT_MS + 400 * 24 * HOUR_MS) -> Account:
    return account_of([fact for each in orders for fact in each], at_ms)


@pytest.mark.parametrize(
    ("points", "band"), [(45, Band.NORMAL), (46, Band.THROTTLED), (91, Band.THROTTLED), (92, Band.FROZEN)]
)
def test_bands_begin_at_their_number(points: int, band: Band) -> None:
    assert account(defect(1, AT_MS, points)).figures.band is band


def test_each_clean_order_takes_one_point_and_none_goes_below_zero() -> None:
    told = account(clean(1, AT_MS), defect(2, AT_MS + HOUR_MS), clean(3, AT_MS + 2 * HOUR_MS))
    assert [(line.change, line.value, line.row) for line in told.lines] == [(23, 23, "R07"), (-1, 22, "")]


def test_one_buyer_adds_one_defect_in_seven_days_and_another_after_them() -> None:
    within = account(defect(1, AT_MS, buyer="b"), defect(2, AT_MS + BUYER_REST_MS - 1, buyer="b")).figures
    after = account(defect(1, AT_MS, buyer="b"), defect(2, AT_MS + BUYER_REST_MS, buyer="b")).figures
    others = account(defect(1, AT_MS, buyer="b"), defect(2, AT_MS, buyer="c")).figures
    assert (within.meter, after.meter, others.meter) == (23, 46, 46)


def test_only_rulings_that_were_carried_out_and_count_are_defects() -> None:
    settled = order(1, AT_MS, ("dispute.ruled", RULED), ("dispute.final", {"outcome": "settled"}))
    not_final = order(2, AT_MS, ("dispute.ruled", RULED))
    uncounted = defect(3, AT_MS, counted=False)
    overturned = order(
        4,
        AT_MS,
        ("dispute.ruled", RULED),
        ("dispute.ruled", {**RULED, "ruling_no": 2, "counted": False, "points": 0}),
        ("dispute.final", {"outcome": "ruled"}),
        ("dispute.executed", {"ruling_no": 2}),
    )
    assert account(settled, not_final, uncounted, overturned).figures.defects == 0


def test_a_row_that_freezes_freezes_whatever_its_points() -> None:
    assert account(defect(1, AT_MS, 1, freezes_shop=True)).figures.band is Band.FROZEN


def test_rates_are_told_with_their_counts_and_are_minus_one_without() -> None:
    reviewed = order(
        1, AT_MS, ("order.delivered", {}), ("order.completed", {}), ("review.posted", {"code_worked": True})
    )
    told = account(reviewed, defect(2, AT_MS + HOUR_MS)).figures
    assert (told.delivered, told.delivery_median_ms, told.delivery_p95_ms) == (2, 1_000, 1_000)
    assert (told.disputes, told.disputes_per_1000, told.reviews, told.worked_ppm) == (1, 500, 1, 1_000_000)
    assert account([]).figures.delivery_median_ms == -1


def test_facts_after_the_moment_do_not_count() -> None:
    assert account(defect(1, AT_MS), at_ms=AT_MS + 2_000).figures.defects == 0


def test_fields_of_another_shape_count_nothing() -> None:
    assert account(defect(1, AT_MS, points=-5)).figures.meter == 0
    assert account(order(1, AT_MS, ("order.completed", {}), buyer="x")[1:]).figures.clean == 1


def test_the_published_parameters_keep_the_target_of_false_freezes() -> None:
    assert frozen_ppm(50, 92) <= 1_000
    assert frozen_ppm(100, 92) > 1_000
    assert median_orders(10_000, 92, 1, 3) == 4


def entries_of(facts: list[Fact], *, sort_by_stream: bool) -> list[bytes]:
    """Public bytes of these facts of one shop, each naming the one before it in its stream."""
    last: dict[str, bytes] = {}
    made = []
    for fact in sorted(facts, key=lambda one: (one.stream, one.version) if sort_by_stream else one[:3]):
        leaf = {"at": fact.at_ms, "kind": fact.kind, "prev": last.get(fact.stream, b"").hex(), "sealed": {}}
        leaf |= {"public": fact.public, "shop": "shop-1", "stream": fact.stream, "v": 1, "version": fact.version}
        made.append(msgspec.json.encode(leaf, order="sorted"))
        last[fact.stream] = leaf_hash(made[-1])
    return made


FACTS = [*clean(1, AT_MS), *defect(2, AT_MS), *clean(3, AT_MS + 5_000), *defect(4, AT_MS + HOUR_MS, 69)]


@pytest.fixture(autouse=True)
def _own_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine").write_text(policy_of(), encoding="utf-8")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "memory"))
    monkeypatch.setenv("FAIRKEY_POLICY", str(tmp_path / "mine"))


def recompute(log: Path, *words: str) -> Result:
    return CliRunner().invoke(root, ["credit", "recompute", "--log", str(log), "--no-memory", "--json", *words])


def test_a_log_in_another_order_gives_the_same_bytes_and_the_pure_rules_numbers(tmp_path: Path) -> None:
    one = recompute(write_log(tmp_path / "one", entries_of(FACTS, sort_by_stream=False)))
    other = recompute(write_log(tmp_path / "other", entries_of(FACTS, sort_by_stream=True)))
    assert one.exit_code == 0, one.output
    assert one.output == other.output
    told = json.loads(one.output)
    assert told["shops"]["shop-1"]["figures"] == msgspec.to_builtins(account_of(FACTS, told["at_ms"]).figures)
    assert told["shops"]["shop-1"]["figures"]["band"] == "throttled"
    assert json.loads(recompute(tmp_path / "one", "--shop", "another").output)["shops"] == {}


def test_a_log_that_does_not_hold_gives_no_numbers(tmp_path: Path) -> None:
    log = write_log(tmp_path / "log", entries_of(FACTS, sort_by_stream=False))
    bundle = next((log / "tile" / "entries").rglob("*.p/*"))
    put(log, str(bundle.relative_to(log)), bundle.read_bytes().replace(b'"points":69', b'"points":68'))
    result = recompute(log)
    assert (result.exit_code, json.loads(result.output)["shops"]) == (1, {})


@pytest.mark.parametrize("words", [("--at", "soon"), ("--at", "2026-05-03T12:00:00")])
def test_a_time_without_zone_or_sense_is_refused(tmp_path: Path, words: tuple[str, str]) -> None:
    assert recompute(tmp_path, *words).exit_code == 2
