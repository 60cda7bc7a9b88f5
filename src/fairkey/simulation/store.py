"""The engine's memory store with its events found by stream, without the memory of its commits."""

from collections import defaultdict

from fairkey.adapters.memory import MemoryStore, apply
from fairkey.business.basics import Stream
from fairkey.business.dispute_events import ComplaintRuled
from fairkey.engine.event_store import Commit, Recorded


class MarketStore(MemoryStore):
    """Keeps what a market of some thousand orders needs quickly: no fault is played here, so nothing is undone."""

    def __init__(self) -> None:
        super().__init__()
        self.rulings: list[Recorded] = []
        self._by_stream: defaultdict[Stream, list[Recorded]] = defaultdict(list)

    def events_of(self, stream: Stream) -> list[Recorded]:
        """The stream's events, in order."""
        return self._by_stream[stream]

    def _apply(self, commit: Commit) -> None:
        apply(self.tables, commit)
        for event in commit.events:
            self._by_stream[event.stream].append(event)
            if event.kind == ComplaintRuled.kind:
                self.rulings.append(event)
