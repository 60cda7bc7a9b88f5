"""What issuers said of the codes of an order, in words: for the operator and for both parties of a complaint."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from fairkey.engine.house import House
from fairkey.read_tables.issuer_book import AttestationLine
from fairkey.web.i18n import marked as _

SHOWN_MAX: Final = 200
CONFLICTS: Final[Mapping[str, str]] = {
    "used_before_unused": _("contradicts: by this it was activated before a moment at which it was said to be unused"),
    "other_account": _("contradicts: it was activated for another account before"),
    "other_moment": _("contradicts: it was said to be activated at another moment before"),
    "revoked_after_use": _("the issuer took it back after it had been activated"),
    "used_after_revoked": _("contradicts: it was activated after it had been taken back"),
}
UNCLEAR: Final[Mapping[str, str]] = {
    "unknown": _("the issuer does not know this code"),
    "expired": _("the issuer calls it expired"),
    "valid": _("the issuer calls it valid, which does not say that it is unused"),
    "other": _("the answer says neither activated nor unused nor revoked"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class HeardLine:
    """One attestation of the order's code number `code_no`; `word` and `conflict` are message ids or empty."""

    code_no: int
    line: AttestationLine
    word: str
    conflict: str


async def heard_of(
    house: House, shop_id: str, code_ids: Sequence[str], *, with_sealed: bool = False
) -> list[HeardLine]:
    """Everything that issuers said of these codes, in order; `with_sealed` opens accounts and reasons."""
    if not code_ids:
        return []
    number_of = {code_id: number for number, code_id in enumerate(code_ids, 1)}
    lines = await house.questions.issuers.attestations(shop_id, code_ids, with_sealed=with_sealed)
    return [
        HeardLine(
            code_no=number_of[line.code_id],
            line=line,
            word=UNCLEAR.get(line.word, ""),
            conflict=CONFLICTS.get(line.conflict, ""),
        )
        for line in lines[-SHOWN_MAX:]
    ]
