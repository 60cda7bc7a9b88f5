"""The file of a panel: what anybody needs to draw it again and count its votes, without a server.

One JSON object: every entry of the panel's stream (base64, in order) and a tlog-proof of the entry that published the
pool, under the first witnessed checkpoint that covers it. Keys come from the reader's policy, never from the file.
"""

from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, Final, NamedTuple

import msgspec

from fairkey.business.panel_events import PanelStage
from fairkey.business.panels import commitment_of, count

from .checkpoints import read_checkpoint
from .draws import PoolIsMalformed, draw, pool_hash, read_pool
from .merkle import InclusionIsNotProven, leaf_hash
from .notes import NoteIsMalformed, NoteIsNotSigned, read_note
from .policies import Policy, QuorumIsNotMet
from .receipts import LeafFacts, ReceiptIsMalformed, read_leaf
from .tlog_proofs import ProofIsMalformed, TlogProof, read_tlog_proof

DECIDED: Final = "panel.decided"
OPENED: Final = "panel.evidence_opened"
PANEL_SUFFIX: Final = ".fairkey-panel"
PANEL_BYTES_MAX: Final = 16 * 1024 * 1024
ENTRIES_MAX: Final = 1_000


class PanelDoesNotHold(Exception):
    """The file cannot be read or contradicts itself. The argument is a sentence that says where."""


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    fairkey_panel: int
    entries: list[str]
    proof: str


class SeatLine(NamedTuple):
    """One drawn seat as it was recomputed, and who holds it at the end."""

    seat_no: int
    stratum: str
    drawn: str
    by_rule: str
    holds: str
    vote: str  # "" while it is not revealed; else "refund_fen row"


class Redrawn(NamedTuple):
    """What a panel file comes to when everything in it was recomputed."""

    panel_id: str
    stage: str
    level: int
    category: str
    pool: int
    excluded: int
    checkpoint_size: int
    root: str
    witnessed_at_s: dict[str, int]
    seats: tuple[SeatLine, ...]
    outcome: str
    refund_fen: int
    order_id: str = ""
    row: str = ""
    votes_sha256: str = ""  # over the commitments that were counted; "" while it is not decided


def write_panel_file(entries: Sequence[bytes], proof: TlogProof) -> bytes:
    """The file's bytes."""
    file = _File(fairkey_panel=1, entries=[b64encode(one).decode() for one in entries], proof=proof.encode().decode())
    return msgspec.json.format(msgspec.json.encode(file), indent=1) + b"\n"


def verify_panel_file(data: bytes, policy: Policy, others: Sequence[bytes] = ()) -> Redrawn:
    """Recompute everything. `others`: further signed checkpoints that the reader holds from elsewhere; one that covers
    the pool and is smaller than the seed's shows that the seed was not the first. Raises `PanelDoesNotHold`.
    """
    try:
        return _verify(data, policy, others)
    except (ProofIsMalformed, ReceiptIsMalformed, PoolIsMalformed, NoteIsMalformed) as error:
        raise PanelDoesNotHold(str(error)) from None
    except (NoteIsNotSigned, QuorumIsNotMet) as error:
        raise PanelDoesNotHold(f"the checkpoint is not what the policy asks for: {error}") from None
    except InclusionIsNotProven:
        raise PanelDoesNotHold("the proof does not show the pool's entry under the checkpoint") from None
    except (msgspec.MsgspecError, NotBase64, KeyError, TypeError, ValueError, IndexError) as error:
        raise PanelDoesNotHold(f"the file cannot be read: {error}") from None


def _verify(data: bytes, policy: Policy, others: Sequence[bytes]) -> Redrawn:
    if len(data) > PANEL_BYTES_MAX:
        raise PanelDoesNotHold("the file is too long")
    file = msgspec.json.decode(data, type=_File)
    if file.fairkey_panel != 1 or not 0 < len(file.entries) <= ENTRIES_MAX:
        raise PanelDoesNotHold("the file is no panel of this version")
    entries = [b64decode(one, validate=True) for one in file.entries]
    facts = _chain(entries)
    asked = _one(facts, "panel.requested").public
    convened = _one(facts, "panel.convened")
    proof = read_tlog_proof(file.proof.encode())
    judged = proof.check(leaf_hash(entries[convened.version - 1]), policy)
    for other in others:
        seen = read_checkpoint(read_note(other).text)
        policy.judge(other)
        if proof.index < seen.size < judged.checkpoint.size:
            raise PanelDoesNotHold(f"a checkpoint of {seen.size} entries came before the one that was drawn from")
    panel_id = convened.stream.removeprefix("panel:")
    lines = _texts(convened.public["pool"])
    if pool_hash(lines) != convened.public["pool_sha256"] or lines != sorted(lines):
        raise PanelDoesNotHold("the pool is not the one whose hash was published")
    result = draw(
        seed=judged.checkpoint.root,
        panel_id=panel_id,
        level=int(asked["level"]),
        category=str(asked["category"]),
        pool=read_pool(lines),
    )
    drawn = [one for one in facts if one.kind == "panel.drawn"]
    if result is None and drawn:
        raise PanelDoesNotHold("a pool too small was drawn from")
    if drawn and result:
        public = drawn[0].public
        told = [
            [seat["arbitrator_id"], seat["stratum"], seat["by_rule"]]
            for seat in (*public["seats"], *public["standbys"])
        ]
        if told != [list(one) for one in (*result.seats, *result.standbys)]:
            raise PanelDoesNotHold("other seats were drawn than the checkpoint gives")
        if (public["checkpoint_size"], public["checkpoint_root"]) != (
            judged.checkpoint.size,
            judged.checkpoint.root.hex(),
        ):
            raise PanelDoesNotHold("the panel names another checkpoint than the one in the file")
    holders = [one.member_id for one in result.seats] if drawn and result else []
    standbys = [one.member_id for one in result.standbys] if result else []
    votes = _votes(facts, panel_id, holders, standbys)
    outcome, refund_fen = _counted(facts, votes, int(asked["value_fen"]))
    seats = tuple(
        SeatLine(
            no,
            one.stratum,
            one.member_id,
            one.by_rule,
            holders[no - 1],
            f"{votes[no][0]} {votes[no][1]}" if no in votes else "",
        )
        for no, one in enumerate(result.seats if drawn and result else (), 1)
    )
    return Redrawn(
        panel_id=panel_id,
        stage=[one.kind for one in facts if one.kind != OPENED][-1],
        level=int(asked["level"]),
        category=str(asked["category"]),
        pool=len(lines),
        excluded=int(convened.public["excluded_count"]),
        checkpoint_size=judged.checkpoint.size,
        root=judged.checkpoint.root.hex(),
        witnessed_at_s=judged.witnessed_at_s,
        seats=seats,
        outcome=outcome,
        refund_fen=refund_fen,
        order_id=str(asked["order_id"]),
        row=str(facts[-1].public["row"]) if facts[-1].kind == DECIDED else "",
        votes_sha256=votes_hash(votes) if facts[-1].kind == DECIDED else "",
    )


