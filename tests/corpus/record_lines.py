"""Record what the reader of letters sees on every picture of the corpus: `python -m corpus.record_lines` in tests/.

Parsers are tested on these lines, since reading letters takes seconds a picture.
"""

import json
from pathlib import Path

from fairkey.casework.reading.ocr import lines_of_file

HERE = Path(__file__).parent


def main() -> None:
    """Write `read-lines.json`: text, left, top, width, height and score of each line."""
    told = []
    for path in sorted((HERE / "cases").glob("*/*")):
        if path.suffix in {".png", ".jpg"}:
            lines = [
                [one.text, *(getattr(one.region, side) for side in ("left", "top", "width", "height")), one.score]
                for one in lines_of_file(path)
            ]
            name = path.relative_to(HERE / "cases").as_posix()
            told.append(f"{json.dumps(name)}: {json.dumps(lines, ensure_ascii=False, separators=(',', ':'))}")
    (HERE / "read-lines.json").write_text("{\n" + ",\n".join(told) + "\n}\n")


if __name__ == "__main__":
    main()
