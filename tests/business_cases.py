"""Given events, when a command is decided, then events or a refusal: the form of every example of a business rule."""

from dataclasses import dataclass
from types import ModuleType
from typing import Any

import pytest
from msgspec import Struct

from fairkey.business.basics import Command, Event, Refusal
from fairkey.business.files import HOME_OF_EVENT

NOW = 1_760_000_000_000  # the moment at which `when` is decided unless an example says otherwise
SHOP = "00000000-0000-7000-8000-000000000001"
OTHER_SHOP = "00000000-0000-7000-8000-000000000002"
LISTING = "00000000-0000-7000-8000-000000000011"
OTHER_LISTING = "00000000-0000-7000-8000-000000000012"
ORDER = "00000000-0000-7000-8000-000000000021"
COUPON = "00000000-0000-7000-8000-000000000031"
BATCH = "00000000-0000-7000-8000-000000000041"
PAYMENT = "00000000-0000-7000-8000-000000000051"
PAYOUT = "00000000-0000-7000-8000-000000000061"


@dataclass(frozen=True, kw_only=True)
class Case:
    """`given` happened (each event at `NOW` or at its own moment), `when` is asked at `at_ms`.

    `then` is what happens, the class of a refusal, or the class with the details it must carry.
    """

    rule: str
    given: tuple[Event | tuple[Event, int], ...] = ()
    when: Command
    brief: Struct | None = None
    at_ms: int = NOW
    then: list[Event] | type[Exception] | tuple[type[Refusal], dict[str, object]]


def state_after(capability: ModuleType, given: tuple[Event | tuple[Event, int], ...]) -> Any:  # noqa: ANN401
    """The slice of `capability` after the events `given`."""
    state = capability.INITIAL
    for one in given:
        event, at_ms = one if isinstance(one, tuple) else (one, NOW)
        assert HOME_OF_EVENT[type(event)] is capability, "an example gives events of its own capability"
        state = capability.evolve(state, event, at_ms)
    return state


def hold(capability: ModuleType, case: Case) -> None:
    """Check one example; deciding must also leave the state and the command as they were."""
    state = state_after(capability, case.given)
    before = repr((state, case.when))
    if isinstance(case.then, list):
        assert capability.decide(case.when, state, case.brief, case.at_ms) == case.then
        for event in case.then:
            if HOME_OF_EVENT[type(event)] is capability:
                state_then = capability.evolve(state, event, case.at_ms)
                assert type(state_then) is type(state)
    else:
        refusal, details = case.then if isinstance(case.then, tuple) else (case.then, None)
        with pytest.raises(refusal) as raised:
            capability.decide(case.when, state, case.brief, case.at_ms)
        assert type(raised.value) is refusal
        if details is not None:
            assert isinstance(raised.value, Refusal)
            assert raised.value.details == details
    assert repr((state, case.when)) == before


def all_of(cases: list[Case]) -> Any:  # noqa: ANN401 - a decorator of pytest
    """Parametrise a test over `cases`, each named by its rule."""
    rules = [case.rule for case in cases]
    assert len(rules) == len(set(rules)), "two examples have the same name"
    return pytest.mark.parametrize("case", cases, ids=rules)