def _chain(entries: Sequence[bytes]) -> list[Any]:
    """The entries' facts, each after the one before and of one panel."""
    facts: list[LeafFacts] = []
    prev = ""
    for number, entry in enumerate(entries, 1):
        one = read_leaf(entry)
        fits = one.version == number and one.prev == prev and one.stream.startswith("panel:")
        if not fits or (facts and (one.stream, one.shop) != (facts[0].stream, facts[0].shop)):
            raise PanelDoesNotHold(f"entry {number} does not follow the one before it")
        facts.append(one)
        prev = leaf_hash(entry).hex()
    return facts


def _one(facts: Sequence[Any], kind: str) -> Any:  # noqa: ANN401 - JSON
    found = [one for one in facts if one.kind == kind]
    if len(found) != 1:
        raise PanelDoesNotHold(f"there is not exactly one {kind}")
    return found[0]


def _texts(value: Any) -> list[str]:  # noqa: ANN401 - JSON
    return msgspec.convert(value, list[str])


def _votes(
    facts: Sequence[Any], panel_id: str, holders: list[str], standbys: list[str]
) -> dict[int, tuple[int, str, str]]:
    """Each seat's revealed vote (refund_fen, row, commitment), in the way the rules allow. Changes `holders`."""
    commitments: dict[int, str] = {}
    votes: dict[int, tuple[int, str, str]] = {}
    for fact in facts:
        public = fact.public
        if fact.kind == "panel.seat_replaced":
            seat_no = public["seat_no"]
            if not standbys or public["arbitrator_id"] != standbys.pop(0) or seat_no in commitments:
                raise PanelDoesNotHold(f"seat {seat_no} was not filled by the next drawn")
            holders[seat_no - 1] = public["arbitrator_id"]
        elif fact.kind == "panel.vote_committed":
            seat_no = public["seat_no"]
            if seat_no in commitments or holders[seat_no - 1] != public["arbitrator_id"]:
                raise PanelDoesNotHold(f"seat {seat_no} committed twice, or by somebody else")
            commitments[seat_no] = public["commitment"]
        elif fact.kind == "panel.vote_revealed":
            seat_no = public["seat_no"]
            fixed = commitment_of(
                panel_id=panel_id,
                arbitrator_id=public["arbitrator_id"],
                refund_fen=public["refund_fen"],
                row=public["row"],
                salt=public["salt"],
                digest=public["reason_digest"],
            )
            if commitments.get(seat_no) != fixed or seat_no in votes:
                raise PanelDoesNotHold(f"seat {seat_no} revealed another vote than it committed to")
            votes[seat_no] = (public["refund_fen"], public["row"], fixed)
    return votes


def _counted(facts: Sequence[Any], votes: dict[int, tuple[int, str, str]], value_fen: int) -> tuple[str, int]:
    last = facts[-1]
    if last.kind == "panel.lapsed":
        return str(last.public["why"]), 0
    if last.kind != DECIDED:
        return PanelStage.SITTING.value if votes else "", 0
    if not votes:
        raise PanelDoesNotHold("it was decided without a vote")
    result = count(tuple((no, vote[0], vote[1]) for no, vote in votes.items()), value_fen)
    told = last.public
    if (told["outcome"], told["refund_fen"], told["row"]) != (result.outcome.value, result.refund_fen, result.row):
        raise PanelDoesNotHold("the votes come to another decision than was published")
    if (told["for_buyer"], told["for_shop"], told["set_aside_seat"]) != result[3:]:
        raise PanelDoesNotHold("the votes were counted otherwise than was published")
    if told["text_sha256"] != votes_hash(votes):
        raise PanelDoesNotHold("other votes were counted than the decision names")
    return result.outcome.value, result.refund_fen


def votes_hash(votes: Mapping[int, tuple[int, str, str]]) -> str:
    """SHA-256 (hex) over seat and commitment of every vote that was revealed, as in `panel.decided`."""
    lines = "".join(f"{no} {fixed}\n" for no, (_, _, fixed) in sorted(votes.items()))
    return sha256(lines.encode()).hexdigest()
