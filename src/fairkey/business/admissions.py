"""Who stands behind a shop: the application, its review with reasons, and the check that is due every six months.

Sources: 电商法 10, 15 (registration, and what is shown of it), 27 (真实信息, 核验、登记, 定期核验更新);
网络交易监督管理办法 8, 12 (natural persons with small turnover), 24 (every six months), 26 (changes).
The sealed fields of a filing are read by the shop and by the operator alone; the slice keeps in the clear only what
becomes public: name and code of a registered trader, never anything of a natural person.
"""

from enum import StrEnum
from typing import Final, assert_never

from msgspec import Struct
from msgspec.structs import replace

from .basics import DAY_MS, HOUR_MS, Command, Event, Refusal, require, require_text
from .uscc import normalised, problem_of

CHECK_MONTHS: Final = 6
_CHINA_MS: Final = 8 * HOUR_MS  # ahead of UTC; the law counts its days there
_MONTHS: Final = 12
_DAYS_OF_MONTH: Final = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_FEBRUARY: Final = 1  # months are counted from 0
_FIRST_YEAR: Final = 1970
HASH_CHARS: Final = 64
FIELDS: Final = (
    "legal_form", "uscc", "registered_name", "contact_name", "contact", "address", "sources", "licence",
)  # fmt: skip


class LegalForm(StrEnum):
    """What the trader is before the law."""

    PERSON = "person"  # a natural person, 零星小额, at most CNY 100,000 a year over all shops (办法 8): not registered
    SOLE_TRADER = "sole_trader"  # 个体工商户
    COMPANY = "company"


CODE_BEGINS: Final = {LegalForm.SOLE_TRADER: ("92",), LegalForm.COMPANY: ("91", "93")}


class ReviewStage(StrEnum):
    """How far an application has come."""

    NONE = "none"
    FILED = "filed"
    SECONDED = "seconded"  # one of two reviewers would admit
    RETURNED = "returned"  # more is asked for
    PASSED = "passed"
    REFUSED = "refused"


class Decision(StrEnum):
    """What a reviewer may say."""

    ADMIT = "admit"
    MORE = "more"
    REFUSE = "refuse"


class ApplicationFiled(Event, frozen=True):
    """An applicant laid open who he is. `licence` is the SHA-256 of the image; the image itself is kept sealed."""

    kind = "shop.application_filed"
    sealed = frozenset({"uscc", "registered_name", "contact_name", "contact", "address", "sources", "licence"})
    round: int
    legal_form: LegalForm
    terms_hash: str
    uscc: str
    registered_name: str
    contact_name: str
    contact: str
    address: str
    sources: str
    licence: str


class ApplicationSeconded(Event, frozen=True):
    """The first of two reviewers would admit."""

    kind = "shop.application_seconded"
    sealed = frozenset({"reviewer", "reason"})
    round: int
    reviewer: str
    reason: str


class MoreAsked(Event, frozen=True):
    """`items` are names of fields that are to be mended."""

    kind = "shop.application_returned"
    sealed = frozenset({"reviewer", "reason"})
    round: int
    items: tuple[str, ...]
    reviewer: str
    reason: str


class ApplicationPassed(Event, frozen=True):
    """It is what it says it is. `admits`: it was the first time, and the shop opens with `fee_bp`."""

    kind = "shop.application_passed"
    sealed = frozenset({"reviewer", "reason"})
    round: int
    checked_until_ms: int
    admits: bool
    fee_bp: int
    reviewer: str
    reason: str


class ApplicationRefused(Event, frozen=True):
    """Refused with reasons; another may be filed."""

    kind = "shop.application_refused"
    sealed = frozenset({"reviewer", "reason"})
    round: int
    reviewer: str
    reason: str


AdmissionEvent = ApplicationFiled | ApplicationSeconded | MoreAsked | ApplicationPassed | ApplicationRefused


class FileApplication(Command, frozen=True):
    """For the first time, mended, or as the confirmation that is due every six months."""

    legal_form: str
    uscc: str
    registered_name: str
    contact_name: str
    contact: str
    address: str
    sources: str
    licence: str  # SHA-256, hex; empty for a natural person
    terms_hash: str


