"""The trusted time of one receipt: each of its tokens, checked over the text of the checkpoint it proves to."""

from typing import NamedTuple

from .checkpoints import Checkpoint
from .receipts import Receipt
from .timestamps import Stamp, TokenIsRefused, TsaRoots, check_token

TOKENS_MAX = 32


class TokenChecked(NamedTuple):
    """One token of a receipt: under which name it came (the house's word), what it says, or why it says nothing."""

    name: str
    stamp: Stamp | None
    refused: str


def check_tokens(receipt: Receipt, checkpoint: Checkpoint, roots: TsaRoots) -> list[TokenChecked]:
    """Check every token (32 at most) of a receipt whose proof to `checkpoint` has been checked.

    An entry of the receipt existed at the earliest `gen_time_ms` of those that hold. A token that fails takes nothing
    from the proof: it is a stranger's word less.
    """
    text = checkpoint.text()
    checked = []
    for name, token in receipt.tokens[:TOKENS_MAX]:
        try:
            checked.append(TokenChecked(name, check_token(token, text, roots), ""))
        except TokenIsRefused as refusal:
            checked.append(TokenChecked(name, None, str(refusal)))
    return checked
