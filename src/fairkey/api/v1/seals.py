"""Hashes of sealed evidence in the public log: anybody's, about purchases anywhere."""

from typing import Annotated, Final

from msgspec import Meta

from fairkey.api.calls import Call, Reply, reply, require_done
from fairkey.api.endpoints import Endpoint, Example
from fairkey.api.shapes import Hash, In, Moment, Out, moment
from fairkey.engine.house import House
from fairkey.engine.sealed_lists import promise_of_seal, receipt_of_seal, seal_list, sealed_list

TAG: Final = "seals"
JSON: Final = b"application/json"
TEXT: Final = b"text/plain; charset=utf-8"


class SealWish(In, frozen=True, kw_only=True):
    """The SHA-256 of a list of what was sealed, as `fairkey case seal` makes it. Nothing else goes along."""

    sha256: Hash


class SealView(Out, frozen=True, kw_only=True):
    """A hash in the log."""

    sha256: Hash
    sealed_at: Moment
    log_index: Annotated[int | None, Meta(description="Place in the public log, from 0; null: none yet.")]
    is_published: Annotated[bool, Meta(description="Whether its receipt can be had.")]
    promise: Annotated[str, Meta(description="A signed note of the log: the hash will be in it within a day.")]


async def post_seal(house: House, call: Call) -> Reply:
    """Put a hash into the log."""
    wish: SealWish = call.given
    require_done(await seal_list(house, wish.sha256))
    return await _shown(house, wish.sha256, 201)


async def get_seal(house: House, call: Call) -> Reply:
    """What is known of a hash."""
    return await _shown(house, call.path["sha256"], 200)


async def get_seal_promise(house: House, call: Call) -> Reply:
    """The log's promise."""
    return Reply(200, await promise_of_seal(house, call.path["sha256"]), TEXT)


async def get_seal_receipt(house: House, call: Call) -> Reply:
    """The receipt."""
    return Reply(200, await receipt_of_seal(house, call.path["sha256"]), JSON)


async def _shown(house: House, sha256: str, status: int) -> Reply:
    found = await sealed_list(house, sha256)
    promise = await promise_of_seal(house, sha256)
    view = SealView(
        sha256=found.sha256,
        sealed_at=moment(found.place.at_ms),
        log_index=found.place.log_index,
        is_published=found.place.is_witnessed,
        promise=promise.decode(),
    )
    return reply(view, status)


_SHA256: Final = "3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855e"

ENDPOINTS: Final = (
    Endpoint(
        method="POST",
        path="/api/v1/seals",
        tag=TAG,
        summary="Put the hash of sealed evidence into the public log",
        description=(
            "Proves later, to anybody and offline, that bytes with this SHA-256 existed by now. Nothing else is sent "
            "or kept. Sending a hash again changes nothing and has the same answer. Few are taken from one network."
        ),
        handle=post_seal,
        body=SealWish,
        answer=SealView,
        status=201,
        refusals=("SealIsTaken",),
        example=Example(request={"sha256": _SHA256}),
    ),
    Endpoint(
        method="GET",
        path="/api/v1/seals/{sha256}",
        tag=TAG,
        summary="See where a hash is in the log",
        handle=get_seal,
        answer=SealView,
        refusals=("NotFound",),
    ),
    Endpoint(
        method="GET",
        path="/api/v1/seals/{sha256}/receipt",
        tag=TAG,
        summary="Get the receipt of a hash",
        description=(
            "Proves to anybody, offline, that the hash is in the public log. There once the published checkpoint "
            "covers it, about a second after it was sent; until then the answer is 409 with `Retry-After`."
        ),
        handle=get_seal_receipt,
        answer_text="A `.fairkey-receipt`: its bytes as they are.",
        answer_type="application/json",
        refusals=("ReceiptIsNotReady", "NotFound"),
    ),
    Endpoint(
        method="GET",
        path="/api/v1/seals/{sha256}/promise",
        tag=TAG,
        summary="Get the promise about a hash",
        description="Signed by the log's key, there at once: the hash will be in the public log within a day.",
        handle=get_seal_promise,
        answer_text="A `.fairkey-promise`: a signed note.",
        refusals=("NotFound",),
    ),
)
