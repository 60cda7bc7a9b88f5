"""All numbers of one shop at one moment."""

from collections import Counter
from collections.abc import Iterable

from msgspec import Struct

from .cover import Cover
from .facts import Fact, Moment, What, moments
from .meter import Band, Line, band_of
from .published import metered
from .score import Score

HALF, MOST = 50, 95


class Figures(Struct, frozen=True, kw_only=True):
    """Numbers of a shop. `…_ms` are -1 and shares -1 where nothing was counted; shares in millionths and per 1,000.

    `coverage_ppm`: what the deposit has free of what is unsettled (open, or completed in the last 90 days).
    """

    at_ms: int
    first_at_ms: int
    last_at_ms: int
    meter: int
    band: Band
    score_ppm: int
    good_ppm: int
    bad_ppm: int
    clean: int
    defects: int
    delivered: int
    delivery_median_ms: int
    delivery_p95_ms: int
    disputes: int
    disputes_per_1000: int
    answers: int
    answer_median_ms: int
    reviews: int
    worked_ppm: int
    deposit_free_fen: int
    unsettled_fen: int
    coverage_ppm: int


class Account(Struct, frozen=True, kw_only=True):
    """The numbers, and each line that moved the meter.

    `published`: whether the meter that the platform published "matches" or "differs" ("": it published none), and how.
    """

    figures: Figures
    lines: tuple[Line, ...]
    published: str = ""
    differences: tuple[str, ...] = ()


def account_of(facts: Iterable[Fact], at_ms: int) -> Account:
    """The account of one shop at `at_ms`; later facts do not count. Facts may come in any order, each once."""
    known = sorted((fact for fact in facts if fact.at_ms <= at_ms), key=lambda one: one[:3])
    happened = list(moments(known))
    meter, score, cover = metered(happened, known), Score(), Cover()
    seen: Counter[What] = Counter()
    deliveries: list[int] = []
    answers: list[int] = []
    worked, first, last = 0, 0, 0
    for fact in sorted(known, key=lambda one: (one.stream, one.version)):
        cover.take(fact)
    for moment in happened:
        first, last = first or moment.at_ms, moment.at_ms
        seen[moment.what] += 1
        if moment.what is What.AMENDED:
            worked += 1 if moment.worked else -1
        else:
            worked += moment.worked
        _took(moment, deliveries, answers)
        score.take(moment)
    good, bad = score.counts(at_ms)
    exposure = cover.exposure(at_ms)
    unsettled_fen = exposure.open_fen + exposure.window_fen
    figures = Figures(
        at_ms=at_ms,
        first_at_ms=first,
        last_at_ms=last,
        meter=meter.value,
        band=band_of(meter.value),
        score_ppm=score.at(at_ms),
        good_ppm=good,
        bad_ppm=bad,
        clean=seen[What.CLEAN],
        defects=seen[What.DEFECT],
        delivered=seen[What.DELIVERED],
        delivery_median_ms=_percentile(deliveries, HALF),
        delivery_p95_ms=_percentile(deliveries, MOST),
        disputes=seen[What.DISPUTED],
        disputes_per_1000=_share(seen[What.DISPUTED], seen[What.DELIVERED], 1_000),
        answers=len(answers),
        answer_median_ms=_percentile(answers, HALF),
        reviews=seen[What.REVIEWED],
        worked_ppm=_share(worked, seen[What.REVIEWED], 1_000_000),
        deposit_free_fen=cover.free_fen,
        unsettled_fen=unsettled_fen,
        coverage_ppm=_share(cover.free_fen, unsettled_fen, 1_000_000),
    )
    return Account(figures=figures, lines=meter.lines, published=meter.published, differences=meter.differences)


def _took(moment: Moment, deliveries: list[int], answers: list[int]) -> None:
    if moment.what is What.DELIVERED:
        deliveries.append(moment.took_ms)
    elif moment.what is What.ANSWERED:
        answers.append(moment.took_ms)


def _percentile(values: list[int], share: int) -> int:
    """The nearest rank: the smallest value that `share` % of all do not exceed."""
    return sorted(values)[-(-len(values) * share // 100) - 1] if values else -1


def _share(part: int, of: int, scale: int) -> int:
    return part * scale // of if of else -1
