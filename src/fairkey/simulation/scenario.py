"""What a market is made of: one JSON file describes it, or the package's own scenario is played.

Shares are in basis points (10,000 = all), money in fen, spans in minutes.
"""

from enum import StrEnum
from typing import Annotated, Final

from msgspec import Meta, Struct, json

BP: Final = 10_000
Share = Annotated[int, Meta(ge=0, le=BP)]


class Strategy(StrEnum):
    """Whose profit is looked at."""

    HONEST = "honest"
    HONEST_CARELESS = "honest_careless"  # 2 % defects
    FAKE_STOCK = "fake_stock"
    USED_MIXER = "used_mixer"
    RESALE = "resale_after_reveal"
    EXIT_SCAM = "exit_scam"
    EXIT_SCAM_LATE = "exit_scam_late"
    REVIEW_FARM = "review_farm"
    SYBIL = "sybil_newcomers"
    FALSE_ATTESTER = "false_attestations"
    FRIENDLY = "friendly_fraud"
    FRIENDLY_GANG = "friendly_gang"
    GRIEFER = "griefing_competitor"
    RING = "arbitrator_ring"
    OUTAGE = "issuer_outage"


PREVALENCE_BP: Final = {
    Strategy.HONEST: 8_000,
    Strategy.HONEST_CARELESS: 1_000,
    Strategy.OUTAGE: 300,
    Strategy.FRIENDLY: 200,
    Strategy.FRIENDLY_GANG: 50,
    Strategy.GRIEFER: 50,
    Strategy.RING: 50,
}
"""How much of what is tried to be bought on a platform each market stands for; every other strategy is `RARE_BP`."""
RARE_BP: Final = 50

FRAUDS: Final = frozenset(Strategy) - {Strategy.HONEST, Strategy.HONEST_CARELESS, Strategy.OUTAGE}


class Scenario(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One description of a market; everything has a default."""

    orders: Annotated[int, Meta(ge=1, le=20_000)] = 120
    orders_a_day: Annotated[int, Meta(ge=1, le=10_000)] = 12
    price_fen: Annotated[int, Meta(ge=100, le=100_000)] = 2_000
    cost_fen: Annotated[int, Meta(ge=0, le=100_000)] = 1_700
    used_cost_fen: Annotated[int, Meta(ge=0, le=100_000)] = 100
    resale_fen: Annotated[int, Meta(ge=0, le=100_000)] = 1_400  # what a stolen code brings
    deposit_fen: Annotated[int, Meta(ge=0, le=10_000_000)] = 100_000
    attested_bp: Share = 9_000  # of disputed codes the issuer says what became of them
    attested_within_min: Annotated[int, Meta(ge=1, le=10_000)] = 5
    names_account_bp: Share = 9_000
    confirms_bp: Share = 3_000
    answers_bp: Share = 9_800  # of complaints honest shops answer in time, after two reminders
    complains_bp: Share = 9_500  # of buyers whose code does not work
    appeals_bp: Share = 6_000  # of those who lost and know that they are right
    cheats_appeal_bp: Share = 500  # an appeal costs its stake when it is lost
    records_bp: Share = 3_000  # of honest buyers make the guided recording
    doubts_bp: Share = BP  # of recordings against them cheating shops doubt: it costs nothing
    stages_bp: Share = 0  # of cheating buyers stage one, with a friend who redeems the code elsewhere meanwhile
    identity_fen: Annotated[int, Meta(ge=0, le=10_000_000)] = (
        5_000  # what a new admitted shop costs somebody who cheats
    )
    arbitrators: Annotated[int, Meta(ge=3, le=1_000)] = 60
    arbitrator_right_bp: Share = 9_900  # where issuer or recording show what happened
    burden_bp: Share = 9_500  # where nothing does, they find that who claims has not proven it
    ring_bp: Share = 1_500
    defects_bp: Share = 50
    careless_bp: Share = 200
    mixed_bp: Share = 3_000  # of a mixer's codes are used
    friendly_bp: Share = 500  # of buyers redeem and complain
    clean_orders: Annotated[int, Meta(ge=0, le=20_000)] = 40
    clean_orders_late: Annotated[int, Meta(ge=0, le=20_000)] = 90
    strategies: tuple[Strategy, ...] = tuple(Strategy)


def read_scenario(data: bytes) -> Scenario:
    """The scenario in a JSON file. Raises `msgspec.ValidationError`, `msgspec.DecodeError`."""
    return json.decode(data, type=Scenario)
