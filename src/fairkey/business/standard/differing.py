"""What changed between two versions of the standard, place by place."""

from collections.abc import Iterator
from typing import Any, Final

from msgspec import Struct, to_builtins

from .table import Standard

NOT_COMPARED: Final = frozenset({"version", "sha256"})


class Difference(Struct, frozen=True):
    """One place. `before` or `after` is None where there is nothing. `place`: section, thing, then inward."""

    place: tuple[str, ...]
    before: bool | int | str | None
    after: bool | int | str | None


def differences(older: Standard, newer: Standard) -> list[Difference]:
    """Every value that is not the same, in the order of the older version, what is new at the end of its section."""
    before, after = dict(_leaves(_keyed(to_builtins(older)))), dict(_leaves(_keyed(to_builtins(newer))))
    return [
        Difference(place, before.get(place), after.get(place))
        for place in dict.fromkeys([*before, *after])
        if before.get(place) != after.get(place) and place[0] not in NOT_COMPARED
    ]


def _keyed(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """Lists of things that have ids become tables by these, so that a thing that moved is not another thing."""
    if isinstance(value, dict):
        return {key: _keyed(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        if value and all(isinstance(one, dict) and "id" in one for one in value):
            return {one["id"]: _keyed({key: inner for key, inner in one.items() if key != "id"}) for one in value}
        return {str(number): _keyed(one) for number, one in enumerate(value, 1)}
    return value


def _leaves(value: Any, place: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:  # noqa: ANN401
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, (*place, key))
    elif value is not None:
        yield place, value
