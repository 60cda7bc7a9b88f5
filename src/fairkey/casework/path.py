"""In which order to go where: platform, then 黑猫 and 12315, then the regulator, then court; with what blocks what.

A case that a court, an arbitration or a consumer association has taken up is not taken by 12315 (令121 art. 16); a
private platform like 黑猫 blocks nothing. What was bought for resale is no consumer's case: 12315 refuses it.
"""

from datetime import date, datetime
from enum import StrEnum
from typing import Final

from msgspec import Struct

from .law import Rule, law_data, rule
from .model import Case, Problem, Purpose, StepTaken
from .moments import CHINA
from .texts import Words, same, words
from .venue import is_definite

PLATFORM, HEIMAO, S12315, REGULATOR = "platform", "heimao", "s12315", "regulator"
ASSOCIATION, POLICE, COURT, B2B = "consumer_association", "police", "small_claims", "b2b"
CONSUMER_ORDER: Final = (PLATFORM, HEIMAO, S12315, ASSOCIATION, REGULATOR, COURT)
BUSINESS_ORDER: Final = (PLATFORM, B2B, COURT)
BLOCKERS: Final = frozenset({COURT, ASSOCIATION})
RUNNING: Final = frozenset({"sent", "accepted", "answered"})
OVER: Final = frozenset({"refused", "settled", "ended"})
COMPLAINT_YEARS: Final = 3


class StepState(StrEnum):
    """How a channel stands now."""

    NOW = "now"
    LATER = "later"  # an earlier one runs first
    RUNNING = "running"
    DONE = "done"
    BLOCKED = "blocked"


class Step(Struct, frozen=True, kw_only=True):
    """One channel on the path. `why`: a sentence, perhaps the person's own; `from_ms`: when an earlier one's time is
    over (0: unknown).
    """

    channel: str
    state: StepState
    why: Words
    rules: tuple[Rule, ...] = ()
    from_ms: int = 0


def steps(case: Case, now_ms: int) -> tuple[Step, ...]:
    """The whole path as it stands; pure."""
    if any(one.stage == "settled" for one in case.steps):
        return ()
    on = datetime.fromtimestamp(now_ms / 1000, CHINA).date()
    order = CONSUMER_ORDER if case.purpose is Purpose.LIVING else BUSINESS_ORDER
    found = [*_police(case, on)]
    waits_ms, is_open_before = 0, False
    for channel in order:
        step = _step(case, channel, on)
        if step.state is StepState.RUNNING and channel != HEIMAO:
            waits_ms = max(waits_ms, step.from_ms)
        elif step.state is StepState.NOW:
            if is_open_before:
                step = _later(step, words("path.first"), 0)
            elif waits_ms > now_ms:
                step = _later(step, words("path.waits"), waits_ms)
            is_open_before = is_open_before or channel != HEIMAO  # 黑猫 runs beside the others
        found.append(step)
    return tuple(found)


def _later(step: Step, why: Words, from_ms: int) -> Step:
    return Step(channel=step.channel, state=StepState.LATER, why=why, rules=step.rules, from_ms=from_ms)


def _step(case: Case, channel: str, on: date) -> Step:
    taken = [one for one in case.steps if one.channel == channel]
    if taken and taken[-1].stage in OVER:
        said = same(taken[-1].outcome) if taken[-1].outcome else words("path.over")
        return Step(channel=channel, state=StepState.DONE, why=said)
    if taken and taken[-1].stage in RUNNING:
        return Step(channel=channel, state=StepState.RUNNING, why=words("path.running"), from_ms=taken[-1].due_at_ms)
    if channel == S12315:
        blocked = _blocked(case, on)
        if blocked:
            return blocked
    if channel == COURT and not any(is_definite(one) for one in case.respondents):
        why = words("path.no_defendant")
        return Step(channel=channel, state=StepState.BLOCKED, why=why, rules=(rule("defendant", on),))
    return Step(channel=channel, state=StepState.NOW, why=words(f"path.{channel}"), rules=_rules(channel, on))


def _blocked(case: Case, on: date) -> Step | None:
    """Why 12315 would not take it."""
    last = {one.channel: one.stage for one in case.steps}
    if any(last.get(channel) in RUNNING for channel in BLOCKERS):
        why = words("path.blocked")
        return Step(channel=S12315, state=StepState.BLOCKED, why=why, rules=(rule("c_refuse", on),))
    known_ms = case.purchase.problem_at_ms
    if known_ms:
        since = datetime.fromtimestamp(known_ms / 1000, CHINA).date()
        if (on.year - since.year, on.month, on.day) > (COMPLAINT_YEARS, since.month, since.day):
            why = words("path.too_old")
            return Step(channel=S12315, state=StepState.BLOCKED, why=why, rules=(rule("c_refuse", on),))
    return None


def _police(case: Case, on: date) -> list[Step]:
    """Suggested, never demanded: from the lowest criminal threshold on, or when the seller is gone with the money."""
    taken: list[StepTaken] = [one for one in case.steps if one.channel == POLICE]
    if taken:
        return [_step(case, POLICE, on)]
    if case.purchase.amount_fen >= law_data().fraud_criminal_from_fen:
        why = words("path.police_large")
        return [Step(channel=POLICE, state=StepState.NOW, why=why, rules=(rule("police_crime", on),))]
    if case.problem is Problem.SELLER_VANISHED and case.asserts_fraud:
        why = words("path.police_gone")
        return [Step(channel=POLICE, state=StepState.NOW, why=why, rules=(rule("police_small", on),))]
    return []


_NAMES: Final = {
    PLATFORM: ("complaint_system", "platform_liable", "keep_records"),
    HEIMAO: (),
    S12315: ("c_material", "c_accept", "c_mediate"),
    ASSOCIATION: ("routes",),
    REGULATOR: ("r_material", "r_check"),
    COURT: ("venue_contract", "small_claims", "filing"),
    B2B: ("breach", "rescission"),
    POLICE: ("police_small",),
}


def _rules(channel: str, on: date) -> tuple[Rule, ...]:
    return tuple(rule(name, on) for name in _NAMES[channel])
