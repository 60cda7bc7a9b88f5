"""A witness and anything that may be sent to it: no body breaks it, no order of requests makes it forget or fork."""

import asyncio
import re
import shutil
import tempfile
from pathlib import Path

import httpx
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from fairkey.proofs.checkpoints import open_checkpoint
from fairkey.proofs.notes import Note, SignerKey, read_signature_lines, verified_signatures
from fairkey.witness.judging import Asked, Refused, read_request
from fairkey.witness.keeping import SEEN_FILE
from fairkey.witness.seen import SeenLogs
from fairkey.witness.serving import WitnessApp
from witness_world import LOG, ORIGIN, Clock, Witness, asked, checkpoint_of, request

SIZE_MAX = 9
ANSWERS = {200, 400, 403, 404, 409, 413, 422}

# Bodies near to good ones: a good one with a part of it changed, doubled, left out.
GOOD = st.builds(
    request,
    st.integers(0, SIZE_MAX),
    st.integers(0, SIZE_MAX),
    forked_at=st.none() | st.integers(0, SIZE_MAX),
)


@st.composite
def nearly_good(draw: st.DrawFn) -> bytes:
    body = draw(GOOD)
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(body)))
        end = draw(st.integers(start, min(len(body), start + 60)))
        put: bytes = draw(
            st.binary(max_size=8)
            | st.sampled_from([b"\n", b"\n\n", b"old ", "\u2014 ".encode(), b" ", b"=", b"0", b"\x00", b"\xff"])
            | st.just(body[start:end] * 2)
        )
        body = body[:start] + put + body[end:]
    return body


async def answer(app: WitnessApp, body: bytes) -> httpx.Response:
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://witness.example") as http:
        return await http.post("/add-checkpoint", content=body)


@settings(max_examples=200)
@given(st.binary(max_size=400) | nearly_good())
@example(b"old 18446744073709551616\n\n" + checkpoint_of(1))
@example(b"old 0\n\n" + checkpoint_of(1).replace(b"\n1\n", b"\n18446744073709551616\n"))
@example(b"old 0\n\n" + checkpoint_of(1).replace(b"\n1\n", "\n١\n".encode()))
@example(b"old 0\n\n\n\n\n")
@example(checkpoint_of(1))
def test_no_body_is_answered_with_an_error_of_ours(body: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder, Witness(Path(folder)).opened() as (app, seen, key):
        seen.cosign(asked(0, 2))
        got = asyncio.run(answer(app, body))
        assert got.status_code in ANSWERS
        if got.status_code == 200:  # only what is signed, whole and an extension of what was seen
            _, blank, note = body.partition(b"\n\n")
            checkpoint, read = open_checkpoint(note, LOG.verifier)
            assert blank
            assert checkpoint.size >= 2
            assert verified_signatures(Note(read.text, read_signature_lines(got.content)), [key.verifier])
        else:
            assert open_checkpoint(seen.last(ORIGIN) or b"", LOG.verifier)[0].size == 2
        assert not re.search(r"Traceback|Error:", got.text)


class Watching(RuleBasedStateMachine):
    """Two histories that part somewhere, asked for in any order, with restarts and clocks that are moved."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.clock = Clock()
        self.roots: dict[int, bytes] = {}
        self.sizes = [0]
        self.moments = [0]
        self.told: list[tuple[Refused, int]] = []

    @initialize(forked_at=st.integers(0, SIZE_MAX - 1))
    def begin(self, forked_at: int) -> None:
        self.forked_at = forked_at
        self.witness = Witness(self.folder / "w", clock=self.clock)
        self.key: SignerKey = self.witness.key()
        self.seen = SeenLogs(self.witness.folder / SEEN_FILE, self.key, self.clock)

    @rule(size_before=st.integers(0, SIZE_MAX), size=st.integers(0, SIZE_MAX), is_other=st.booleans())
    def ask_for(self, size_before: int, size: int, *, is_other: bool) -> None:
        self._ask(read_request(request(size_before, size, forked_at=self.forked_at if is_other else None)))

    @rule(more=st.integers(0, 3), is_other=st.booleans())
    def grow(self, more: int, *, is_other: bool) -> None:
        size = self.sizes[-1]
        self._ask(asked(size, size + more, forked_at=self.forked_at if is_other else None))

    def _ask(self, wanted: Asked) -> None:
        try:
            line = self.seen.cosign(wanted)
        except Refused as refused:
            self.told.append((refused, self.sizes[-1]))
            return
        size, root = wanted.checkpoint.size, wanted.checkpoint.root
        assert self.roots.setdefault(size, root) == root, "one root for one size"
        (cosigned,) = verified_signatures(Note(wanted.note.text, read_signature_lines(line)), [self.key.verifier])
        self.sizes.append(size)
        self.moments.append(cosigned.at_s or 0)

    @rule(seconds=st.integers(-200, 200))
    def move_the_clock(self, seconds: int) -> None:
        self.clock.now_s += seconds

    @rule()
    def restart(self) -> None:
        self.seen.close()
        self.seen = SeenLogs(self.witness.folder / SEEN_FILE, self.key, self.clock)

    @invariant()
    def whoever_guesses_the_size_is_told_it(self) -> None:
        assert [size for refused, size in self.told if refused.status == 409 and refused.text != f"{size}\n"] == []

    @invariant()
    def nothing_becomes_smaller_or_earlier(self) -> None:
        assert self.sizes == sorted(self.sizes)
        assert self.moments == sorted(self.moments)
        parts = {asked(0, size).checkpoint.root == root for size, root in self.roots.items() if size > self.forked_at}
        assert len(parts) <= 1, "one history"

    def teardown(self) -> None:
        if hasattr(self, "seen"):
            self.seen.close()
        shutil.rmtree(self.folder)


TestWatching = Watching.TestCase
TestWatching.settings = settings(max_examples=25, stateful_step_count=30)
