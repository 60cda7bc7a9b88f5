"""Write the frozen leaf of every kind that has none yet; fail if the bytes of an existing kind would change."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from samples import SAMPLES, leaf_bytes

LEAVES = Path(__file__).parent / "leaves"


def main() -> int:
    """The exit code: 0 when every kind is frozen as it is."""
    LEAVES.mkdir(exist_ok=True)
    changed = 0
    for event in SAMPLES:
        file = LEAVES / f"{event.kind}.leaf"
        if not file.exists():
            file.write_bytes(leaf_bytes(event))
            print(f"frozen: {event.kind}")
        elif file.read_bytes() != leaf_bytes(event):
            print(f"CHANGED: {event.kind}: leaves of this kind are in the log for ever; see README.md", file=sys.stderr)
            changed += 1
    return 1 if changed else 0


if __name__ == "__main__":
    sys.exit(main())
