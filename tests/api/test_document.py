"""The document: valid OpenAPI 3.1, whole, with examples that are really taken; and the pages made from it."""

import json
from typing import Any

import jsonschema_rs
import msgspec
import pytest

from api_world import World
from fairkey.api.document import document, refusals_of
from fairkey.api.routes import ENDPOINTS
from fairkey.app.wiring import problems
from fairkey.gates.permissions import Permission
from fairkey.gates.problems import kebab
from fairkey.gates.route_table import ROUTES
from fairkey.gates.statuses import STATUS

DOCUMENT: dict[str, Any] = document(ENDPOINTS, ROUTES, problems(), "http://127.0.0.1:8000")


def test_every_route_for_programs_is_in_it_and_nothing_else() -> None:
    listed = {f"{method.upper()} {path}" for path, methods in DOCUMENT["paths"].items() for method in methods}
    assert listed == {key for key in ROUTES if " /api/v1/" in key or " /callbacks/" in key}


def test_every_reference_leads_somewhere() -> None:
    def walk(value: object) -> None:
        if isinstance(value, dict):
            if isinstance(value.get("$ref"), str):
                where: Any = DOCUMENT
                for part in value["$ref"].removeprefix("#/").split("/"):
                    where = where[part]
            for one in value.values():
                walk(one)
        elif isinstance(value, list):
            for one in value:
                walk(one)

    walk(DOCUMENT)


def test_schemas_are_json_schemas() -> None:
    for name in DOCUMENT["components"]["schemas"]:
        root = {"$ref": f"#/components/schemas/{name}", "components": DOCUMENT["components"]}
        jsonschema_rs.Draft202012Validator(root)


def test_names_of_calls_are_unique_and_every_shape_tells_what_it_is() -> None:
    names = [one["operationId"] for methods in DOCUMENT["paths"].values() for one in methods.values()]
    assert len(names) == len(set(names))
    for name, schema in DOCUMENT["components"]["schemas"].items():
        assert schema.get("description"), name


def test_examples_are_taken() -> None:
    given = 0
    for endpoint in ENDPOINTS:
        if endpoint.body is not None and not endpoint.body_is_optional:
            assert endpoint.example.request is not None, f"{endpoint.key} has no example"
        if endpoint.example.request is not None:
            assert endpoint.body is not None
            msgspec.convert(endpoint.example.request, endpoint.body)
            given += 1
        if endpoint.example.answer is not None:
            assert endpoint.answer is not None
            msgspec.convert(endpoint.example.answer, endpoint.answer)
    assert given >= 8
    for example in DOCUMENT["components"]["examples"].values():
        root = {"$ref": "#/components/schemas/Problem", "components": DOCUMENT["components"]}
        jsonschema_rs.Draft202012Validator(root).validate(example["value"])


def test_whoever_needs_a_key_is_told_the_scope() -> None:
    for endpoint in ENDPOINTS:
        gate = ROUTES[endpoint.key]
        security = DOCUMENT["paths"][endpoint.path][endpoint.method.lower()]["security"]
        assert (security == [{"key": [gate.scope]}]) == (gate.scope is not None)
        assert set(endpoint.refusals) <= set(STATUS)
        only_asks = endpoint.tag == "traces"  # with a body, so that no code stands in an address
        carries_ids = gate.permission is Permission.ISSUER_SIGNATURE  # each statement has one of its own
        says_its_hash = endpoint.tag == "seals"  # a hash is told of once, whoever asks
        takes_key = endpoint.idempotency is not None
        changes_nothing = only_asks or endpoint.method == "GET" or not endpoint.body
        assert takes_key or carries_ids or says_its_hash or changes_nothing or endpoint.streams
        assert "Unavailable" in refusals_of(endpoint, gate)


async def test_it_is_served(world: World) -> None:
    answer = await world.get("/api/openapi.json")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["paths"] == json.loads(json.dumps(DOCUMENT["paths"]))


@pytest.mark.parametrize("language", ["zh_CN", "en"])
async def test_it_can_be_read(world: World, language: str) -> None:
    page = await world.get(f"/api?lang={language}")
    assert page.status_code == 200, page.text
    for endpoint in ENDPOINTS:
        assert f"{endpoint.method} {endpoint.path}" in page.text


async def test_every_problem_has_its_page(world: World) -> None:
    for name in STATUS:
        page = await world.get(f"/problems/{kebab(name)}")
        assert page.status_code == 200, name
        assert f"/problems/{kebab(name)}" in page.text
    assert (await world.get("/problems/nothing-like-it")).status_code == 404
