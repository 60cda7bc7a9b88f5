"""Outages of an issuer (FK-AF-1, R12): said by himself, signed, or found by the operator, with what shows it.

An outage found by the operator ends, and may not be found again for that time, when the issuer signs that there was
none. One that nobody ends lapses a week after it began. What follows for clocks stands in `stopping.py`.
"""

from typing import Final, assert_never

from msgspec import Struct
from msgspec.structs import replace

from .basics import DAY_MS, HOUR_MS, MINUTE_MS, Command, Event, Refusal, require, require_text
from .stopping import KnownOutage

LAPSES_AFTER_MS: Final = 7 * DAY_MS
SAID_LATE_MAX_MS: Final = 7 * DAY_MS  # an issuer may say that much later when it began
FOUND_LATE_MAX_MS: Final = 72 * HOUR_MS
RATIO_LEAST: Final = 500  # percent of the usual: the threshold `outage_ratio` of the standard
WINDOW_MS: Final = 30 * MINUTE_MS  # in which failures are counted
FAILURES_LEAST: Final = 5
SHOPS_LEAST: Final = 2  # failures across shops
PAGE_URL_MAX: Final = 500
SHA256_CHARS: Final = 64


class OutageBegan(Event, frozen=True):
    """Codes of this issuer cannot be activated since `began_at_ms`.

    `by`: issuer (then `statement` is his, signed under key `key_no`) or operator: `failures` in 30 minutes in `shops`
    shops, `ratio` percent of the usual; or the captured status page with this hash.
    """

    kind = "issuer.outage_began"
    outage_no: int
    began_at_ms: int
    by: str
    key_no: int = 0
    statement: str = ""
    signature: str = ""
    failures: int = 0
    shops: int = 0
    ratio: int = 0
    page_url: str = ""
    page_sha256: str = ""
    reason: str = ""


class OutageEnded(Event, frozen=True):
    """It is over since `ended_at_ms`. `by`: issuer, operator, or clock (nobody ended it for a week)."""

    kind = "issuer.outage_ended"
    outage_no: int
    ended_at_ms: int
    by: str
    key_no: int = 0
    statement: str = ""
    signature: str = ""
    reason: str = ""


class OutageDenied(Event, frozen=True):
    """The issuer signs: at `denied_at_ms` there was none, whatever the operator finds."""

    kind = "issuer.outage_denied"
    denied_at_ms: int
    key_no: int
    statement: str
    signature: str


OutageEvent = OutageBegan | OutageEnded | OutageDenied


class SayOutage(Command, frozen=True):
    """Issuer: what he signed. `says`: began, ended, none."""

    issuer_id: str
    key_no: int
    says: str
    happened_at_ms: int
    statement: str
    signature: str


class FindOutage(Command, frozen=True):
    """Operator: since `began_at_ms`, with the figures that the house counted and the page that was captured."""

    issuer_id: str
    began_at_ms: int
    failures: int
    shops: int
    ratio: int
    page_url: str
    page_sha256: str
    reason: str


class EndOutage(Command, frozen=True):
    """Operator: what was found is over since `ended_at_ms`."""

    issuer_id: str
    ended_at_ms: int
    reason: str


class LapseOutage(Command, frozen=True):
    """Clock: nobody ended it."""

    issuer_id: str


OutageCommand = SayOutage | FindOutage | EndOutage | LapseOutage


class OutageWordIsNotTaken(Refusal):
    """Nothing this issuer says is taken now. Details: why (`standing` or `key`)."""


class OutageOverlaps(Refusal):
    """There is one at that time already. Details: began_at_ms, ended_at_ms (0: it lasts)."""


class OutageIsNotShown(Refusal):
    """Neither figures nor a captured page show it. Details: failures, shops, ratio."""


class OutageWasDenied(Refusal):
    """The issuer signed that there was none. Details: denied_at_ms."""


class OutageIsNotRunning(Refusal):
    """There is none that could end."""


class OutageIsTheIssuers(Refusal):
    """The issuer said that it began, so he says when it ends."""