class DecideApplication(Command, frozen=True):
    """A reviewer's word on the round he read. `reviewer` is the platform's own mark of him."""

    round: int
    decision: str
    reason: str
    reviewer: str
    fee_bp: int
    items: tuple[str, ...] = ()


AdmissionCommand = FileApplication | DecideApplication


class ApplicationIsInAnotherStage(Refusal):
    """Details: review."""


class ApplicationHasMoved(Refusal):
    """The reviewer read another round than the present one."""


class SecondReviewerMustBeAnother(Refusal):
    """Two persons admit here, and one is not two."""


class TermsHaveChanged(Refusal):
    """Not the present terms were accepted."""


class ShopBriefing(Struct, frozen=True, kw_only=True):
    """What the shop is and how this house reviews."""

    exists: bool
    is_applied: bool
    is_over: bool  # closed or banned
    has_payout_account: bool
    terms_hash: str
    approvals: int = 1


class Admission(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The application as it stands. `name` and `code` are of the last passed filing of a registered trader."""

    stage: ReviewStage = ReviewStage.NONE
    round: int = 0
    legal_form: LegalForm | None = None
    filed_at_ms: int = 0
    decided_at_ms: int = 0
    items: tuple[str, ...] = ()
    reason: str = ""
    seconded_by: str = ""
    filed_name: str = ""
    filed_code: str = ""
    shown_form: LegalForm | None = None
    name: str = ""
    code: str = ""
    passed_at_ms: int = 0

    @property
    def waits(self) -> bool:
        """Is it the reviewers' turn?"""
        return self.stage in {ReviewStage.FILED, ReviewStage.SECONDED}


INITIAL = Admission()


def decide(command: AdmissionCommand, admission: Admission, brief: ShopBriefing | None, at_ms: int) -> list[Event]:
    """What follows from `command` for this application, or a `Refusal`."""
    assert brief is not None
    match command:
        case FileApplication():
            if admission.waits or not brief.exists or brief.is_over:
                raise ApplicationIsInAnotherStage(review="over" if brief.is_over else admission.stage.value)
            return [_filed(command, admission, brief)]
        case DecideApplication():
            return [_decided(command, admission, brief, at_ms)]
        case _:
            assert_never(command)


def _filed(command: FileApplication, admission: Admission, brief: ShopBriefing) -> ApplicationFiled:
    require(command.legal_form in {form.value for form in LegalForm}, "legal_form", "unknown")
    form = LegalForm(command.legal_form)
    code = normalised(command.uscc)
    if form is LegalForm.PERSON:
        require(not code, "uscc", "not_for_persons")
        require(not command.licence, "licence", "not_for_persons")
    else:
        require(bool(code), "uscc", "empty")
        why = problem_of(code)
        require(not why, "uscc", why)
        require(code.startswith(CODE_BEGINS[form]), "uscc", "other_form")
        require(bool(command.licence), "licence", "empty")
        is_hash = len(command.licence) == HASH_CHARS and set(command.licence) <= set("0123456789abcdef")
        require(is_hash, "licence", "not_a_hash")
    for field, value, longest in (
        ("registered_name", command.registered_name, 120),
        ("contact_name", command.contact_name, 60),
        ("address", command.address, 300),
    ):
        require_text(value, field, longest, 2)
        require("\n" not in value, field, "control_characters")
    require_text(command.contact, "contact", 254, 5)
    require_text(command.sources, "sources", 4_000, 5)
    require(brief.has_payout_account, "payout_account", "empty")
    if command.terms_hash != brief.terms_hash:
        raise TermsHaveChanged
    return ApplicationFiled(
        round=admission.round + 1,
        legal_form=form,
        terms_hash=command.terms_hash,
        uscc=code,
        registered_name=command.registered_name,
        contact_name=command.contact_name,
        contact=command.contact,
        address=command.address,
        sources=command.sources,
        licence=command.licence,
    )


def _decided(command: DecideApplication, admission: Admission, brief: ShopBriefing, at_ms: int) -> Event:
    if not admission.waits or brief.is_over:
        raise ApplicationIsInAnotherStage(review="over" if brief.is_over else admission.stage.value)
    if command.round != admission.round:
        raise ApplicationHasMoved
    require(command.decision in {decision.value for decision in Decision}, "decision", "unknown")
    require_text(command.reason, "reason", 2_000, 5)
    match Decision(command.decision):
        case Decision.MORE:
            require(bool(command.items), "items", "empty")
            require(set(command.items) <= set(FIELDS) and len(command.items) <= len(FIELDS), "items", "unknown")
            return MoreAsked(round=command.round, items=command.items, reviewer=command.reviewer, reason=command.reason)
        case Decision.REFUSE:
            return ApplicationRefused(round=command.round, reviewer=command.reviewer, reason=command.reason)
        case Decision.ADMIT:
            if brief.approvals > 1 and admission.stage is ReviewStage.FILED:
                return ApplicationSeconded(round=command.round, reviewer=command.reviewer, reason=command.reason)
            if brief.approvals > 1 and command.reviewer == admission.seconded_by:
                raise SecondReviewerMustBeAnother
            return ApplicationPassed(
                round=command.round,
                checked_until_ms=check_ends_at(at_ms),
                admits=brief.is_applied,
                fee_bp=command.fee_bp,
                reviewer=command.reviewer,
                reason=command.reason,
            )


def check_ends_at(at_ms: int) -> int:
    """Six calendar months later at the same time of day in China; the last day of a month that is too short
    (民法典 202).
    """
    day_no, of_day_ms = divmod(at_ms + _CHINA_MS, DAY_MS)
    year = _FIRST_YEAR
    while day_no >= (days := sum(_days_of(year, month) for month in range(_MONTHS))):
        day_no -= days
        year += 1
    month = 0
    while day_no >= _days_of(year, month):
        day_no -= _days_of(year, month)
        month += 1
    end_year, end_month = divmod(year * _MONTHS + month + CHECK_MONTHS, _MONTHS)
    end_day = min(day_no, _days_of(end_year, end_month) - 1)
    whole_years = sum(_days_of(one, month) for one in range(_FIRST_YEAR, end_year) for month in range(_MONTHS))
    whole_months = sum(_days_of(end_year, month) for month in range(end_month))
    return (whole_years + whole_months + end_day) * DAY_MS + of_day_ms - _CHINA_MS


def _days_of(year: int, month: int) -> int:
    """Days of a month, counted from 0, in the Gregorian calendar."""
    is_leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return _DAYS_OF_MONTH[month] + (is_leap and month == _FEBRUARY)


def evolve(admission: Admission, event: AdmissionEvent, at_ms: int) -> Admission:
    """The application after `event`."""
    match event:
        case ApplicationFiled():
            is_registered = event.legal_form is not LegalForm.PERSON
            return replace(
                admission,
                stage=ReviewStage.FILED,
                round=event.round,
                legal_form=event.legal_form,
                filed_at_ms=at_ms,
                items=(),
                reason="",
                seconded_by="",
                filed_name=event.registered_name if is_registered else "",
                filed_code=event.uscc if is_registered else "",
            )
        case ApplicationSeconded():
            return replace(admission, stage=ReviewStage.SECONDED, seconded_by=event.reviewer)
        case MoreAsked():
            return replace(
                admission,
                stage=ReviewStage.RETURNED,
                decided_at_ms=at_ms,
                items=event.items,
                reason=event.reason,
                seconded_by="",
            )
        case ApplicationPassed():
            return replace(
                admission,
                stage=ReviewStage.PASSED,
                decided_at_ms=at_ms,
                reason=event.reason,
                seconded_by="",
                passed_at_ms=at_ms,
                shown_form=admission.legal_form,
                name=admission.filed_name,
                code=admission.filed_code,
            )
        case ApplicationRefused():
            return replace(
                admission, stage=ReviewStage.REFUSED, decided_at_ms=at_ms, reason=event.reason, seconded_by=""
            )
        case _:
            assert_never(event)
