"""What the operator sees."""

from typing import Protocol


class Floor(Protocol):
    """Questions of the operator."""
