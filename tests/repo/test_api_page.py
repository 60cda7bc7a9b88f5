"""docs/api.md names calls, scopes and problems that exist."""

import re
from pathlib import Path

from fairkey.engine.people import SCOPES
from fairkey.gates.problems import NAME_OF_KEBAB
from fairkey.gates.route_table import ROUTES
from repo.tree import text_of

PAGE = text_of(Path("docs/api.md"))


def _fits(path: str, template: str) -> bool:
    pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(template))
    return re.fullmatch(pattern, path) is not None


def test_every_call_exists() -> None:
    calls = re.findall(r"curl -s (?:-X (\w+) )?\"\$BASE([^\"?]+)", PAGE)
    assert len(calls) >= 12
    for method, path in calls:
        routes = [key.split(" ", 1) for key in ROUTES]
        assert any(verb == (method or "GET") and _fits(path, template) for verb, template in routes), path
    for path in re.findall(r"`(?:GET|POST|PUT)? ?(/(?:api|callbacks|desk)[^`… ]*)`", PAGE):
        assert path == "/api/v1" or path.endswith("/") or any(
            _fits(path, key.split(" ", 1)[1]) for key in ROUTES
        ), path  # fmt: skip


def test_every_scope_and_problem_exists() -> None:
    used = {gate.scope for gate in ROUTES.values() if gate.scope}
    assert set(re.findall(r"`(\w+:\w+)`", PAGE)) == used
    assert used <= SCOPES
    for name in re.findall(r"/problems/([a-z-]+)", PAGE):
        assert name in NAME_OF_KEBAB, name
