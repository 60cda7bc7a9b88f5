"""What issuers tell us: what became of their codes, each statement signed on its own."""

from typing import Annotated, Final

from msgspec import Meta

from fairkey.api.calls import Call, Reply, reply, require_done
from fairkey.api.endpoints import Endpoint, Example
from fairkey.api.shapes import In, Moment, Out, moment, moment_or_none
from fairkey.engine import attesting, outaging
from fairkey.engine.attesting import AGE_MAX_MS, STATEMENTS_MAX, Sent
from fairkey.engine.house import House
from fairkey.proofs.attestations import DISCLOSURE_CHARS_MAX, STATEMENT_BYTES_MAX

BODY_BYTES_MAX: Final = 4 * 1024 * 1024
DAY_MS: Final = 86_400_000

_Disclosure = Annotated[str, Meta(max_length=DISCLOSURE_CHARS_MAX, pattern="^[A-Za-z0-9_-]*$")]


class SignedStatement(In, frozen=True, kw_only=True):
    """One statement, what it is signed with, and what opens its digests."""

    statement: Annotated[
        str, Meta(max_length=STATEMENT_BYTES_MAX, description="The exact text that was signed, a JSON object.")
    ]
    signature: Annotated[str, Meta(max_length=88, description="Ed25519, base64.")]
    code: Annotated[_Disclosure, Meta(description="The disclosure whose SHA-256 is `code` in the statement.")]
    account: Annotated[_Disclosure, Meta(description="The same for `account`; empty when there is none.")] = ""


class Statements(In, frozen=True, kw_only=True):
    """Statements of one issuer."""

    attestations: Annotated[list[SignedStatement], Meta(min_length=1, max_length=STATEMENTS_MAX)]


class Received(Out, frozen=True, kw_only=True):
    """All statements were taken; says nothing about which codes are known here."""

    received: tuple[str, ...]


class SignedOutage(In, frozen=True, kw_only=True):
    """What an issuer signed about an outage of his."""

    statement: Annotated[
        str, Meta(max_length=STATEMENT_BYTES_MAX, description="The exact text that was signed, a JSON object.")
    ]
    signature: Annotated[str, Meta(max_length=88, description="Ed25519, base64.")]


class OutageReceived(Out, frozen=True, kw_only=True):
    """It was taken. `kinds`: what was recorded; empty when it tells nothing new."""

    received: str
    kinds: tuple[str, ...]


class OutageShown(Out, frozen=True, kw_only=True):
    """One outage. `by`: issuer or operator; `ended_at` null: it lasts. `ratio`: percent of the usual failures."""

    issuer: str
    issuer_name: str
    outage_no: int
    began_at: Moment
    ended_at: Moment | None
    by: str
    ended_by: str
    ratio: int
    failures: int
    shops: int
    page_url: str
    page_sha256: str
    reason: str


class OutagesShown(Out, frozen=True, kw_only=True):
    """All outages, the latest beginning first."""

    outages: tuple[OutageShown, ...]


async def take_outage(house: House, call: Call) -> Reply:
    """Record what an issuer signed about an outage."""
    given: SignedOutage = call.given
    received, answer = await attesting.take_outage(house, given.statement, given.signature)
    require_done(answer)
    return reply(OutageReceived(received=received, kinds=answer.kinds))


async def list_outages(house: House, call: Call) -> Reply:
    """All outages of all issuers."""
    _ = call
    shown = [
        OutageShown(
            issuer=record.issuer_id,
            issuer_name=record.issuer.name,
            outage_no=one.outage_no,
            began_at=moment(one.began_at_ms),
            ended_at=moment_or_none(one.ended_at_ms),
            by=one.by,
            ended_by=one.ended_by,
            ratio=one.ratio,
            failures=one.failures,
            shops=one.shops,
            page_url=one.page_url,
            page_sha256=one.page_sha256,
            reason=one.reason,
        )
        for record, one in await outaging.every(house)
    ]
    return reply(OutagesShown(outages=tuple(shown)))


