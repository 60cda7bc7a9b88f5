"""Every route of the application has a row in the table of permissions; opening one to everybody shows in a file."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from litestar import Litestar

from fairkey.app import make_litestar
from fairkey.engine.people import SCOPES
from fairkey.gates.permissions import differences, routes_of, unprotected
from fairkey.gates.route_table import ROUTES

LIST = Path(__file__).parent / "unprotected_routes.txt"


async def _nobody(connection: object, handler: object) -> None:
    raise NotImplementedError


def the_application() -> Litestar:
    """All routes, with nothing behind them: none is called here."""
    nothing: Any = SimpleNamespace(guard=_nobody)
    return make_litestar(nothing, nothing)


def test_the_table_and_the_application_agree() -> None:
    assert differences(routes_of(the_application()), ROUTES) == []


def test_routes_open_to_everybody_are_listed() -> None:
    listed = LIST.read_text(encoding="utf-8").splitlines()
    assert listed == unprotected(ROUTES), (
        "copy the right-hand side into tests/repo/unprotected_routes.txt if it is meant"
    )


def test_keys_are_asked_for_scopes_that_exist() -> None:
    assert {gate.scope for gate in ROUTES.values() if gate.scope} <= SCOPES


def test_programs_and_people_have_separate_doors() -> None:
    """Cookies count on pages, keys in the API: a row that wants the other would never let anybody in."""
    for key, gate in ROUTES.items():
        path = key.split(" ", 1)[1]
        assert (gate.scope is None) or path.startswith("/api/"), key


def test_routes_of_one_order_call_their_parameter_ref() -> None:
    for key, gate in ROUTES.items():
        if gate.permission.value == "guest_with_order_secret":
            assert "{ref}" in key, key
