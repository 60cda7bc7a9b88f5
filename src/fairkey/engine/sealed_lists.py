"""The hash of a list of sealed evidence goes into the public log, and its promise and receipt come back."""

from typing import NamedTuple

from fairkey.business.askers import Asker
from fairkey.business.basics import FieldIsInvalid, NotFound
from fairkey.business.seals import SealEvidence, seal_id_of, stream_of

from .answers import Answer
from .house import House
from .log_port import Place
from .receipts import ReceiptIsNotReady

FIRST = 1  # a seal's history has one fact


class SealedList(NamedTuple):
    """A hash that is told of: where its fact is in the log."""

    sha256: str
    place: Place


async def seal_list(house: House, sha256: str) -> Answer:
    """Tell of this hash, once; telling again changes nothing and has the same answer. Raises `FieldIsInvalid`, and as
    `House.ask`.
    """
    stream = stream_of(sha256)
    command = SealEvidence(shop_id=stream.shop_id, seal_id=seal_id_of(sha256), sha256=sha256)
    return await house.ask(Asker.BUYER, command)


async def sealed_list(house: House, sha256: str) -> SealedList:
    """What is known of a hash. Raises `NotFound`, `StoreIsAway`."""
    try:
        stream = stream_of(sha256)
    except FieldIsInvalid:
        raise NotFound(what="seal") from None
    place = next(iter(await house.log.places(stream)), None)
    if place is None:
        raise NotFound(what="seal")
    return SealedList(sha256, place)


async def promise_of_seal(house: House, sha256: str) -> bytes:
    """The signed promise that the hash will be in the log. Raises `NotFound`, `StoreIsAway`."""
    await sealed_list(house, sha256)
    data = await house.log.promise(stream_of(sha256), FIRST)
    if data is None:
        raise NotFound(what="seal")
    return data


async def receipt_of_seal(house: House, sha256: str) -> bytes:
    """The receipt. Raises `NotFound`, `ReceiptIsNotReady`, `StoreIsAway`."""
    await sealed_list(house, sha256)
    data = await house.log.receipt(stream_of(sha256), FIRST)
    if data is None:
        raise ReceiptIsNotReady(wait_s=1)
    return data