async def take_statements(house: House, call: Call) -> Reply:
    """Record what an issuer signed; the ids of his statements when that is durable."""
    given: Statements = call.given
    sent = [Sent(one.statement, one.signature, one.code, one.account) for one in given.attestations]
    return reply(Received(received=tuple(await attesting.take_statements(house, sent))))


ENDPOINTS: Final = (
    Endpoint(
        method="POST",
        path="/api/v1/issuer/attestations",
        tag="issuers",
        summary="Attest what became of your codes",
        description=(
            "For registered issuers. Each statement is signed on its own with the key registered with the operator; "
            "no other credential is needed. All of a request is taken or none. Sending the same statements again is "
            "harmless and has the same answer; an id that was used for another text is refused. A statement is taken "
            f"for {AGE_MAX_MS // DAY_MS} days after it was signed. The answer is the same whether or not a code is "
            "known here. Format, test vectors and a program: docs/issuers.md."
        ),
        handle=take_statements,
        body=Statements,
        answer=Received,
        bytes_max=BODY_BYTES_MAX,
        refusals=(
            "StatementIsUnreadable", "IssuerSignatureIsWrong", "IssuerMayNotAttest", "StatementIsOutOfTime",
            "StatementIdWasUsed",
        ),
        example=Example(
            request={
                "attestations": [
                    {
                        "statement": '{"at_ms":1760000000000,"code":"9f86…","happened_at_ms":1759999990000,"id":"…"}',
                        "signature": "1dD1…Cw==",
                        "code": "WyJzYWx0IiwiY29kZSIsIkFBQUEtMTExMSJd",
                        "account": "",
                    }
                ]
            },
            answer={"received": ["0b5f6a0e-8d0c-4b8e-9a57-2c6f0a3d1e55"]},
        ),
    ),
    Endpoint(
        method="POST",
        path="/api/v1/issuer/outages",
        tag="issuers",
        summary="Say that your codes cannot be activated, or can again",
        description=(
            "For registered issuers, signed like an attestation (type fairkey.outage.v1: began, ended, or none at that "
            "moment). While it lasts the deadlines of orders for your products stand still, at most 72 hours (FK-AF-1, "
            "row R12). Sending it again is harmless."
        ),
        handle=take_outage,
        body=SignedOutage,
        answer=OutageReceived,
        refusals=(
            "StatementIsUnreadable", "IssuerSignatureIsWrong", "StatementIsOutOfTime", "StatementIdWasUsed",
            "OutageWordIsNotTaken", "OutageOverlaps", "OutageIsNotRunning",
        ),
        example=Example(
            request={
                "statement": '{"at_ms":1760000000000,"happened_at_ms":1759999990000,"id":"…","says":"began"}',
                "signature": "1dD1…Cw==",
            },
            answer={"received": "0b5f6a0e-8d0c-4b8e-9a57-2c6f0a3d1e55", "kinds": ["issuer.outage_began"]},
        ),
    ),
    Endpoint(
        method="GET",
        path="/api/v1/outages",
        tag="issuers",
        summary="Outages of issuers",
        description="All of them, the latest beginning first, with who said so and what shows it.",
        handle=list_outages,
        answer=OutagesShown,
        example=Example(
            answer={
                "outages": [
                    {
                        "issuer": "0199aaaa-0000-7000-8000-000000000001",
                        "issuer_name": "晨光游戏",
                        "outage_no": 1,
                        "began_at": "2026-05-03T12:00:00.000Z",
                        "ended_at": None,
                        "by": "operator",
                        "ended_by": "",
                        "ratio": 640,
                        "failures": 12,
                        "shops": 3,
                        "page_url": "",
                        "page_sha256": "",
                        "reason": "Nobody can activate anything.",
                    }
                ]
            },
        ),
    ),
)  # fmt: skip
