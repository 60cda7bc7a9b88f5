"""fairkey: fair and provable trade in activation codes."""

from typing import Final

__version__: Final = "0.1.0"
