"""What the standard says of a complaint as things stand, in words: for the operator and for both parties."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from fairkey.business.standard.deciding import Answered, Change, Finding
from fairkey.business.standard.table import Standard
from fairkey.engine.advising import Advice, CodeAdvice
from fairkey.web.i18n import Locale, texts_of
from fairkey.web.i18n import marked as _
from fairkey.web.standard import saying, when_in_words

CHANGES_SHOWN_MAX: Final = 6
CAN_BE_BROUGHT: Final = frozenset({"E1", "E3", "E3c", "E4"})  # by a party or an issuer; the rest the log has or has not

OUTCOMES: Final[Mapping[str, str]] = {
    "refund": _("money back to the buyer"),
    "resend": _("the shop may send a corrected code"),
    "reject": _("rejected, the money goes to the shop"),
    "close": _("closed without money back"),
    "wait": _("still open"),
    "panel": _("undecided: for a panel"),
    "none": _("nothing follows"),
}
"""What follows, in a few words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldChange:
    """What would change the result: answers that are missing, and what would then follow."""

    case: str
    row: str
    wanted: Sequence[str]
    facts: Sequence[str]
    outcome: str
    refund_fen: int | None
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldFinding:
    """What the standard says of some codes, in the reader's language."""

    code_nos: Sequence[int]
    row: str
    case: str
    side: str
    reason: str
    text: str
    outcome: str
    when: str
    refund_fen: int | None
    refund_source: str
    deduction_fen: int | None
    shop_points: int
    buyer_points: int
    because: Sequence[tuple[str, bool | None]]
    deadlines: Sequence[tuple[int, str]]
    changes: Sequence[ToldChange]
    set_aside: Sequence[str]
    contradicted: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """The whole advice."""

    name: str
    version: str
    sha256: str
    in_force: bool
    refund_fen: int
    is_open: bool
    findings: Sequence[ToldFinding]


def told_of(advice: Advice | None, locale: Locale) -> Told | None:
    """The advice in words."""
    if advice is None:
        return None
    return Told(
        name=advice.standard.name,
        version=advice.standard.version,
        sha256=advice.standard.sha256,
        in_force=advice.in_force,
        refund_fen=advice.refund_fen,
        is_open=advice.is_open,
        findings=[_finding(advice, one, locale) for one in advice.codes],
    )


def _finding(advice: Advice, one: CodeAdvice, locale: Locale) -> ToldFinding:
    standard, found = advice.standard, one.finding
    say, texts = saying(locale), texts_of(locale)
    likely = {row for reason in standard.reasons if reason.id == advice.reason for row in reason.rows}
    changes = sorted(found.changes, key=lambda change: change.row not in likely)
    case = standard.cases()[found.case]
    return ToldFinding(
        code_nos=one.code_nos,
        row=found.row,
        case=found.case,
        side=found.side,
        reason=say(standard.row_of(found.case).reason),
        text=say(case.text),
        outcome=texts.gettext(OUTCOMES[found.outcome]),
        when=when_in_words(standard, case, locale),
        refund_fen=found.refund_fen,
        refund_source=found.refund_source,
        deduction_fen=found.deduction_fen,
        shop_points=found.shop_points,
        buyer_points=found.buyer_points,
        because=[(say(standard.tests[told.test].title), told.answer) for told in _telling(standard, found)],
        deadlines=[(due.at_ms, say(case.deadlines[due.number].then)) for due in found.deadlines],
        changes=list(_changes(standard, changes, locale))[:CHANGES_SHOWN_MAX],
        set_aside=list(
            dict.fromkeys(say(standard.facts[aside.statement.fact].title) for aside in found.set_aside)
        ),
        contradicted=[say(standard.facts[fact].title) for fact in found.contradicted],
    )


def _telling(standard: Standard, found: Finding) -> Iterator[Answered]:
    """What decided, without what goes without saying."""
    for one in found.decided_by:
        if one.test != "complaint" and one.test in standard.tests:
            yield one


def _changes(standard: Standard, changes: Sequence[Change], locale: Locale) -> Iterator[ToldChange]:
    """Those that somebody can bring about by adding something, or that only wait for their time."""
    say, texts = saying(locale), texts_of(locale)
    yes, no = texts.gettext(_("yes")), texts.gettext(_("no"))
    for one in changes:
        ranks = [standard.facts[fact].ranks for fact in one.facts]
        if not all(CAN_BE_BROUGHT & set(accepted) for accepted in ranks) or (one.tests and not one.facts):
            continue
        yield ToldChange(
            case=one.case,
            row=one.row,
            wanted=[
                texts.gettext(_("%(question)s: %(answer)s"))
                % {"question": say(standard.tests[told.test].title), "answer": yes if told.answer else no}
                for told in one.tests
            ],
            facts=[
                f"{say(standard.facts[fact].title)} ({', '.join(standard.facts[fact].ranks)})" for fact in one.facts
            ],
            outcome=texts.gettext(OUTCOMES[one.outcome]),
            refund_fen=one.refund_fen,
            at_ms=one.at_ms,
        )

