"""The API to read, from the same document that programs get; and a page for each problem's `type`."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from fairkey.business.basics import NotFound
from fairkey.engine.house import House
from fairkey.gates.problems import NAME_OF_KEBAB, Problems
from fairkey.web.frame import AnyRequest, frame
from fairkey.web.render import render


@dataclass(frozen=True, slots=True, kw_only=True)
class CallView:
    """One call on the page; texts are those of the document (English)."""

    anchor: str
    method: str
    path: str
    summary: str
    description: str
    needs: str  # key | secret | ""
    parameters: tuple[Mapping[str, Any], ...]
    body: tuple[tuple[str, Mapping[str, Any], bool], ...]  # (field, schema, required)
    body_kinds: tuple[str, ...]
    example: str
    answers: tuple[tuple[str, str], ...]
    problems: tuple[tuple[str, str], ...]  # (status, kebab name)


@dataclass(frozen=True, slots=True, kw_only=True)
class TagView:
    """A group of calls."""

    name: str
    about: str
    calls: tuple[CallView, ...]


@get("/api")
async def api(request: AnyRequest, house: NamedDependency[House]) -> Response[str]:
    """Every call of the API."""
    document = _document(request)
    return render(frame(request, house), "programs/api.html", tags=tuple(_tags(document)), kind_of=kind_of)


@get("/problems/{name:str}")
async def problem(request: AnyRequest, house: NamedDependency[House], name: FromPath[str]) -> Response[str]:
    """What one problem means and which calls may answer it."""
    refusal = NAME_OF_KEBAB.get(name)
    if refusal is None:
        raise NotFound(what="page")
    problems: Problems = request.app.state.problems
    told = msgspec.json.decode(problems.tell(refusal).body)
    calls = [
        call
        for tag in _tags(_document(request))
        for call in tag.calls
        if name in {problem_name for _, problem_name in call.problems}
    ]
    context = frame(request, house)
    detail = told["detail_zh"] if context.locale == "zh_CN" else told["detail"]
    return render(context, "programs/problem.html", problem=told, detail=detail, calls=calls)


def _document(request: AnyRequest) -> Mapping[str, Any]:
    written: Callable[[], bytes] = request.app.state.api_document
    document: Mapping[str, Any] = msgspec.json.decode(written())
    return document


def _tags(document: Mapping[str, Any]) -> Iterator[TagView]:
    for tag in document["tags"]:
        calls = tuple(
            _call(document, path, method, operation)
            for path, operations in document["paths"].items()
            for method, operation in operations.items()
            if tag["name"] in operation["tags"]
        )
        yield TagView(name=tag["name"], about=tag["description"], calls=calls)


def _call(document: Mapping[str, Any], path: str, method: str, operation: Mapping[str, Any]) -> CallView:
    content = operation.get("requestBody", {}).get("content", {})
    schema = _resolved(document, content.get("application/json", {}).get("schema", {}))
    example = content.get("application/json", {}).get("examples", {}).get("example", {}).get("value")
    security = {name for one in operation["security"] for name in one}
    answers, problems = [], []
    for status, answer in operation["responses"].items():
        told = answer["content"].get("application/problem+json")
        if told is None:
            answers.append((status, answer["description"]))
        else:
            problems += [(status, name) for name in told["examples"]]
    required = set(schema.get("required", ()))
    return CallView(
        anchor=operation["operationId"],
        method=method.upper(),
        path=path,
        summary=operation["summary"],
        description=operation.get("description", ""),
        needs="key" if "key" in security else "secret" if "orderSecret" in security else "",
        parameters=tuple(operation["parameters"]),
        body=tuple((name, field, name in required) for name, field in schema.get("properties", {}).items()),
        body_kinds=tuple(content),
        example=msgspec.json.format(msgspec.json.encode(example), indent=2).decode() if example is not None else "",
        answers=tuple(answers),
        problems=tuple(problems),
    )


def _resolved(document: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    name = schema.get("$ref", "").rpartition("/")[2]
    found: Mapping[str, Any] = document["components"]["schemas"][name] if name else schema
    return found


def kind_of(schema: Mapping[str, Any]) -> str:
    """What a value is, in one word or two: for the page only."""
    if "anyOf" in schema:
        return " | ".join(kind_of(one) for one in schema["anyOf"])
    if "enum" in schema:
        return " | ".join(str(one) or '""' for one in schema["enum"])
    return str(schema.get("format") or schema.get("type") or schema.get("$ref", "").rpartition("/")[2])


HANDLERS: Final = [api, problem]
