"""A house that starts publishes the versions of the standard that it holds and that were not published yet."""

import logging

from fairkey.business.askers import Asker
from fairkey.business.basics import PLATFORM
from fairkey.business.standard.library import editions
from fairkey.business.standards import STANDARD_ID, PublishStandard
from fairkey.engine.house import House

logger = logging.getLogger(__name__)


async def publish_standard(house: House) -> None:
    """Each version once, whichever of several processes comes first. Other bytes under a published number are told as
    an error and change nothing: what was published stays, and nobody is advised by what is not it.
    """
    for edition in editions().values():
        standard = edition.standard
        answer = await house.ask(
            Asker.CLOCK,
            PublishStandard(
                shop_id=PLATFORM,
                standard_id=STANDARD_ID,
                name=standard.name,
                version=standard.version,
                sha256=standard.sha256,
            ),
        )
        if answer.refusal:
            logger.error("%s %s could not be published: %s", standard.name, standard.version, answer.refusal)
        elif answer.kinds:
            logger.info("published %s %s, sha256 %s", standard.name, standard.version, standard.sha256)
