"""The provider's clock: the machine's, moved by an offset when a demo or test lives at another time."""

import time


class Clock:
    """`now_ms` is what is written into payments and signatures; `machine_ms` is what waits are measured with."""

    def __init__(self, offset_ms: int = 0) -> None:
        """Start `offset_ms` away from the machine's clock."""
        self.offset_ms = offset_ms

    @staticmethod
    def machine_ms() -> int:
        """Milliseconds UTC of this machine."""
        return time.time_ns() // 1_000_000

    def now_ms(self) -> int:
        """Milliseconds UTC as this provider sees them."""
        return self.machine_ms() + self.offset_ms
