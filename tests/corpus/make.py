"""Make the reading corpus again: `python -m corpus.make` in tests/. Needs Chromium, Noto fonts, Pillow and PyAV.

Each case has four pictures, a worn copy of each, and a mail; some have a saved page or a short recording; `truth.json`
says what stands in every file.
"""

import json
import random
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from PIL import Image, ImageFilter

from fairkey.casework.browser import find_browser
from fairkey.casework.pages import words_of

from .looks import Facts, Look, fact, iso, looks_of, yuan
from .purchases import CASES, Bought, bought

HERE = Path(__file__).parent / "cases"
PAGES_IN = (1, 3, 5, 7, 9)
RECORDINGS_IN = (2, 5, 8)
JPEG_WORN = 40


def main() -> None:
    """Make every case, two at once."""
    with ThreadPoolExecutor(2) as pool:
        for told in pool.map(make_case, range(1, CASES + 1)):
            sys.stdout.write(f"{told}\n")


def make_case(number: int) -> str:
    """One case with its files and its truth."""
    one = bought(number)
    place = HERE / f"{number:02}"
    place.mkdir(parents=True, exist_ok=True)
    truth: dict[str, Any] = {}
    pictures = []
    for at, look in enumerate(looks_of(one)):
        picture = _shot(look)
        pictures.append(picture)
        words = [line for line in words_of(look.html).split("\n") if line.strip()]
        picture.quantize(96, dither=Image.Dither.NONE).save(place / f"{look.name}.png", optimize=True)
        worn = _pressed(picture) if (number + at) % 2 else _photographed(picture, random.Random(f"{number} {at}"))
        worn.save(place / f"{look.name}-worn.jpg", quality=JPEG_WORN if (number + at) % 2 else 70)
        truth[f"{look.name}.png"] = {"media_type": "image/png", "worn": False, "facts": look.facts, "words": words}
        truth[f"{look.name}-worn.jpg"] = {"media_type": "image/jpeg", "worn": True, "facts": look.facts, "words": words}
    data, facts, words = _mail(one)
    (place / "mail.eml").write_bytes(data)
    truth["mail.eml"] = {"media_type": "message/rfc822", "worn": False, "facts": facts, "words": words}
    if number in PAGES_IN:
        look = looks_of(one)[1]
        (place / "page.html").write_text(look.html)
        words = [line for line in words_of(look.html).split("\n") if line.strip()]
        truth["page.html"] = {"media_type": "text/html", "worn": False, "facts": look.facts, "words": words}
    if number in RECORDINGS_IN:
        _record(place / "recording.mp4", [pictures[2], pictures[3]])
        both = [*truth["bill.png"]["facts"], *truth["error.png"]["facts"]]
        words = [*truth["bill.png"]["words"], *truth["error.png"]["words"]]
        truth["recording.mp4"] = {"media_type": "video/mp4", "worn": False, "facts": both, "words": words}
    (place / "truth.json").write_text(json.dumps(truth, ensure_ascii=False, indent=1) + "\n")
    return f"{place.name}: {len(truth)} files"


def _shot(look: Look) -> Image.Image:
    browser = find_browser()
    with TemporaryDirectory() as name:
        page, out = Path(name) / "page.html", Path(name) / "shot.png"
        width, height = look.size
        page.write_text(look.html.replace("body{", f"body{{width:{width}px;", 1))
        # The window is never narrower than 500 CSS pixels: narrow pages are drawn in one that is, then cut.
        subprocess.run(
            [
                browser,
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--hide-scrollbars",
                f"--user-data-dir={name}/profile",
                f"--force-device-scale-factor={look.scale}",
                f"--window-size={max(width, 500)},{height}",
                f"--screenshot={out}",
                page.as_uri(),
            ],
            check=True,
            capture_output=True,
            timeout=120,
        )
        with Image.open(out) as made:
            return made.convert("RGB").crop((0, 0, width * look.scale, made.height))


def _pressed(picture: Image.Image) -> Image.Image:
    """As a messenger passes it on: smaller and compressed hard (on saving)."""
    size = (round(picture.width * 0.75), round(picture.height * 0.75)) if picture.width < 1000 else picture.size
    return picture.resize(size, Image.Resampling.BILINEAR)


def _photographed(picture: Image.Image, chance: random.Random) -> Image.Image:
    """As photographed from a screen: a little aslant, blurred, noisy."""
    width, height = picture.size
    slip = [chance.uniform(0, 0.018) * width for _ in range(8)]
    corners = (
        -slip[0],
        -slip[1],
        -slip[2],
        height + slip[3],
        width + slip[4],
        height + slip[5],
        width + slip[6],
        -slip[7],
    )
    aslant = picture.transform(picture.size, Image.Transform.QUAD, corners, Image.Resampling.BICUBIC, fillcolor="#555")
    blurred = aslant.filter(ImageFilter.GaussianBlur(0.6 if width > 1000 else 0.9))
    noise = Image.frombytes("L", picture.size, chance.randbytes(width * height)).filter(ImageFilter.GaussianBlur(0.5))
    return Image.blend(blurred, Image.merge("RGB", (noise, noise, noise)), 0.09)


def _mail(one: Bought) -> tuple[bytes, Facts, list[str]]:
    mail = EmailMessage()
    mail["From"] = f"noreply@shop{one.number}.example"
    mail["To"] = "buyer@example.com"
    mail["Date"] = f"{one.delivered:%a, %d %b %Y %H:%M:%S} +0800"
    mail["Subject"] = f"您的订单已发货（{one.platform}）"
    body = (
        f"您好：\n您在{one.platform}购买的商品已发货。\n\n订单编号：{one.order_number}\n店铺：{one.shop}\n"
        f"商品名称：{one.product}\n付款时间：{one.paid:%Y-%m-%d %H:%M:%S}\n实付金额：{yuan(one.amount_fen)}元\n"
        f"激活码：{one.code}\n\n{one.promises[0]}。\n"
    )
    if one.number % 2:
        mail.set_content(body)
    else:
        mail.set_content("".join(f"<p>{line}</p>" for line in body.split("\n")), subtype="html")
    facts = [
        fact("platform", one.platform),
        fact("order_number", one.order_number),
        fact("shop", one.shop),
        fact("product", one.product),
        fact("time", iso(one.delivered)),
        fact("time", iso(one.paid), "paid"),
        fact("amount_fen", one.amount_fen, "paid"),
        fact("code", one.code),
        fact("promise", one.promises[0]),
    ]
    words = [mail["Subject"], f"{one.delivered:%Y-%m-%d %H:%M:%S}", *body.split("\n")]
    return mail.as_bytes(), facts, words


def _record(path: Path, pictures: Sequence[Image.Image]) -> None:
    import av

    width, height = 720, 1280
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=5)
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = width, height, "yuv420p", 2_000_000
        for picture in pictures:
            still = Image.new("RGB", (width, height), "white")
            shown = picture.copy()
            shown.thumbnail((width, height), Image.Resampling.LANCZOS)
            still.paste(shown, (0, 0))
            for _ in range(6):
                for packet in stream.encode(av.VideoFrame.from_image(still)):
                    container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)


if __name__ == "__main__":
    main()
