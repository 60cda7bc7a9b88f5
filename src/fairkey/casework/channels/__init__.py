"""Where a complaint may go: one module for each channel, with its form, its limits and what happens next."""

from collections.abc import Mapping
from typing import Final

from . import b2b, consumer_association, heimao, platform, police, regulator, s12315, small_claims
from .channel import Channel

CHANNELS: Final[Mapping[str, Channel]] = {
    one.CHANNEL.name: one.CHANNEL
    for one in (platform, heimao, s12315, consumer_association, regulator, police, b2b, small_claims)
}
