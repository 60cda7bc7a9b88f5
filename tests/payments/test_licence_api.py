"""The adapter that asks an issuer's licence API, against a real server: meanings, retries, bounds, no leaks."""

import hashlib
import json
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from fairkey.adapters.issuers.licence_api import ANSWER_BYTES_MAX, TRIES, LicenceApiCheck
from fairkey.effects.issuer_check import IssuerDoesNotAnswerNow, LicenceApi
from licence_server import LicenceServer, licence_server

CODE = "AAAA-1111-0001"
TOKEN = "the-token"


@pytest.fixture
def server() -> Iterator[LicenceServer]:
    with licence_server() as server:
        yield server


@pytest.fixture
async def check() -> AsyncIterator[LicenceApiCheck]:
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    check = LicenceApiCheck(over_http=True, pause=pause)
    yield check
    assert len(pauses) < TRIES
    await check.aclose()


def api(server: LicenceServer, token: str = TOKEN) -> LicenceApi:
    return LicenceApi(url=server.url, token=token)


@pytest.mark.parametrize(
    ("code", "valid", "attributes", "says", "word"),
    [
        ("NO_MACHINE", False, {}, "unused", ""),
        ("NO_MACHINES", False, {}, "unused", ""),
        ("VALID", True, {"uses": 3}, "activated", ""),
        ("TOO_MANY_MACHINES", False, {}, "activated", ""),
        ("SUSPENDED", False, {}, "revoked", ""),
        ("BANNED", False, {}, "revoked", ""),
        ("VALID", True, {"uses": 0}, "unclear", "valid"),
        ("VALID", True, {}, "unclear", "valid"),
        ("VALID", False, {"uses": 3}, "unclear", "other"),
        ("SUSPENDED", True, {}, "unclear", "other"),
        ("EXPIRED", False, {}, "unclear", "expired"),
        ("NOT_FOUND", False, {}, "unclear", "unknown"),
        ("NOT_FOUND", True, {}, "unclear", "other"),
        ("SOMETHING_NEW", False, {}, "unclear", "other"),
        ("<script>", False, {}, "unclear", "other"),
        (CODE, False, {}, "unclear", "other"),
    ],
)
async def test_what_an_answer_means(
    server: LicenceServer,
    check: LicenceApiCheck,
    code: str,
    valid: bool,
    attributes: dict[str, int],
    says: str,
    word: str,
) -> None:
    server.says(code, valid=valid, **attributes)
    answer = await check.ask(api(server), CODE)
    assert (answer.says, answer.word) == (says, word)
    assert answer.response_sha256 == hashlib.sha256(server.answers[0][2]).hexdigest()
    assert answer.shown == ("" if code in (CODE, "<script>") else code)


async def test_what_is_asked(server: LicenceServer, check: LicenceApiCheck) -> None:
    server.says("NOT_FOUND")
    await check.ask(api(server), CODE)
    await check.ask(api(server, token=""), CODE)
    (path, headers, body), (_, without, _) = server.asked
    assert (path, body) == ("/v1/licenses/actions/validate-key", {"meta": {"key": CODE}})
    assert headers["authorization"] == "Bearer the-token"
    assert "authorization" not in without


async def test_a_bad_moment_is_tried_again(server: LicenceServer, check: LicenceApiCheck) -> None:
    server.says("NO_MACHINE")
    server.answers = [(503, {}, b""), (429, {}, b""), *server.answers]
    assert (await check.ask(api(server), CODE)).says == "unused"
    assert len(server.asked) == TRIES


async def test_for_long_it_is_not(server: LicenceServer, check: LicenceApiCheck) -> None:
    server.answers = [(500, {}, b"")]
    with pytest.raises(IssuerDoesNotAnswerNow, match="status 500"):
        await check.ask(api(server), CODE)
    assert len(server.asked) == TRIES


async def test_redirects_are_not_followed(server: LicenceServer, check: LicenceApiCheck) -> None:
    with licence_server() as other:
        other.says("VALID", valid=True, uses=1)
        for status in (301, 302, 307, 308):
            server.answers = [(status, {"location": other.url + "/actions/validate-key"}, b"")]
            with pytest.raises(IssuerDoesNotAnswerNow, match=f"status {status}"):
                await check.ask(api(server), CODE)
        assert other.asked == []


BAD = {
    "too large": json.dumps({"meta": {"valid": True, "code": "VALID"}, "x": "y" * ANSWER_BYTES_MAX}).encode(),
    "empty": b"",
    "no JSON": b"<html>",
    "deep": b"[" * 60_000,
    "a list": b"[]",
    "no meta": b"{}",
    "a word that is a number": b'{"meta":{"valid":true,"code":1}}',
    "no Unicode": b'{"meta":{"valid":true,"code":"\xff"}}',
    "uses that are a text": b'{"meta":{"valid":true,"code":"VALID"},"data":{"attributes":{"uses":"1"}}}',
}


@pytest.mark.parametrize("body", BAD.values(), ids=BAD)
async def test_answers_that_are_none(server: LicenceServer, check: LicenceApiCheck, body: bytes) -> None:
    server.answers = [(200, {}, body)]
    with pytest.raises(IssuerDoesNotAnswerNow) as raised:
        await check.ask(api(server), CODE)
    assert CODE not in str(raised.value)
    assert server.url not in str(raised.value)


@pytest.mark.parametrize("status", [201, 204, 400, 401, 403, 404, 422])
async def test_statuses_that_mean_no(server: LicenceServer, check: LicenceApiCheck, status: int) -> None:
    server.says("VALID", valid=True)
    server.answers = [(status, {}, b"" if status == 204 else server.answers[0][2])]
    with pytest.raises(IssuerDoesNotAnswerNow, match=str(status)):
        await check.ask(api(server), CODE)
    assert len(server.asked) == 1


async def test_one_that_never_answers(server: LicenceServer) -> None:
    server.hangs = True
    check = LicenceApiCheck(over_http=True, whole_s=0.2)
    with pytest.raises(IssuerDoesNotAnswerNow, match="too long"):
        await check.ask(api(server), CODE)
    short = LicenceApiCheck(over_http=True, timeout=httpx.Timeout(0.05), pause=_no_pause)
    with pytest.raises(IssuerDoesNotAnswerNow, match="ReadTimeout"):
        await short.ask(api(server), CODE)
    server.hang.set()
    await check.aclose()
    await short.aclose()


async def _no_pause(_: float) -> None:
    """Tests do not wait."""


async def test_nobody_there(check: LicenceApiCheck) -> None:
    with pytest.raises(IssuerDoesNotAnswerNow, match="ConnectError"):
        await check.ask(LicenceApi(url="http://127.0.0.1:9", token=""), CODE)


async def test_in_production_only_https() -> None:
    check = LicenceApiCheck()
    with pytest.raises(IssuerDoesNotAnswerNow, match="not https"):
        await check.ask(LicenceApi(url="http://127.0.0.1:9", token="t"), CODE)
    await check.aclose()
