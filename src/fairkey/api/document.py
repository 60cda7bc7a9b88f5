"""The OpenAPI 3.1 document, made from the same endpoints, shapes and gates that answer."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from fairkey import __version__
from fairkey.api.endpoints import Endpoint
from fairkey.gates.permissions import Gate, Permission
from fairkey.gates.problems import MEDIA_TYPE, Problem, Problems, kebab, title_of
from fairkey.gates.statuses import STATUS

REFS: Final = "#/components/schemas/{name}"

_PARAMETER: Final = re.compile(r"\{(\w+)\}")
_UUID: Final = {"type": "string", "format": "uuid"}
_NUMBER: Final = {"type": "integer", "minimum": 1, "maximum": 2**31 - 1}
_PATH_PARAMETERS: Final[Mapping[str, tuple[Mapping[str, object], str]]] = {
    "ref": (
        {"type": "string", "pattern": "^[0-9A-HJKMNP-TV-Z]{27,31}$"},
        "The order's number. Case and dashes do not matter, nor O for 0, I and L for 1.",
    ),
    "shop_no": (_NUMBER, "The shop's number."),
    "listing_id": (_UUID, "The listing."),
    "batch_id": (_UUID, "The batch; for a new one a fresh UUID of your own."),
    "coupon_id": (_UUID, "The coupon."),
    "top_up_id": (_UUID, "The top-up."),
    "evidence_id": (_UUID, "The piece of evidence."),
    "revision": (_NUMBER, "Which revision, from 1."),
    "version": (_NUMBER, "Which fact of the order, from 1."),
    "sha256": ({"type": "string", "pattern": "^[0-9a-f]{64}$"}, "SHA-256 in hexadecimal."),
    "provider": ({"type": "string", "pattern": "^[a-z0-9_]{1,40}$"}, "The payment provider's short name."),
}
_TAGS: Final = (
    ("catalogue", "What anyone may read."),
    ("orders", "For buyers: place an order, then handle it with its secret."),
    ("messages", "What buyer and shop write to each other about an order; each is a fact."),
    ("deposits", "The deposit of your shop: state, terms, paying in, asking back."),
    ("disputes", "How a dispute stands, what the standard reads, offers, a question, what follows a ruling; its file."),
    ("reviews", "What buyers said after completion; amended once, objected to once, never deleted."),
    ("evidence", "Files and guided recordings of a dispute."),
    ("shop", "Your own shop. Everything below `/api/v1/shop` needs your key."),
    ("shop's listings", "What you offer. A published revision never changes."),
    ("shop's orders", "What was bought from you."),
    ("batches", "Codes you deposit, sealed in the vault until they are sold."),
    ("coupons", "Words that make an order cheaper."),
    ("money", "Your balances, every movement, payouts."),
    ("measures", "What the platform did to shops, published."),
    ("health", "For load balancers."),
    ("traces", "The life of a code for whoever holds it; what backs a listing."),
    ("seals", "Hashes of sealed evidence, about purchases anywhere, in the public log."),
    ("issuers", "For those who make codes: what became of them, signed."),
    ("standard", "How complaints are judged: every version, byte by byte."),
    ("callbacks", "For payment providers."),
)
_ABOUT: Final = """\
Amounts are integers in fen (`*_fen`, 1 yuan is 100 fen), moments are RFC 3339 in UTC (`*_at`).

**Who is asking.** Anyone reads the catalogue and places orders. An order is handled with its own secret in the header
`Order-Secret`. A shop's programs send `Authorization: Bearer fk_…`; keys and their scopes are made on the desk's pages.
Cookies are never looked at here.

**Doing things once.** Send an `Idempotency-Key` (16 to 200 visible ASCII characters, a fresh UUID is a good one) with
what changes something. The same key with the same request gets the same answer, however often; with another request it
gets 409. Keys of different callers do not meet: a key belongs to your API key, to the order whose secret you show, or,
for a guest who places an order, to your network address. A request that was refused did nothing, and its key is free.

