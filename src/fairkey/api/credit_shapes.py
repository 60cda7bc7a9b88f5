"""A shop's credit as programs read it."""

from typing import Final

from fairkey.api.shapes import Id, Moment, Out, moment, moment_or_none
from fairkey.business.credit.figures import Account, Figures
from fairkey.business.credit.meter import Band, Line
from fairkey.business.crediting import Crediting

LINES_MAX: Final = 200


class CreditLine(Out, frozen=True, kw_only=True):
    """What moved the meter. `why`: defect, same_buyer, clean or review; `row`: of the standard, for the first two."""

    at: Moment
    why: str
    row: str
    order_id: str
    change: int
    meter: int


class CreditView(Out, frozen=True, kw_only=True):
    """Meter, band, score, coverage and rates of a shop, and the newest lines that moved its meter."""

    shop_id: Id
    as_of: Moment
    meter: int
    band: Band
    review_by: Moment | None
    score_ppm: int
    coverage_ppm: int
    deposit_free_fen: int
    unsettled_fen: int
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
    lines: tuple[CreditLine, ...]


def credit_view(shop_id: str, account: Account, crediting: Crediting) -> CreditView:
    """The credit of a shop; meter and band as they are now, the rest as of `as_of`."""
    figures: Figures = account.figures
    return CreditView(
        shop_id=shop_id,
        as_of=moment(figures.at_ms),
        meter=crediting.meter,
        band=crediting.band,
        review_by=moment_or_none(crediting.review_by_ms),
        score_ppm=figures.score_ppm,
        coverage_ppm=figures.coverage_ppm,
        deposit_free_fen=figures.deposit_free_fen,
        unsettled_fen=figures.unsettled_fen,
        clean=figures.clean,
        defects=figures.defects,
        delivered=figures.delivered,
        delivery_median_ms=figures.delivery_median_ms,
        delivery_p95_ms=figures.delivery_p95_ms,
        disputes=figures.disputes,
        disputes_per_1000=figures.disputes_per_1000,
        answers=figures.answers,
        answer_median_ms=figures.answer_median_ms,
        reviews=figures.reviews,
        worked_ppm=figures.worked_ppm,
        lines=tuple(_line(line) for line in account.lines[: -LINES_MAX - 1 : -1]),
    )


def _line(line: Line) -> CreditLine:
    return CreditLine(
        at=moment(line.at_ms),
        why=line.why,
        row=line.row,
        order_id=line.order_id,
        change=line.change,
        meter=line.value,
    )
