"""The sealed lists of kept cases in the house's own log: hashes as soon as they are closed, receipts into packs."""

import logging
from typing import Final, NamedTuple

from fairkey.business.basics import NotFound, Refusal
from fairkey.casework.folder import CaseFolder
from fairkey.casework.receipts import keep_receipts, lists_without
from fairkey.engine.answers import Conflict, StoreIsAway
from fairkey.engine.batching import Stopping
from fairkey.engine.house import House
from fairkey.engine.receipts import ReceiptIsNotReady
from fairkey.engine.sealed_lists import receipt_of_seal, seal_list, sealed_list
from fairkey.proofs.policies import read_policy

LOG_NAME: Final = "here"

logger = logging.getLogger(__name__)


class ListEntry(NamedTuple):
    """A sealed list on the page: its number from 1, its hash, its entry (None: none that witnesses have seen yet)."""

    no: int
    sha256: str
    number: int | None


async def tell_lists(house: House, owner: str, case_id: str) -> None:
    """Put what the log was not told of yet into it. A log that is away is told when a pack is made: nothing is lost."""
    for sha256 in (await _without(house, owner, case_id)).values():
        await _told(house, sha256)


async def fetch_receipts(house: House, owner: str, case_id: str) -> None:
    """Keep the receipts that can be had by now beside their lists, so that they go along in a pack."""
    found: dict[int, bytes] = {}
    for no, sha256 in (await _without(house, owner, case_id)).items():
        if not await _told(house, sha256):
            continue
        try:
            found[no] = await receipt_of_seal(house, sha256)
        except (ReceiptIsNotReady, NotFound, StoreIsAway) as error:
            logger.info("a list of a kept case has no receipt yet: %s", type(error).__name__)
    if not found:
        return
    policy = read_policy((await house.log.status()).policy.encode())
    at_ms = house.now_ms()
    await house.cases.change(
        owner, case_id, lambda folder: keep_receipts(folder, LOG_NAME, found, policy, at_ms=at_ms)
    )


async def entries_of(house: House, hashes: list[str]) -> list[ListEntry]:
    """Where lists are in the log by now."""
    found = []
    for no, sha256 in enumerate(hashes, 1):
        try:
            place = (await sealed_list(house, sha256)).place
            number = place.log_index if place.is_witnessed else None
        except (NotFound, StoreIsAway):
            number = None
        found.append(ListEntry(no, sha256, number))
    return found


async def _without(house: House, owner: str, case_id: str) -> dict[int, str]:
    def look(folder: CaseFolder) -> dict[int, str]:
        return lists_without(folder, LOG_NAME)

    return await house.cases.look(owner, case_id, look)


async def _told(house: House, sha256: str) -> bool:
    try:
        answer = await seal_list(house, sha256)
    except (Refusal, StoreIsAway, Conflict, Stopping) as error:
        logger.warning("a list of a kept case is not in the log yet: %s", type(error).__name__)
        return False
    return not answer.refusal
