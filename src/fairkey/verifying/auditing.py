"""A whole log: its head, every entry, every tile, every earlier head, every stream, and what was seen here before."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from fairkey.proofs.checkpoints import Checkpoint, open_checkpoint
from fairkey.proofs.notes import NOTE_BYTES_MAX, NoteIsMalformed, NoteIsNotSigned, VerifierKey
from fairkey.proofs.policies import QuorumIsNotMet
from fairkey.proofs.timestamps import TOKEN_BYTES_MAX, TokenIsRefused, check_token

from .judging import Given, Head, add_seen, judge_head, told_at
from .reading import FileCannotBeRead, FileIsMissing, FileIsTooLong
from .reports import Report, State
from .sources import CHECKPOINT, IndexIsMalformed, LogSource, read_head
from .streams import Streams
from .walking import Faults, OnEntries, Walked, span, walk

Progress = Callable[[str, int, int], None]
"""Hears what is being done, how much of it, of how much."""


def _no_progress(_: str, __: int, ___: int) -> None:
    """Nobody watches."""


def _nobody(_: int, __: Sequence[bytes]) -> None:
    """Nobody else wants the entries."""


class _Earlier(NamedTuple):
    """Earlier heads that the log has signed: size -> root, how many carry the quorum, and what is wrong with others."""

    roots: dict[int, bytes]
    with_quorum: int
    faults: Faults


def audit_log(
    report: Report,
    source: LogSource,
    given: Given,
    *,
    progress: Progress = _no_progress,
    on_entries: OnEntries = _nobody,
) -> None:
    """Check a whole log; every step is decided even when one before it was bad, as far as anything can be said."""
    report.kind = "log"
    try:
        _audit(report, source, given, progress, on_entries)
    except FileCannotBeRead as error:
        # Not being answered is no proof of anything; a file that is there and is wrong was told as such above.
        report.add(
            "file", State.UNKNOWN, f"The log at {source.where} could not be read to its end: {error.name} {error}."
        )


def _audit(report: Report, source: LogSource, given: Given, progress: Progress, on_entries: OnEntries) -> None:
    try:
        data = source.read(CHECKPOINT, NOTE_BYTES_MAX)
    except FileIsMissing:
        report.add("file", State.UNKNOWN, f"No log lies at {source.where}: there is no checkpoint.")
        return
    except FileIsTooLong as error:
        report.add("file", State.BAD, f"The checkpoint {error}.")
        return
    report.add("file", State.GOOD, f"A log with a checkpoint, at {source.where}.")
    head = judge_head(report, data, given)
    if head is None:
        return
    if head.log is None:
        report.add("tiles", State.UNKNOWN, "Not checked: there is no signed head to check them against.")
        return
    _audit_signed(report, source, given, head, progress, on_entries)


def _audit_signed(
    report: Report, source: LogSource, given: Given, head: Head, progress: Progress, on_entries: OnEntries
) -> None:
    assert head.log is not None
    size = head.checkpoint.size
    told, why = _heads_of(source)
    earlier = _earlier(source, sorted(told or ()), head.log, given, progress)
    if why:
        earlier.faults.add(why)
    memory = given.seen_of(head.log)
    seen = {one.size: one.root for one in memory.heads()} if memory is not None else {}
    wanted = {size, *earlier.roots, *seen}
    with Streams() as streams:

        def hear(first: int, entries: Sequence[bytes]) -> None:
            streams.add(first, entries)
            on_entries(first, entries)

        walked = walk(
            source,
            size,
            roots_at=wanted,
            on_entries=hear,
            on_progress=lambda done: progress("entries", done, size),
        )
        _add_tiles(report, head.checkpoint, walked, {**earlier.roots, **seen})
        _add_streams(report, streams, walked)
    _add_earlier(report, head.checkpoint, walked, earlier, is_told=told is not None)
    _add_stamps(report, source, told or {}, earlier.roots, head, given)
    _add_remembered(report, head, walked, seen, given)
    report.not_proven.append("That what the entries say is true: this proves what was written down, in which order.")


def _heads_of(source: LogSource) -> tuple[dict[int, int] | None, str]:
    """The earlier heads that this place tells; what is wrong with its list."""
    try:
        return source.heads(), ""
    except IndexIsMalformed as error:
        return {}, f"The list of earlier heads {error}."


def _earlier(source: LogSource, sizes: Sequence[int], log: VerifierKey, given: Given, progress: Progress) -> _Earlier:
    policy = given.trust.policy
    assert policy is not None
    roots: dict[int, bytes] = {}
    faults, with_quorum = Faults(), 0
    for number, size in enumerate(sizes, 1):
        try:
            data = read_head(source, size)
            roots[size] = _root_of(data, log, size)
            policy.judge(data)
            with_quorum += 1
        except QuorumIsNotMet:
            pass  # signed by the log; the policy may have asked for fewer when it was published
        except (FileIsMissing, FileIsTooLong, NoteIsMalformed, NoteIsNotSigned) as error:
            why = "it is missing" if isinstance(error, FileIsMissing) else str(error)
            faults.add(f"The head of {size} entries: {why}.")
        progress("earlier heads", number, len(sizes))
    return _Earlier(roots, with_quorum, faults)


def _root_of(data: bytes, log: VerifierKey, size: int) -> bytes:
    checkpoint, _ = open_checkpoint(data, log)
    if checkpoint.size != size:
        raise NoteIsMalformed(f"it is the head of {checkpoint.size} entries")
    return checkpoint.root


def _add_tiles(report: Report, head: Checkpoint, walked: Walked, known: Mapping[int, bytes]) -> None:
    faults, size = walked.faults, head.size
    root = walked.roots.get(size)
    if walked.is_cut_off:
        pass  # told by the pass
    elif walked.reached < size:
        faults.add(f"The log breaks off: from entry {walked.reached} on nothing is left of {size} that were signed.")
    elif root != head.root:
        where = _between(walked, known, size)
        faults.add(f"The entries do not give the root that was signed for {size} of them{where}.")
    if faults.count:
        report.add("tiles", State.BAD, "The log is not the one that was signed.", faults.lines())
    else:
        report.add("tiles", State.GOOD, f"Each of {size} entries fits its tile, the tiles fit each other and the root.")


def _between(walked: Walked, known: Mapping[int, bytes], size: int) -> str:
    """Where, as far as earlier heads narrow it: after the last root that fits, before the first that does not."""
    fitting = [one for one in known if one <= size and walked.roots.get(one) == known[one]]
    first = max(fitting, default=0)
    end = min([one for one in known if first < one <= size and walked.roots.get(one) != known[one]], default=size)
    if not first and end == size:
        return ""
    return f"; earlier heads say that the change is in {span(first, end)}"


def _add_streams(report: Report, streams: Streams, walked: Walked) -> None:
    if not streams.read:
        if walked.reached:
            report.add("streams", State.LEFT, "The entries are not fairkey's; only their places are checked.")
        return
    told = (*streams.unreadable.lines(), *streams.faults.lines())
    if told:
        report.add("streams", State.BAD, "Histories in this log have gaps, or entries that do not belong there.", told)
    else:
        sentence = f"In each of {streams.count()} histories the versions count from 1, and each entry names the last."
        report.add("streams", State.GOOD, sentence)


def _add_earlier(report: Report, head: Checkpoint, walked: Walked, earlier: _Earlier, *, is_told: bool) -> None:
    if not is_told:
        report.add("heads", State.LEFT, "This place shows no earlier heads.")
        return
    faults = earlier.faults
    for size, root in sorted(earlier.roots.items()):
        if size > head.size:
            faults.add(f"The log has signed {size} entries, but shows {head.size}: its end was taken back.")
        elif size in walked.roots and walked.roots[size] != root:
            faults.add(f"The signed head of {size} entries is not a beginning of this log: a fork.")
    if faults.count:
        report.add("heads", State.BAD, "Earlier heads contradict this log.", faults.lines())
    elif not earlier.roots.keys() <= walked.roots.keys():
        sentence = f"Only those up to {walked.reached} entries could be compared: they are beginnings of this log."
        report.add("heads", State.LEFT, sentence)
    else:
        count, full = len(earlier.roots), earlier.with_quorum
        sentence = f"All {count} are beginnings of this log; {full} carry the policy's quorum."
        report.add("heads", State.GOOD, sentence)


def _add_stamps(
    report: Report, source: LogSource, told: Mapping[int, int], roots: Mapping[int, bytes], head: Head, given: Given
) -> None:
    stamped = {size: count for size, count in told.items() if count and size in roots}
    if not stamped:
        return
    if given.roots is None:
        sentence = f"{sum(stamped.values())} time stamps lie beside {len(stamped)} heads; --tsa-roots checks them."
        report.add("tokens", State.LEFT, sentence)
        report.not_proven.append("What the time stamps are worth: they were not checked.")
        return
    good, faults = 0, Faults()
    for size, count in sorted(stamped.items()):
        text = Checkpoint(head.checkpoint.origin, size, roots[size]).text()
        for number in range(1, count + 1):
            try:
                stamp = check_token(source.read(f"checkpoints/{size}.{number}.tst", TOKEN_BYTES_MAX), text, given.roots)
            except (TokenIsRefused, FileIsMissing, FileIsTooLong) as error:
                faults.add(f"Stamp {number} over {size} entries: {error}.")
            else:
                good += 1
                report.facts[f"stamped by {stamp.tsa}"] = f"{size} entries existed at {told_at(stamp.gen_time_ms)}"
    state = State.GOOD if good else State.LEFT
    report.add("tokens", state, f"{good} of {sum(stamped.values())} time stamps hold.", faults.lines())


def _add_remembered(report: Report, head: Head, walked: Walked, seen: Mapping[int, bytes], given: Given) -> None:
    assert head.log is not None
    memory = given.seen_of(head.log)
    if memory is None:
        return
    faults, size = Faults(), head.checkpoint.size
    if seen and max(seen) > size:
        faults.add(
            f"{max(seen)} entries were seen here, now there are {size}: the end was taken back, or this is an older "
            "copy (--no-memory judges it by itself)."
        )
    for one, root in sorted(seen.items()):
        if one in walked.roots and walked.roots[one] != root:
            faults.add(f"The head of {one} entries that was seen here is not a beginning of this log: a fork.")
    if faults.count:
        where = f"What was seen lies in {memory.folder}; show it to others."
        report.add("seen", State.BAD, f"The log is not the one that was seen here before. {where}", faults.lines())
    elif not seen.keys() <= walked.roots.keys():
        sentence = f"Only heads up to {walked.reached} entries could be compared: this log extends them."
        report.add("seen", State.LEFT, sentence)
    elif seen:
        report.add("seen", State.GOOD, f"It extends the {len(seen)} heads that were seen here before.")
    elif report.steps and all(step.state is not State.BAD for step in report.steps):
        report.add("seen", State.LEFT, "None yet; this one is remembered.")
    if not any(step.state is State.BAD for step in report.steps) or size in seen:
        add_seen(report, head, given)