**When it does not work.** Every refusal is a problem (RFC 9457, `application/problem+json`): `type` never changes and
leads to a page about it, `detail` and `detail_zh` are sentences for people, `details` is for programs.
429 and 503 come with `Retry-After`: nothing was lost, ask again with the same `Idempotency-Key`.
"""
_IDEMPOTENCY: Final = "So that asking again never does it twice: 16 to 200 visible ASCII characters, a fresh UUID say."


def refusals_of(endpoint: Endpoint, gate: Gate) -> list[str]:
    """The names of everything a call may be refused with, our own failures included."""
    names = [*endpoint.refusals, "TooManyRequests", "Unexpected", "Unavailable"]
    if endpoint.path.startswith("/api/"):
        names.append("ApiKeyIsInvalid")
    if "{" in endpoint.path:
        names.append("NotFound")
    if endpoint.body is not None:
        names += ["BodyIsUnreadable", "MediaTypeIsNotSupported"]
    if endpoint.streams:
        names.append("MediaTypeIsNotSupported")
    if endpoint.body is not None or endpoint.query is not None:
        names.append("FieldIsInvalid")
    if endpoint.method != "GET":
        names.append("TooLarge")
    if endpoint.idempotency is not None:
        names += ["IdempotencyKeyIsInvalid", "KeyWasUsedForAnotherRequest"]
    if endpoint.idempotency == "required":
        names.append("IdempotencyKeyIsMissing")
    if gate.permission is Permission.GUEST_WITH_ORDER_SECRET:
        names.append("OrderNotFound")
    elif gate.scope is not None:
        names += ["SignInNeeded", "NotAllowed"]
    return sorted(set(names), key=lambda name: (STATUS[name], name))


def document(
    endpoints: Sequence[Endpoint], table: Mapping[str, Gate], problems: Problems, public_url: str
) -> dict[str, Any]:
    """The whole document as plain JSON."""
    shapes = [shape for endpoint in endpoints for shape in (endpoint.body, endpoint.answer) if shape is not None]
    _, schemas = msgspec.json.schema_components(
        [*dict.fromkeys(shapes), Problem], schema_hook=_anything, ref_template=REFS
    )
    told = {name for endpoint in endpoints for name in refusals_of(endpoint, table[endpoint.key])}
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in endpoints:
        operation = _operation(endpoint, table[endpoint.key])
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "fairkey",
            "version": __version__,
            "summary": "Fair and provable trade in activation codes",
            "description": _ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": public_url or "/"}],
        "tags": [{"name": name, "description": about} for name, about in _TAGS],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "examples": {
                kebab(name): {"value": msgspec.json.decode(problems.tell(name).body)} for name in sorted(told)
            },
            "securitySchemes": {
                "key": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A shop's key, `fk_live_…` (`fk_test_…` in playgrounds), made on the desk's pages.",
                },
                "orderSecret": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Order-Secret",
                    "description": "The secret that placing the order gave, also in the buyer's mail.",
                },
            },
        },
    }


def _anything(_: type) -> dict[str, Any]:
    """Values whose kind depends on what is told (`object` in a shape)."""
    return {"description": "A text, a number, a list …: see the kind of fact or refusal."}


def _operation(endpoint: Endpoint, gate: Gate) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": endpoint.handle.__name__,
        "tags": [endpoint.tag],
        "summary": endpoint.summary,
        "security": _security(gate),
        "parameters": _parameters(endpoint),
        "responses": {str(endpoint.status): _answer(endpoint), **_problem_answers(endpoint, gate)},
    }
    if endpoint.description:
        operation["description"] = endpoint.description
    if gate.scope is not None:
        operation["description"] = f"{endpoint.description} Scope: `{gate.scope}`.".strip()
    body = _body(endpoint)
    if body is not None:
        operation["requestBody"] = body
    return operation


def _security(gate: Gate) -> list[dict[str, list[str]]]:
    if gate.permission is Permission.GUEST_WITH_ORDER_SECRET:
        return [{"orderSecret": []}]
    if gate.scope is not None:
        return [{"key": [gate.scope]}]
    return []


def _parameters(endpoint: Endpoint) -> list[dict[str, Any]]:
    parameters: list[dict[str, Any]] = []
    for name in _PARAMETER.findall(endpoint.path):
        schema, about = _PATH_PARAMETERS[name]
        parameters.append({"name": name, "in": "path", "required": True, "schema": schema, "description": about})
    if endpoint.query is not None:
        (_,), found = msgspec.json.schema_components([endpoint.query], ref_template=REFS)
        shape = found[endpoint.query.__name__]
        for name, schema in shape["properties"].items():
            about = schema.pop("description", "")
            required = name in shape.get("required", ())
            parameters.append(
                {"name": name, "in": "query", "required": required, "schema": schema, "description": about}
            )
    if endpoint.idempotency is not None:
        parameters.append({
            "name": "Idempotency-Key",
            "in": "header",
            "required": endpoint.idempotency == "required",
            "schema": {"type": "string", "pattern": "^[!-~]{16,200}$"},
            "description": _IDEMPOTENCY,
        })
    if "WorkIsMissing" in endpoint.refusals:
        parameters.append({
            "name": "Proof-Of-Work",
            "in": "header",
            "required": False,
            "schema": {"type": "string", "maxLength": 300, "pattern": "^[!-~]*$"},
            "description": "Guests, where `GET /api/v1/work` asks for it: `challenge:nonce`.",
        })
    return parameters


def _body(endpoint: Endpoint) -> dict[str, Any] | None:
    if endpoint.streams:
        text = {"schema": {"type": "string"}}
        return {"required": True, "content": dict.fromkeys(endpoint.streams, text)}
    if endpoint.body is None:
        return None
    content: dict[str, Any] = {"schema": {"$ref": REFS.format(name=endpoint.body.__name__)}}
    if endpoint.example.request is not None:
        content["examples"] = {"example": {"value": endpoint.example.request}}
    return {"required": not endpoint.body_is_optional, "content": {"application/json": content}}


def _answer(endpoint: Endpoint) -> dict[str, Any]:
    if endpoint.answer is None:
        return {
            "description": endpoint.answer_text,
            "content": {endpoint.answer_type: {"schema": {"type": "string"} if "text" in endpoint.answer_type else {}}},
        }
    content: dict[str, Any] = {"schema": {"$ref": REFS.format(name=endpoint.answer.__name__)}}
    if endpoint.example.answer is not None:
        content["examples"] = {"example": {"value": endpoint.example.answer}}
    return {
        "description": (endpoint.answer.__doc__ or "").strip().splitlines()[0],
        "content": {"application/json": content},
    }


def _problem_answers(endpoint: Endpoint, gate: Gate) -> dict[str, Any]:
    by_status: dict[int, list[str]] = {}
    for name in refusals_of(endpoint, gate):
        by_status.setdefault(STATUS[name], []).append(name)
    return {str(status): _problem_answer(names) for status, names in sorted(by_status.items())}


def _problem_answer(names: Iterable[str]) -> dict[str, Any]:
    examples = {kebab(name): {"$ref": f"#/components/examples/{kebab(name)}"} for name in names}
    return {
        "description": "; ".join(f"{title_of(name)} (`/problems/{kebab(name)}`)" for name in names),
        "content": {MEDIA_TYPE: {"schema": {"$ref": REFS.format(name="Problem")}, "examples": examples}},
    }
