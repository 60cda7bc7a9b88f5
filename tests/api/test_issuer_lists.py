"""Lists that an issuer sold to a shop, signed and checked at deposit; and codes that an issuer is asked about."""

import json
from collections.abc import Iterator
from uuid import uuid4

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from api_world import World, terms
from fairkey.business.askers import Asker
from fairkey.business.basics import DAY_MS, PLATFORM
from fairkey.business.issuers import ChangeIssuerApi
from fairkey.engine import attesting
from fairkey.engine.attesting import LIST_AGE_MAX_MS, IssuerDoesNotAnswer, IssuerHasNoApi, IssuerMayNotAttest
from fairkey.proofs.attestations import write_list_statement
from issuers_world import AnIssuer, an_issuer, heard
from licence_server import LicenceServer, licence_server

PRODUCT = terms().product


@pytest.fixture
async def issuer(world: World) -> AnIssuer:
    return await an_issuer(world)


def attestation(issuer: AnIssuer, *, ago_ms: int = 0, key: Ed25519PrivateKey | None = None, **changes: object) -> str:
    told = {"product": PRODUCT, "count": 3, "shop_no": issuer.world.shop_no, "list_id": "PO-7", **changes}
    statement, signature = write_list_statement(
        key or issuer.key,
        issuer_id=issuer.issuer_id,
        said_at_ms=issuer.world.clock() - ago_ms,
        product=str(told["product"]),
        count=int(str(told["count"])),
        shop_no=int(str(told["shop_no"])),
        list_id=str(told["list_id"]),
    )
    return json.dumps({"statement": statement, "signature": signature})


async def put(
    world: World, signed: str, *, codes: int = 3, source: str = "issuer", batch_id: str = ""
) -> httpx.Response:
    run = uuid4().hex[:8].upper()
    path = httpx.URL(f"/api/v1/shop/batches/{batch_id or uuid4()}").copy_merge_params(
        {"listing_id": world.vault_id, "source": source, "attestation": signed}
    )
    lines = "".join(f"{run}-{number:04d}-ZZ\n" for number in range(codes)).encode()
    return await world.merchant("PUT", str(path), lines, content_type="text/plain")


def kind(answer: httpx.Response) -> str:
    return str(answer.json()["type"]).removeprefix("/problems/")


async def test_an_attested_list(world: World, issuer: AnIssuer) -> None:
    answer = await put(world, attestation(issuer))
    assert answer.status_code == 201, answer.text
    line = await world.opened.house.questions.shop_desk.batch(world.shop_id, answer.json()["batch_id"])
    assert line is not None
    assert (line.batch.attested_by, line.batch.attested_count, line.batch.source) == (issuer.issuer_id, 3, "issuer")
    kinds = await world.opened.pool.fetch(
        "SELECT kind, body FROM events WHERE stream_kind = 'batch' AND stream_id = $1 ORDER BY version",
        answer.json()["batch_id"],
    )
    assert [row["kind"] for row in kinds] == ["batch.registered", "batch.attested"]
    public = json.loads(kinds[1]["body"])["public"]
    assert (public["count"], public["key_no"], public["in_scope"], len(public["statement_sha256"])) == (3, 1, True, 64)


async def test_each_attestation_serves_one_batch(world: World, issuer: AnIssuer) -> None:
    signed = attestation(issuer)
    assert (await put(world, signed)).status_code == 201
    again = await put(world, signed)
    assert (again.status_code, kind(again)) == (409, "statement-id-was-used")
    free = await world.opened.pool.fetchval("SELECT count(*) FROM vault v WHERE NOT EXISTS "
                                            "(SELECT FROM codes c WHERE c.code_id = v.code_id)")  # fmt: skip
    assert free == 0


