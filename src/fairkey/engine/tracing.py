"""The life of one code, told to whoever holds it: what happened when, with proofs, and never to whom it was sold."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from fairkey.business.basics import NotFound, Refusal, Stream
from fairkey.business.quarantines import places_in
from fairkey.proofs.code_proofs import CODE_PROOF_SUFFIX, CodeProof
from fairkey.proofs.merkle import inclusion_proof, leaf_hash, merkle_root
from fairkey.proofs.receipts import PROMISE_SUFFIX, RECEIPT_SUFFIX, Receipt, read_receipt

from .house import House
from .log_port import Place
from .receipts import zipped
from .trace_port import CodeFact, TracedCode

CODE_CHARS_MAX: Final = 2_000
FOLDER: Final = "code-life"

WHATS: Final[Mapping[str, str]] = {
    "batch.registered": "registered",
    "batch.attested": "vouched",
    "batch.codes_withdrawn": "withdrawn",
    "batch.held_withdrawn": "withdrawn",
    "batch.codes_held": "held",
    "batch.codes_let_back": "let_back",
    "batch.codes_exported": "exported",
    "code.reserved": "reserved",
    "code.released": "released",
    "code.delivered": "delivered",
    "code.revealed": "revealed",
    "dispute.opened": "reported",
    "dispute.final": "settled",
    "attest.activated": "activated",
    "attest.unused": "unused",
    "attest.revoked": "revoked",
    "attest.unclear": "unclear",
}
"""What a fact says of the life of a code; facts that are not named here say nothing of it."""

READ_ME: Final = f"""\
fairkey

{CODE_PROOF_SUFFIX}: your code, in clear, with the proof that it is the one that was registered. Show it only to
whom you would show the code.
{RECEIPT_SUFFIX}: one fact of the code's life, with the proof that it is in the public log.
{PROMISE_SUFFIX}: signed by the log's key: the fact will be in the log within a day. Trace the code again later.
life.json: the same life, for programs; it proves nothing by itself.

Verify with fairkey verify --policy POLICY FILE. Take the policy (the keys of the log and of its witnesses) from
somewhere you trust, not from whoever gave you the file.

{CODE_PROOF_SUFFIX} 文件：您的卡密原文，以及它就是当初登记的那张卡密的证明。请像对待卡密本身一样保管。
{RECEIPT_SUFFIX} 文件：这张卡密经历中的一条事实，附有其已写入公开日志的证明。
{PROMISE_SUFFIX} 文件：日志密钥签名的承诺，该事实将在一天内写入日志。请稍后再查询。
life.json：供程序读取的同一份经历，本身不构成证明。

验证方法：fairkey verify --policy 策略文件 文件名。策略文件请从您信任的渠道获取，不要从给您文件的人那里获取。
"""


class CodeIsNotKnown(Refusal):
    """No registered code has this text, or it is too short to be looked for: deliberately the same answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One station of a code's life. `log_index` None: not in the log (yet); `stream` None: recorded beside the log."""

    what: str
    at_ms: int
    stream: Stream | None = None
    version: int = 0
    kind: str = ""
    log_index: int | None = None
    is_published: bool = False
    says: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeLife:
    """What a holder learns. `order_id` is for the code's own shop only: no edge shows it to anybody else."""

    shop_id: str
    shop_no: int
    shop_name: str
    listing_id: str
    product: str
    revision: int
    code_id: str
    stage: str
    source: str
    count: int
    root: str
    place: int | None
    is_erased: bool
    order_id: str | None
    steps: tuple[Step, ...]


async def life_of(house: House, text: str) -> CodeLife:
    """The life of the code with this text. Raises `CodeIsNotKnown`."""
    return await _life(house, await _found(house, text))


async def life_file(house: House, text: str) -> bytes:
    """Everything provable about the code, as a zip. Raises `CodeIsNotKnown`, `StoreIsAway`."""
    code = await _found(house, text)
    life = await _life(house, code)
    files = {"README.txt": READ_ME.encode(), "life.json": life_json(life)}
    registered: Receipt | None = None
    for number, step in enumerate(life.steps, 1):
        if step.stream is None:
            continue
        name = f"{number:03d}-{step.kind}"
        receipt = await house.log.receipt(step.stream, step.version) if step.is_published else None
        if receipt is None:
            promise = await house.log.promise(step.stream, step.version)
            if promise is not None:
                files[f"{name}{PROMISE_SUFFIX}"] = promise
            continue
        # Without the entries before it: those of an order tell of things that are not the code's life.
        alone = read_receipt(receipt)._replace(chain=())
        files[f"{name}{RECEIPT_SUFFIX}"] = alone.encode()
        if step.what == "registered" or (step.what == "delivered" and code.batch_id is None):
            registered = alone
    if registered is not None and code.disclosure:
        files[f"code{CODE_PROOF_SUFFIX}"] = (await _proof(house, code, registered)).encode()
    return await asyncio.to_thread(zipped, files, FOLDER)


