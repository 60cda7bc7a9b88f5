"""What a merchant sees of his own shop."""

from typing import Protocol


class ShopDesk(Protocol):
    """Questions of a shop's people."""
