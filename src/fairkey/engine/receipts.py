"""Receipts as the parties of an order get them: who may read which sealed field, one file a fact, all as a zip."""

import asyncio
import io
import zipfile
from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from fairkey.business.basics import NotFound, Refusal, Stream
from fairkey.business.dispute_events import ComplaintRuled
from fairkey.business.panels import LEVELS, panel_id_of
from fairkey.business.standard.library import editions
from fairkey.engine.house import House
from fairkey.engine.paneling import panel_file
from fairkey.proofs.panel_files import PANEL_SUFFIX
from fairkey.proofs.receipts import PROMISE_SUFFIX, RECEIPT_SUFFIX

_TEXT: Final = frozenset({"text"})
_REASON: Final = frozenset({"reason"})
_QUARREL: Final = {
    "dispute.opened": _TEXT,
    "dispute.evidence_added": frozenset({"name", "note"}),
    "dispute.evidence_doubted": _TEXT,
    "dispute.answered": _TEXT,
    "dispute.final": _TEXT,
    "dispute.weighed": frozenset({"departs"}),
    "dispute.offered": _TEXT,
    "dispute.asked": _TEXT,
    "dispute.replied": _TEXT,
    "dispute.resend_refused": _TEXT,
    "dispute.reopened": _TEXT,
    "dispute.ruled": frozenset({"verdict"}),
    "dispute.appealed": _TEXT,
    "dispute.review_asked": _TEXT,
    "dispute.reviewed": _TEXT,
    "review.posted": _TEXT,
    "review.amended": _TEXT,
    "review.objected": _TEXT,
    "review.marked": _TEXT,
    "review.text_hidden": _REASON,
}
VERSION_DIGITS_MAX: Final = 9
ZIP_YEAR: Final = (1980, 1, 1, 0, 0, 0)  # the same receipts give the same file


class ReceiptIsNotReady(Refusal):
    """The fact is recorded, and no published checkpoint covers it yet. Details: wait_s."""


class Party(StrEnum):
    """For whom a receipt is."""

    BUYER = "buyer"
    SHOP = "shop"
    PLATFORM = "platform"


_SAID: Final[Mapping[str, frozenset[str]]] = {"message.sent": frozenset({"text"})}

DISCLOSED: Final[Mapping[Party, Mapping[str, frozenset[str]]]] = {
    Party.BUYER: {
        **_QUARREL,
        **_SAID,
        "order.placed": frozenset({"contact", "account_id"}),
        "code.revealed": frozenset({"account_name", "account_region"}),
        "payment.refund_failed": _REASON,
    },
    Party.SHOP: {**_QUARREL, **_SAID, "payment.release_failed": _REASON},
    Party.PLATFORM: {
        **_QUARREL,
        "code.revealed": frozenset({"account_name", "account_region"}),
        "payment.refund_failed": _REASON,
        "payment.release_failed": _REASON,
    },
}
"""Which sealed fields a party's receipts open, by kind of fact. What is not named here stays sealed for everybody."""

READ_ME: Final = f"""\
fairkey

{RECEIPT_SUFFIX}: a fact of this order, with the proof that it is in the public log.
{PROMISE_SUFFIX}: signed by the log's key: the fact will be in the log within a day. Fetch the receipt later.

Verify a receipt with: fairkey verify --policy POLICY FILE, or on the page /verify, which works without a network.
Take the policy (the keys of the log and of its witnesses) from somewhere you trust, not from whoever gave you the file.
Receipts of this folder open what only you may read. Whoever gets them from you can read it too.

{RECEIPT_SUFFIX} 文件：本订单的一条事实，附有其已写入公开日志的证明。
{PROMISE_SUFFIX} 文件：日志密钥签名的承诺，该事实将在一天内写入日志。请稍后下载回执。

验证方法：fairkey verify --policy 策略文件 回执文件，或打开 /verify 页面（可离线使用）。
策略文件（日志和见证人的公钥）请从您信任的渠道获取，不要从给您文件的人那里获取。
回执中包含只有您可以看到的内容，交给谁，谁就能看到。
"""


async def receipt_of(house: House, stream: Stream, version_text: str, party: Party) -> bytes:
    """The receipt of one fact, opened as far as `party` may see. Raises `NotFound`, `ReceiptIsNotReady`,
    `StoreIsAway`.
    """
    version, kind = await _fact(house, stream, version_text)
    data = await house.log.receipt(stream, version, disclose=DISCLOSED[party].get(kind, frozenset()))
    if data is None:
        raise ReceiptIsNotReady(wait_s=1)
    return data


async def promise_of(house: House, stream: Stream, version_text: str) -> bytes:
    """The signed promise about one fact. Raises `NotFound`."""
    version, _ = await _fact(house, stream, version_text)
    data = await house.log.promise(stream, version)
    if data is None:
        raise NotFound(what="fact")
    return data


async def case_file(house: House, stream: Stream, party: Party, name: str) -> bytes:
    """All receipts with the versions of the standard that ruled (before a ruling: every version) and the files of
    panels beside them: what `fairkey verdict verify` makes rulings from.
    """
    facts = await house.questions.order_book.facts(stream.shop_id, stream.id)
    ruled = {fact.public.get("sha256") for fact in facts if fact.kind == ComplaintRuled.kind}
    beside = {
        f"standard/{one.file_name}": one.data
        for one in editions().values()
        if one.standard.sha256 in ruled or not ruled  # before a ruling, what may rule
    }
    for level in LEVELS:
        panel_id = panel_id_of(stream.id, level)
        panel = await panel_file(house, panel_id)
        if panel is not None:
            beside[f"panels/{panel_id}{PANEL_SUFFIX}"] = panel
    return await all_receipts(house, stream, party, name, beside)


async def all_receipts(
    house: House, stream: Stream, party: Party, name: str, beside: Mapping[str, bytes] | None = None
) -> bytes:
    """A zip: for each fact its receipt, or its promise while it has none. `name` is the folder in it."""
    files: dict[str, bytes] = {"README.txt": READ_ME.encode(), **(beside or {})}
    for place in await house.log.places(stream):
        disclose = DISCLOSED[party].get(place.kind, frozenset())
        receipt = await house.log.receipt(stream, place.version, disclose=disclose) if place.is_witnessed else None
        if receipt is not None:
            files[f"{place.version:03d}-{place.kind}{RECEIPT_SUFFIX}"] = receipt
            continue
        promise = await house.log.promise(stream, place.version)
        if promise is not None:
            files[f"{place.version:03d}-{place.kind}{PROMISE_SUFFIX}"] = promise
    return await asyncio.to_thread(zipped, files, name)


async def _fact(house: House, stream: Stream, version_text: str) -> tuple[int, str]:
    """Version and kind of a fact named in an address. Raises `NotFound`."""
    is_number = version_text.isascii() and version_text.isdigit() and len(version_text) <= VERSION_DIGITS_MAX
    version = int(version_text) if is_number else 0
    place = next((one for one in await house.log.places(stream) if one.version == version), None)
    if place is None:
        raise NotFound(what="fact")
    return version, place.kind


def zipped(files: Mapping[str, bytes], name: str) -> bytes:
    """These files as a zip with one folder, `name`; the same files give the same bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in files.items():
            archive.writestr(zipfile.ZipInfo(f"{name}/{path}", ZIP_YEAR), data, zipfile.ZIP_DEFLATED)
    return out.getvalue()