def life_json(life: CodeLife) -> bytes:
    """The life for programs; without the order that holds the code."""
    told = {
        "shop_no": life.shop_no,
        "listing_id": life.listing_id,
        "revision": life.revision,
        "code_id": life.code_id,
        "stage": life.stage,
        "source": life.source,
        "place": life.place,
        "count": life.count,
        "root": life.root,
        "steps": [
            {"what": step.what, "at_ms": step.at_ms, "log_index": step.log_index, **step.says} for step in life.steps
        ],
    }
    return msgspec.json.format(msgspec.json.encode(told), indent=1) + b"\n"


async def batch_proof(house: House, shop_id: str, batch_id: str) -> bytes | None:
    """Everything committed to in a batch, for its shop; None when there is no such batch. No text is in it."""
    leaves = await house.traces.committed(shop_id, batch_id)
    if not leaves:
        return None
    receipt = await house.log.receipt(Stream(shop_id, "batch", batch_id), 1)
    told = {
        "fairkey_batch": 1,
        "batch_id": batch_id,
        "count": len(leaves),
        "root": await asyncio.to_thread(lambda: merkle_root(leaf_hash(one.commitment) for one in leaves).hex()),
        "codes": [[one.code_id, one.commitment.hex()] for one in leaves],
        "registered": msgspec.Raw(receipt) if receipt else None,
    }
    return await asyncio.to_thread(msgspec.json.encode, told)


async def _found(house: House, text: str) -> TracedCode:
    code = await house.traces.find(text[:CODE_CHARS_MAX])
    if code is None:
        raise CodeIsNotKnown
    return code


async def _life(house: House, code: TracedCode) -> CodeLife:
    telling = [fact for fact in code.facts if _is_about(fact, code)]
    places: dict[Stream, Mapping[int, Place]] = {}
    for stream in dict.fromkeys(fact.stream for fact in telling):
        places[stream] = {place.version: place for place in await house.log.places(stream)}
    steps = [_step(fact, places[fact.stream].get(fact.version)) for fact in telling]
    if code.deposited_at_ms is not None:
        steps.insert(0, Step(what="deposited", at_ms=code.deposited_at_ms, says={}))
    registered = next((fact.public for fact in telling if fact.kind == "batch.registered"), None)
    shop = await house.questions.storefront.shop(code.shop_id)
    front = await house.questions.storefront.listing(code.shop_id, code.listing_id)
    if shop is None or front is None:
        raise NotFound(what="listing")
    revision = code.revision or front.newest.revision
    return CodeLife(
        shop_id=code.shop_id,
        shop_no=shop.shop_no,
        shop_name=shop.name,
        listing_id=code.listing_id,
        product=front.newest.terms.product,
        revision=revision,
        code_id=code.code_id,
        stage=code.stage,
        source=str(registered["source"]) if registered else "typed",
        count=_number(registered, "count"),
        root=str(registered["root"]) if registered else "",
        place=code.place,
        is_erased=not code.disclosure,
        order_id=code.order_id,
        steps=tuple(steps),
    )


def _is_about(fact: CodeFact, code: TracedCode) -> bool:
    """Whether a fact of the code's batch, order or own stream says something of this code."""
    if fact.kind not in WHATS:
        return False
    if "places" in fact.public:
        return code.place is not None and code.place in places_in(str(fact.public["places"]))
    codes = fact.public.get("codes")
    return code.code_id in codes if isinstance(codes, list) else True


def _step(fact: CodeFact, place: Place | None) -> Step:
    return Step(
        what=WHATS[fact.kind],
        at_ms=fact.at_ms,
        stream=fact.stream,
        version=fact.version,
        kind=fact.kind,
        log_index=place.log_index if place else None,
        is_published=place.is_witnessed if place else False,
        says={name: fact.public[name] for name in SAID.get(fact.kind, ()) if name in fact.public},
    )


_OF_ISSUERS: Final = ("issuer_id", "how", "conflict", "in_scope", "happened_at_ms", "word")
SAID: Final[Mapping[str, Sequence[str]]] = {
    "batch.registered": ("source", "count", "root", "invoice_sha256"),
    "batch.attested": ("issuer_id", "count", "in_scope"),
    "batch.codes_let_back": ("by",),
    "dispute.opened": ("reason",),
    "dispute.final": ("outcome",),
    **{kind: _OF_ISSUERS for kind in WHATS if kind.startswith("attest.")},
}
"""The public fields of a fact that a holder is shown. No amounts, no buyer, no order."""


async def _proof(house: House, code: TracedCode, registered: Receipt) -> CodeProof:
    """The proof, checked before it is handed out."""
    proof = CodeProof(code.disclosure, registered)
    if code.batch_id is not None and code.place is not None:
        leaves = await house.traces.committed(code.shop_id, code.batch_id)
        path = await asyncio.to_thread(
            lambda: inclusion_proof((leaf_hash(one.commitment) for one in leaves), code.place or 0)
        )
        proof = proof._replace(place=code.place, path=tuple(path))
    proof.check()
    return proof


def _number(public: Mapping[str, object] | None, name: str) -> int:
    value = public.get(name) if public else None
    return value if isinstance(value, int) else 1