async def test_what_does_not_fit(world: World, issuer: AnIssuer) -> None:
    other = await an_issuer(world, "QQ")
    nobody = AnIssuer(world, str(uuid4()))
    for signed, status, problem in (
        (attestation(issuer, product="another"), 422, "attestation-does-not-fit"),
        (attestation(issuer, count=2), 422, "attestation-does-not-fit"),
        (attestation(issuer, shop_no=77_777), 422, "statement-is-unreadable"),
        (attestation(issuer, key=other.key), 401, "issuer-signature-is-wrong"),
        (attestation(nobody), 401, "issuer-signature-is-wrong"),
        (attestation(issuer, ago_ms=LIST_AGE_MAX_MS + 1), 422, "statement-is-out-of-time"),
        (attestation(issuer, ago_ms=-DAY_MS), 422, "statement-is-out-of-time"),
        (issuer.write(world.texts[0]).statement, 422, "statement-is-unreadable"),
        ("[" * 8_000, 422, "statement-is-unreadable"),
        ("{}", 422, "statement-is-unreadable"),
    ):
        answer = await put(world, signed)
        assert (answer.status_code, kind(answer)) == (status, problem), answer.text
    wrong_source = await put(world, attestation(issuer), source="invoice")
    assert kind(wrong_source) == "attestation-does-not-fit"


async def test_a_refused_deposit_leaves_nothing_and_may_be_repeated(world: World, issuer: AnIssuer) -> None:
    signed, batch_id = attestation(issuer), str(uuid4())
    few = await put(world, attestation(issuer, count=2), batch_id=batch_id)
    assert few.status_code == 422
    assert (await put(world, signed, batch_id=batch_id)).status_code == 201


async def test_a_suspended_issuer_attests_no_list(world: World, issuer: AnIssuer) -> None:
    signed = attestation(issuer)
    await issuer.suspend()
    assert kind(await put(world, signed)) == "attestation-does-not-fit"


# Asking.


@pytest.fixture
def server() -> Iterator[LicenceServer]:
    with licence_server() as server:
        yield server


async def connect(issuer: AnIssuer, url: str) -> None:
    command = ChangeIssuerApi(shop_id=PLATFORM, issuer_id=issuer.issuer_id, url=url, token="a-secret-token")
    assert not (await issuer.world.opened.house.ask(Asker.OPERATOR, command)).refusal


async def ask(issuer: AnIssuer, text: str) -> None:
    house = issuer.world.opened.house
    mark = house.keys.code_fingerprint(text)
    code = (await house.questions.issuers.named([mark]))[mark]
    await attesting.ask_issuer(
        house,
        shop_id=code.shop_id,
        listing_id=code.listing_id,
        code_ids=[code.code_id],
        issuer_id=issuer.issuer_id,
    )


async def test_what_a_licence_api_answers_is_on_record(world: World, issuer: AnIssuer, server: LicenceServer) -> None:
    await connect(issuer, server.url)
    text = world.texts[0]
    server.says("NO_MACHINE")
    await ask(issuer, text)
    server.says("VALID", valid=True, uses=1)
    await ask(issuer, text)
    server.says("NOT_FOUND")
    await ask(issuer, text)
    assert [(one.says, one.how, one.word, one.conflict) for one in await heard(world, text)] == [
        ("unused", "pulled", "", ""),
        ("activated", "pulled", "", ""),
        ("unclear", "pulled", "unknown", ""),
    ]
    assert {asked[2]["meta"]["key"] for asked in server.asked} == {text}
    assert {asked[1]["authorization"] for asked in server.asked} == {"Bearer a-secret-token"}


async def test_without_an_api_or_an_answer_nothing_is_recorded(
    world: World, issuer: AnIssuer, server: LicenceServer
) -> None:
    with pytest.raises(IssuerHasNoApi):
        await ask(issuer, world.texts[0])
    await connect(issuer, server.url)
    server.answers = [(401, {}, b"")]
    with pytest.raises(IssuerDoesNotAnswer):
        await ask(issuer, world.texts[0])
    await connect(issuer, "")
    with pytest.raises(IssuerHasNoApi):
        await ask(issuer, world.texts[0])
    await connect(issuer, server.url)
    await issuer.suspend()
    server.says("NO_MACHINE")
    server.asked.clear()
    with pytest.raises(IssuerMayNotAttest):
        await ask(issuer, world.texts[0])
    assert server.asked == []  # whose word is not taken gets no codes either
    assert await heard(world, world.texts[0]) == []


async def test_the_token_lies_nowhere_in_clear(world: World, issuer: AnIssuer) -> None:
    await connect(issuer, "https://issuer.example/secret-path")
    for table in ("events", "streams", "sealed_fields", "answers"):
        for row in await world.opened.pool.fetch(f"SELECT t::text AS text FROM {table} t"):
            for secret in ("a-secret-token", "secret-path"):
                assert secret not in row["text"]
                assert secret.encode().hex() not in row["text"]
