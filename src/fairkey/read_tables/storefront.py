"""What anyone sees: the store, one listing, one shop."""

from typing import Protocol


class Storefront(Protocol):
    """Questions of visitors."""
