"""Where payment providers tell us what happened to money. Nothing is believed before its signature was checked."""

from typing import Final

from fairkey.api.calls import TEXT, Call, Reply
from fairkey.api.endpoints import Endpoint
from fairkey.business.basics import Refusal
from fairkey.engine import trade
from fairkey.engine.house import House

NOTICE_MAX_BYTES: Final = 16 * 1024
_SUCCESS: Final = Reply(200, b"success", TEXT)


class ProviderIsUnknown(Refusal):
    """No such payment provider is used here."""


async def take_notice(house: House, call: Call) -> Reply:
    """Record what a provider reports; `success` only when that is durable."""
    name = call.path["provider"]
    if name not in house.providers:
        raise ProviderIsUnknown
    headers = {key.decode("latin-1"): value.decode("latin-1") for key, value in call.headers.items()}
    await trade.take_notice(house, name, headers, call.body)
    return _SUCCESS


CALLBACK: Final = Endpoint(
    method="POST",
    path="/callbacks/{provider}",
    tag="callbacks",
    summary="Take a payment provider's notification",
    description=(
        "Signed by the provider in its own way. `success` means: recorded for good. Anything else means: tell us "
        "again. Repeats, late and disordered notifications are harmless."
    ),
    handle=take_notice,
    bytes_max=NOTICE_MAX_BYTES,
    answer_text="`success`",
    refusals=("NotificationIsForged", "NotificationIsUnreadable", "ProviderIsUnknown"),
)
