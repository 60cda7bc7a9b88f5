"""Tables without holes: every command, event, deadline and refusal is somewhere, and nothing is there twice."""

import importlib
import inspect
from types import ModuleType

import pytest

from business_cases import Case, state_after
from fairkey.business import briefings
from fairkey.business.askers import ASKERS, Asker
from fairkey.business.basics import Command, Event, Refusal
from fairkey.business.files import CAPABILITIES, EVENT_OF_KIND, FILES, HOME_OF_EVENT
from golden.samples import AT_MS, SAMPLES

EXAMPLES = {
    module: importlib.import_module(f"examples.test_{module.__name__.rpartition('.')[2]}") for module in CAPABILITIES
}


def those_of(module: ModuleType, kind: type) -> set[type]:
    return {
        one
        for one in vars(module).values()
        if inspect.isclass(one) and issubclass(one, kind) and one.__module__ == module.__name__
    }


EVERY_COMMAND = {command: module for module in CAPABILITIES for command in those_of(module, Command)}
cases_of = pytest.mark.parametrize(
    "module", CAPABILITIES, ids=[module.__name__.rpartition(".")[2] for module in CAPABILITIES]
)


def test_every_command_has_an_asker() -> None:
    assert set(ASKERS) == set(EVERY_COMMAND)
    assert all(ASKERS.values())


def test_inner_commands_are_nobody_elses() -> None:
    for command, askers in ASKERS.items():
        assert Asker.INNER not in askers or askers == {Asker.INNER}, command


def test_every_command_has_a_home() -> None:
    for command, module in EVERY_COMMAND.items():
        home, stream = briefings.home_of(command(**dict.fromkeys(command.__struct_fields__, "x")))
        assert home is module
        assert stream.kind in FILES


@cases_of
def test_every_command_and_every_refusal_of_a_rule_has_an_example(module: ModuleType) -> None:
    cases: list[Case] = EXAMPLES[module].CASES
    assert {type(case.when) for case in cases} == those_of(module, Command)
    refused = {
        case.then[0] if isinstance(case.then, tuple) else case.then for case in cases if not isinstance(case.then, list)
    }
    assert those_of(module, Refusal) <= refused


@cases_of
def test_every_event_of_a_rule_is_what_some_example_comes_to(module: ModuleType) -> None:
    cases: list[Case] = EXAMPLES[module].CASES
    decided = {type(event) for case in cases if isinstance(case.then, list) for event in case.then}
    assert {event for event, home in HOME_OF_EVENT.items() if home is module} == decided


def test_every_event_has_a_home_and_a_kind_of_its_own() -> None:
    everywhere = {event for module in CAPABILITIES for event in those_of(module, Event)}
    assert set(HOME_OF_EVENT) == everywhere
    assert len(EVENT_OF_KIND) == len(everywhere)


def test_sealed_fields_are_texts_of_their_event() -> None:
    for event in HOME_OF_EVENT:
        fields = event.__annotations__
        assert event.sealed <= set(event.__struct_fields__)
        assert all(fields[name] is str for name in event.sealed), event


@pytest.mark.parametrize(
    "event", [one for one in SAMPLES if one.kind != "listing.published"], ids=lambda event: event.kind
)
def test_every_event_changes_the_state_of_its_own_capability(event: Event) -> None:
    module = HOME_OF_EVENT[type(event)]
    assert type(module.evolve(module.INITIAL, event, AT_MS)) is type(module.INITIAL)
    assert type(state_after(module, ())) is type(module.INITIAL)
