"""Letters: their shape, how they are composed, how they are read over."""

from typing import Any


def letters_of(case: Any, on_day: str) -> Any:  # noqa: ANN401 - a `Case`; loaded late, a pack without letters needs none
    """The letters of a case on a day (`composing.letters_of`)."""
    from .composing import letters_of as made  # noqa: PLC0415 - channels import the shapes of this package

    return made(case, on_day)
