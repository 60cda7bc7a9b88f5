"""What issuers tell us: what became of their codes, each statement signed on its own."""

from typing import Annotated, Final

from msgspec import Meta

from fairkey.api.calls import Call, Reply, reply
from fairkey.api.endpoints import Endpoint, Example
from fairkey.api.shapes import In, Out
from fairkey.engine import attesting
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
)  # fmt: skip
