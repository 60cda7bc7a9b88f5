"""Tables without holes: every command, event, deadline and refusal is somewhere, and nothing is there twice."""

import ast
import importlib
import inspect
from types import ModuleType

import pytest

from business_cases import Case, state_after
from fairkey.business import briefings, order_refusals, orders
from fairkey.business.askers import ASKERS, Asker
from fairkey.business.basics import Command, Event, Refusal
from fairkey.business.files import CAPABILITIES, EVENT_OF_KIND, FILES, HOME_OF_EVENT
from golden.samples import AT_MS, SAMPLES

FILES_OF = {  # where the examples of a capability stand, if not in the file of its own name
    "batches": ("batches", "quarantines"),
    "codes": ("codes", "resending"),
    "complaints": ("complaints", "disputes", "resending", "reopening", "stopping"),
    "orders": ("orders", "stopping"),
    "arbitrators": ("arbitrators", "deposits_and_panels"),
    "deposits": ("deposits", "deposits_and_panels", "owed_and_bounty"),
    "evidence": ("evidence", "deposits_and_panels"),
    "panels": ("panels", "deposits_and_panels"),
    "pool": ("deposits", "deposits_and_panels", "owed_and_bounty"),
    "restoring": ("deposits", "deposits_and_panels"),
}
NEED_A_HISTORY = {
    "issuer.outage_ended",
    "listing.published",
    "dispute.appealed",
    "dispute.review_asked",
    "dispute.reviewed",
    "panel.seat_replaced",
    "shop.return_asked",
    "shop.returned",
    "panel.vote_committed",
    "panel.vote_revealed",
}
BY_NAME = {"arbitrators", "claims", "complaints", "deposits", "evidence", "panels", "pool", "restoring"}
"""Their examples are histories, not single decisions: there a command, event or refusal counts that is named."""


def name_of(module: ModuleType) -> str:
    return module.__name__.rpartition(".")[2]


EXAMPLES = {
    module: [
        importlib.import_module(f"examples.test_{name}") for name in FILES_OF.get(name_of(module), (name_of(module),))
    ]
    for module in CAPABILITIES
}


def cases_in(module: ModuleType) -> list[Case]:
    return [case for file in EXAMPLES[module] for case in getattr(file, "CASES", ())]


def named_in(module: ModuleType) -> set[str]:
    """Every name, attribute and text that the example files of a capability use, imports aside."""
    names = set()
    for file in EXAMPLES[module]:
        for node in ast.walk(ast.parse(inspect.getsource(file))):
            if isinstance(node, ast.Name):
                names.add(node.id)
            elif isinstance(node, ast.Attribute):
                names.add(node.attr)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                names.add(node.value)  # kinds of events
    return names


def those_of(module: ModuleType, kind: type) -> set[type]:
    return {
        one
        for one in vars(module).values()
        if inspect.isclass(one) and issubclass(one, kind) and one.__module__ == module.__name__
    }


REFUSED_ELSEWHERE = {orders: order_refusals}
"""Whose refusals stand in a file of their own."""


def refusals_of(module: ModuleType) -> set[type]:
    return those_of(module, Refusal) | those_of(REFUSED_ELSEWHERE.get(module, module), Refusal)


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
    if name_of(module) in BY_NAME:
        wanted = {one.__name__ for one in those_of(module, Command) | those_of(module, Refusal)}
        assert wanted - named_in(module) == set()
        return
    cases = cases_in(module)
    assert {type(case.when) for case in cases} == those_of(module, Command)
    refused = {
        case.then[0] if isinstance(case.then, tuple) else case.then for case in cases if not isinstance(case.then, list)
    }
    assert refusals_of(module) <= refused


@cases_of
def test_every_event_of_a_rule_is_what_some_example_comes_to(module: ModuleType) -> None:
    if name_of(module) in BY_NAME:  # their histories go through them
        return
    cases = cases_in(module)
    decided = {type(event) for case in cases if isinstance(case.then, list) for event in case.then}
    assert {event for event, home in HOME_OF_EVENT.items() if home is module} == decided


def test_every_event_has_a_home_and_a_kind_of_its_own() -> None:
    everywhere = {event for event in Event.__subclasses__() if event.__module__.startswith("fairkey.business")}
    assert set(HOME_OF_EVENT) == everywhere
    assert len(EVENT_OF_KIND) == len(everywhere)


def test_sealed_fields_are_texts_of_their_event() -> None:
    for event in HOME_OF_EVENT:
        fields = event.__annotations__
        assert event.sealed <= set(event.__struct_fields__)
        assert all(fields[name] is str for name in event.sealed), event


@pytest.mark.parametrize(
    "event", [one for one in SAMPLES if one.kind not in NEED_A_HISTORY], ids=lambda event: event.kind
)
def test_every_event_changes_the_state_of_its_own_capability(event: Event) -> None:
    module = HOME_OF_EVENT[type(event)]
    assert type(module.evolve(module.INITIAL, event, AT_MS)) is type(module.INITIAL)
    assert type(state_after(module, ())) is type(module.INITIAL)
