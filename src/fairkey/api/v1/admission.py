"""A shop's own application, and what anyone may read: measures against shops."""

import hashlib
from typing import Annotated, Final

from msgspec import Meta

from fairkey.api.calls import Call, Reply, TooLarge, pieces, reply, require_done
from fairkey.api.endpoints import Endpoint, Example
from fairkey.api.shapes import Hash, In, Moment, Out, moment, moment_or_none
from fairkey.business.admissions import FileApplication as File
from fairkey.business.askers import Asker
from fairkey.business.basics import FieldIsInvalid, NotFound
from fairkey.business.shop_terms import PRESENT, PRESENT_HASH
from fairkey.engine.admission_port import LICENCE_BYTES_MAX, type_of_image
from fairkey.engine.house import House

TAG: Final = "shop"


class Application(Out, frozen=True, kw_only=True):
    """The shop's application. Personal data that was sent is not repeated here."""

    stage: str
    round: int
    legal_form: str
    filed_at: Moment | None
    decided_at: Moment | None
    reason: str
    items: tuple[str, ...]
    checked_until: Moment | None
    name: str
    uscc: str
    terms_version: str
    terms_hash: Hash


class NewApplication(In, frozen=True, kw_only=True):
    """Who stands behind the shop. `licence`: the hash that the upload of the image answered."""

    legal_form: Annotated[str, Meta(max_length=20, description="person, sole_trader or company.")]
    uscc: Annotated[str, Meta(max_length=40)] = ""
    registered_name: Annotated[str, Meta(max_length=120)]
    contact_name: Annotated[str, Meta(max_length=60)]
    contact: Annotated[str, Meta(max_length=254)]
    address: Annotated[str, Meta(max_length=300)]
    sources: Annotated[str, Meta(max_length=4_000)]
    licence: Annotated[str, Meta(max_length=64, pattern="^([0-9a-f]{64})?$")] = ""
    terms_hash: Hash


class Licence(Out, frozen=True, kw_only=True):
    """The image that was kept."""

    sha256: Hash
    media_type: str


class NoteView(Out, frozen=True, kw_only=True):
    """Something added to a measure."""

    at: Moment
    text: str


class MeasureView(Out, frozen=True, kw_only=True):
    """One measure. `name` is of a registered trader, `pseudonym` stands for anybody."""

    shop_no: int
    name: str
    pseudonym: str
    number: int
    measure: str
    ground: str
    clause: str
    since: Moment
    until: Moment | None
    lifted_at: Moment | None
    appealed_at: Moment | None
    notes: tuple[NoteView, ...]
    log_index: int | None


class Measures(Out, frozen=True, kw_only=True):
    """Measures, newest first."""

    measures: tuple[MeasureView, ...]


async def get_application(house: House, call: Call) -> Reply:
    """Where it stands."""
    return await _application(house, call.shop_id)


async def file_application(house: House, call: Call) -> Reply:
    """Send it."""
    given: NewApplication = call.given
    if given.licence and await house.admissions.image(call.shop_id, given.licence) is None:
        raise FieldIsInvalid(field="licence", why="unknown")
    answer = await house.ask(
        Asker.MERCHANT,
        File(
            shop_id=call.shop_id,
            legal_form=given.legal_form,
            uscc=given.uscc,
            registered_name=given.registered_name,
            contact_name=given.contact_name,
            contact=given.contact,
            address=given.address,
            sources=given.sources,
            licence=given.licence,
            terms_hash=given.terms_hash,
        ),
        command_id=call.command_id(),
        body_hash=call.body_hash(house),
    )
    require_done(answer)
    return await _application(house, call.shop_id)


async def put_licence(house: House, call: Call) -> Reply:
    """Keep the image sealed."""
    content = bytearray()
    async for chunk in pieces(call.receive):
        content += chunk
        if len(content) > LICENCE_BYTES_MAX:
            raise TooLarge(bytes_max=LICENCE_BYTES_MAX)
    media_type = type_of_image(bytes(content))
    if not media_type:
        raise FieldIsInvalid(field="licence", why="not_an_image")
    sha256 = await house.admissions.keep_image(call.shop_id, media_type, bytes(content))
    return reply(Licence(sha256=sha256, media_type=media_type))


async def get_sanctions(house: House, _: Call) -> Reply:
    """All of them."""
    return reply(
        Measures(
            measures=tuple(
                MeasureView(
                    shop_no=line.shop_no,
                    name=line.shop_name,
                    pseudonym=line.pseudonym,
                    number=line.sanction.number,
                    measure=line.sanction.measure,
                    ground=line.sanction.reason_code,
                    clause=line.sanction.clause,
                    since=moment(line.sanction.since_ms),
                    until=moment_or_none(line.sanction.until_ms),
                    lifted_at=moment_or_none(line.sanction.lifted_at_ms),
                    appealed_at=moment_or_none(line.sanction.appealed_at_ms),
                    notes=tuple(NoteView(at=moment(note.at_ms), text=note.text) for note in line.sanction.notes),
                    log_index=line.log_index,
                )
                for line in await house.admissions.published()
            )
        )
    )


async def _application(house: House, shop_id: str) -> Reply:
    dossier = await house.admissions.dossier(shop_id)
    if dossier is None:
        raise NotFound(what="shop")
    admission = dossier.admission
    return reply(
        Application(
            stage=admission.stage.value,
            round=admission.round,
            legal_form=admission.legal_form or "",
            filed_at=moment_or_none(admission.filed_at_ms),
            decided_at=moment_or_none(admission.decided_at_ms),
            reason=admission.reason,
            items=admission.items,
            checked_until=moment_or_none(dossier.shop.checked_until_ms),
            name=admission.name,
            uscc=admission.code,
            terms_version=PRESENT.version,
            terms_hash=PRESENT_HASH,
        )
    )


ENDPOINTS: Final = (
    Endpoint(
        method="GET",
        path="/api/v1/shop/application",
        tag=TAG,
        summary="Read your application",
        handle=get_application,
        answer=Application,
        refusals=("NotFound",),
    ),
    Endpoint(
        method="POST",
        path="/api/v1/shop/application",
        tag=TAG,
        summary="Send or confirm your application",
        description="Say who stands behind the shop, for the first time or for the check that is due every six months.",
        handle=file_application,
        body=NewApplication,
        answer=Application,
        idempotency="optional",
        refusals=("NotFound", "ApplicationIsInAnotherStage", "TermsHaveChanged"),
        example=Example(
            request={
                "legal_form": "company",
                "uscc": "91350100M000100Y43",
                "registered_name": "晨星商贸有限公司",
                "contact_name": "陈星",
                "contact": "owner@example.com",
                "address": "福州市鼓楼区示例路1号",
                "sources": "与发行商的合同 2026-014",
                "licence": hashlib.sha256(b"").hexdigest(),
                "terms_hash": PRESENT_HASH,
            }
        ),
    ),
    Endpoint(
        method="PUT",
        path="/api/v1/shop/application/licence",
        tag=TAG,
        summary="Upload the image of your licence",
        description="PNG, JPEG or PDF, at most 4 MB. It is kept sealed; the answer's hash goes into the application.",
        handle=put_licence,
        streams=("image/png", "image/jpeg", "application/pdf"),
        bytes_max=LICENCE_BYTES_MAX,
        answer=Licence,
        refusals=("FieldIsInvalid",),
    ),
    Endpoint(
        method="GET",
        path="/api/v1/sanctions",
        tag="measures",
        summary="Read measures against shops",
        description="Published the moment they take effect; nothing is taken down.",
        handle=get_sanctions,
        answer=Measures,
    ),
)
