"""What the operator sees."""

from typing import Protocol


class Floor(Protocol):
    """Questions of the operator."""

    async def orders_by_stage(self, *, stuck_only: bool = False) -> dict[str, int]:
        """How many orders are in each stage; `stuck_only`: only those whose deadline has passed."""
