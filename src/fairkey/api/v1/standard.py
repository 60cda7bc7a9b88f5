"""The standard by which complaints are judged: its versions, and the exact bytes of each."""

from typing import Final

from fairkey.api.calls import Call, Reply, reply
from fairkey.api.endpoints import Endpoint, Example
from fairkey.api.shapes import Hash, Moment, Out, moment_or_none
from fairkey.business.basics import PLATFORM, NotFound, Stream
from fairkey.business.standard.library import editions
from fairkey.business.standards import STANDARD_ID
from fairkey.engine.house import House

TAG: Final = "standard"


class StandardVersion(Out, frozen=True, kw_only=True):
    """One version. `in_force_from` null: this house has not published it. `log_index` null: not in the log yet."""

    name: str
    version: str
    sha256: Hash
    in_force_from: Moment | None
    log_index: int | None
    address: str


class StandardVersions(Out, frozen=True, kw_only=True):
    """All versions that this house holds, oldest first."""

    versions: tuple[StandardVersion, ...]


async def get_versions(house: House, _: Call) -> Reply:
    """The versions."""
    told = await house.questions.standards.published()
    published = {one.version: (number, one) for number, one in enumerate(told, 1)}
    places = {}
    if published:
        stream = Stream(PLATFORM, "standard", STANDARD_ID)
        places = {place.version: place.log_index for place in await house.log.places(stream)}
    versions = []
    for version, edition in editions().items():
        number, one = published.get(version, (0, None))
        is_this = one is not None and one.sha256 == edition.standard.sha256
        versions.append(
            StandardVersion(
                name=edition.standard.name,
                version=version,
                sha256=edition.standard.sha256,
                in_force_from=moment_or_none(one.in_force_from_ms) if one and is_this else None,
                log_index=places.get(number) if is_this else None,
                address=f"{house.settings.origin}/standard/{edition.file_name}",
            )
        )
    return reply(StandardVersions(versions=tuple(versions)))


async def get_version(_: House, call: Call) -> Reply:
    """The exact bytes of one version."""
    edition = editions().get(call.path["version"])
    if edition is None:
        raise NotFound(what="standard")
    headers = ((b"cache-control", b"public, max-age=31536000, immutable"),)
    return Reply(200, edition.data, b"application/json", headers)


ENDPOINTS: Final = (
    Endpoint(
        method="GET",
        path="/api/v1/standard",
        tag=TAG,
        summary="List the versions of the standard",
        description="An order is judged by the version that was in force when it was placed.",
        handle=get_versions,
        answer=StandardVersions,
        example=Example(
            answer={
                "versions": [
                    {
                        "name": "FK-AF-1",
                        "version": "1.0",
                        "sha256": "ab" * 32,
                        "in_force_from": "2026-05-03T03:09:37.000Z",
                        "log_index": 0,
                        "address": "https://keys.example/standard/FK-AF-1-1.0.json",
                    }
                ]
            }
        ),
    ),
    Endpoint(
        method="GET",
        path="/api/v1/standard/{version}",
        tag=TAG,
        summary="Get one version of the standard",
        description="The exact bytes whose SHA-256 was published; they never change.",
        handle=get_version,
        answer_text="The version as a file: rows, tests, facts and thresholds (docs/standard.md).",
        answer_type="application/json",
        refusals=("NotFound",),
    ),
)