class OutageIsNotOver(Refusal):
    """The clock asked too early. Details: due_at_ms."""


class StandingBriefing(Struct, frozen=True, kw_only=True):
    """What an issuer's word is measured by: whether there is one, whether it is taken, and under this key."""

    exists: bool
    is_active: bool
    takes_key: bool


class Outage(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One outage. `ended_at_ms` 0: it lasts. `statements`: what was signed about it."""

    outage_no: int
    began_at_ms: int
    by: str
    ratio: int = 0
    failures: int = 0
    shops: int = 0
    page_url: str = ""
    page_sha256: str = ""
    reason: str = ""
    ended_at_ms: int = 0
    ended_by: str = ""
    end_reason: str = ""
    statements: tuple[str, ...] = ()

    @property
    def is_shown(self) -> bool:
        """By the issuer's own word or by his captured page."""
        return self.by == "issuer" or bool(self.page_sha256)


class Outages(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All outages of one issuer, and the last moment for which he denied one."""

    all: tuple[Outage, ...] = ()
    denied_at_ms: int = 0

    @property
    def running(self) -> Outage | None:
        """The one that lasts."""
        return self.all[-1] if self.all and not self.all[-1].ended_at_ms else None

    @property
    def lapses_at_ms(self) -> int:
        """When the one that lasts ends by itself; 0: none lasts."""
        return self.running.began_at_ms + LAPSES_AFTER_MS if self.running else 0

    def known(self, issuer_id: str) -> tuple[KnownOutage, ...]:
        """As clocks ask for them."""
        return tuple(
            KnownOutage(
                issuer_id=issuer_id,
                outage_no=one.outage_no,
                began_at_ms=one.began_at_ms,
                ended_at_ms=one.ended_at_ms,
            )
            for one in self.all
        )


INITIAL = Outages()


def decide(command: OutageCommand, outages: Outages, brief: StandingBriefing, at_ms: int) -> list[Event]:
    """What follows from `command` for this issuer's outages, or a `Refusal`."""
    match command:
        case SayOutage():
            if not brief.is_active:
                raise OutageWordIsNotTaken(why="standing")
            if any(command.statement in one.statements for one in outages.all):
                return []  # said before, and recorded
            if not brief.takes_key:
                raise OutageWordIsNotTaken(why="key")
            require(at_ms - SAID_LATE_MAX_MS <= command.happened_at_ms, "happened_at_ms", "out_of_range")
            return _said(command, outages, at_ms)
        case FindOutage():
            if not brief.exists:
                raise OutageIsNotRunning
            return [_found(command, outages, at_ms)]
        case EndOutage():
            running = outages.running
            if running is None:
                raise OutageIsNotRunning
            if running.by != "operator":
                raise OutageIsTheIssuers
            require(running.began_at_ms <= command.ended_at_ms <= at_ms, "ended_at_ms", "out_of_range")
            require_text(command.reason, "reason", 2_000, 5)
            ended = OutageEnded(
                outage_no=running.outage_no, ended_at_ms=command.ended_at_ms, by="operator", reason=command.reason
            )
            return [ended]
        case LapseOutage():
            running, due_at_ms = outages.running, outages.lapses_at_ms
            if running is None:
                raise OutageIsNotRunning
            if at_ms < due_at_ms:
                raise OutageIsNotOver(due_at_ms=due_at_ms)
            return [OutageEnded(outage_no=running.outage_no, ended_at_ms=due_at_ms, by="clock")]
        case _:
            assert_never(command)


def _said(command: SayOutage, outages: Outages, at_ms: int) -> list[Event]:
    happened_at_ms = min(command.happened_at_ms, at_ms)  # his clock may go ahead of ours
    key_no, statement, signature = command.key_no, command.statement, command.signature
    running = outages.running
    if command.says == "began":
        if running is not None and happened_at_ms >= running.began_at_ms:
            return []  # it is known that it lasts
        _require_free(outages, happened_at_ms)
        number = len(outages.all) + 1
        began = OutageBegan(
            outage_no=number,
            began_at_ms=happened_at_ms,
            by="issuer",
            key_no=key_no,
            statement=statement,
            signature=signature,
        )
        return [began]
    events: list[Event] = []
    if command.says == "none":
        if happened_at_ms <= outages.denied_at_ms:
            return []
        denied = OutageDenied(denied_at_ms=happened_at_ms, key_no=key_no, statement=statement, signature=signature)
        events.append(denied)
    elif running is None:
        raise OutageIsNotRunning
    if running is not None and (command.says == "ended" or happened_at_ms >= running.began_at_ms):
        ended_at_ms = max(happened_at_ms, running.began_at_ms)
        ended = OutageEnded(
            outage_no=running.outage_no,
            ended_at_ms=ended_at_ms,
            by="issuer",
            key_no=key_no,
            statement=statement,
            signature=signature,
        )
        events.append(ended)
    return events


def _found(command: FindOutage, outages: Outages, at_ms: int) -> OutageBegan:
    require(at_ms - FOUND_LATE_MAX_MS <= command.began_at_ms <= at_ms, "began_at_ms", "out_of_range")
    require_text(command.reason, "reason", 2_000, 5)
    require_text(command.page_url, "page_url", PAGE_URL_MAX)
    is_hash = len(command.page_sha256) == SHA256_CHARS and set(command.page_sha256) <= set("0123456789abcdef")
    require(is_hash or not command.page_sha256, "page_sha256", "not_a_hash")
    require(not command.page_sha256 or command.page_url.startswith("https://"), "page_url", "not_an_address")
    if command.began_at_ms <= outages.denied_at_ms:
        raise OutageWasDenied(denied_at_ms=outages.denied_at_ms)
    _require_free(outages, command.began_at_ms)
    are_many = command.failures >= FAILURES_LEAST and command.shops >= SHOPS_LEAST and command.ratio >= RATIO_LEAST
    if not are_many and not command.page_sha256:
        raise OutageIsNotShown(failures=command.failures, shops=command.shops, ratio=command.ratio)
    return OutageBegan(
        outage_no=len(outages.all) + 1,
        began_at_ms=command.began_at_ms,
        by="operator",
        failures=command.failures,
        shops=command.shops,
        ratio=command.ratio if are_many else 0,
        page_url=command.page_url,
        page_sha256=command.page_sha256,
        reason=command.reason,
    )


def _require_free(outages: Outages, began_at_ms: int) -> None:
    last = outages.all[-1] if outages.all else None
    if last is not None and (not last.ended_at_ms or began_at_ms < last.ended_at_ms):
        raise OutageOverlaps(began_at_ms=last.began_at_ms, ended_at_ms=last.ended_at_ms)


def ratio_of(failures: int, before: int, before_ms: int) -> int:
    """Failures within 30 minutes in percent of the usual: of the mean over `before_ms` with `before` failures.

    With none before, one is taken: a first failure alone is no multiple of anything.
    """
    return failures * 100 * before_ms // (WINDOW_MS * max(before, 1))


def evolve(outages: Outages, event: OutageEvent, at_ms: int) -> Outages:
    """The outages after `event`."""
    _ = at_ms
    match event:
        case OutageBegan():
            began = Outage(
                outage_no=event.outage_no,
                began_at_ms=event.began_at_ms,
                by=event.by,
                ratio=event.ratio,
                failures=event.failures,
                shops=event.shops,
                page_url=event.page_url,
                page_sha256=event.page_sha256,
                reason=event.reason,
                statements=(event.statement,) if event.statement else (),
            )
            return replace(outages, all=(*outages.all, began))
        case OutageEnded():
            last = outages.all[-1]
            ended = replace(
                last,
                ended_at_ms=event.ended_at_ms,
                ended_by=event.by,
                end_reason=event.reason,
                statements=(*last.statements, event.statement) if event.statement else last.statements,
            )
            return replace(outages, all=(*outages.all[:-1], ended))
        case OutageDenied():
            return replace(outages, denied_at_ms=event.denied_at_ms)
        case _:
            assert_never(event)
