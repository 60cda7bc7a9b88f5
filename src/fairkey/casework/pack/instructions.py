"""How a stranger checks a pack with nothing but `sha256sum` and `openssl`: in Chinese, then in English."""

from collections.abc import Sequence
from typing import Final

from .contents import NOT_PROVEN

HOWTO: Final = (
    "核对所有文件：在本文件夹内运行 sha256sum --strict -c SHA256SUMS，每行应显示 OK，且没有警告。",
    "核对某份证据何时已存在：其 SHA-256 应出现在 seals/ 下某个 payload.json 中，再按 README.txt 核验其时间戳。",
    "seals/ 下的 .fairkey-receipt 是公开日志的回执：清单的哈希已写入该日志，见证人见过。",
    "核验回执：fairkey verify --policy，或 /verify 页面；日志与见证人的公钥应由核验者另行取得。",
    "核验时间戳：openssl ts -verify，所用根证书应由核验者自行从时间戳机构取得；随附的 tsa-roots.pem 仅供比对。",
    "不用命令行：用浏览器打开 verify.html，选择本文件夹，全部在本机计算，不上传任何内容。",
)


def text(stamps: Sequence[tuple[str, str]], *, exhibits: int) -> str:
    """README.txt. `stamps`: (list folder, token file name) of each token in the pack."""
    lines = [
        "证据材料包 / Evidence pack",
        "",
        f"本文件夹含 {exhibits} 份证据原件（evidence/）、证据清单与图示（evidence.pdf）、",
        "文书（letter*.pdf、letter*.docx）、封存清单与时间戳（seals/）、全部文件的清单（manifest.json）和校验和（SHA256SUMS）。",
        "",
        "一、核验方法（不需要本软件）",
        *(f"{number}. {one}" for number, one in enumerate(HOWTO, 1)),
        "",
        "时间戳的核验命令 / Commands for the time stamps:",
        *_commands(stamps),
        "",
        "超过 8 MiB 的文件，manifest.json 中的 sha512 按 8 MiB 分段计算：",
        "  split -b 8388608 --filter=sha512sum 文件 | cut -c1-128 | sha512sum",
        "超过 64 MiB 的文件只记录 sha256，sha512 为空。",
        "",
        "二、本材料不证明什么",
        *(f"- {one}" for one in NOT_PROVEN),
        "",
        "Checking this pack without our program",
        "1. sha256sum --strict -c SHA256SUMS in this folder: every line must say OK, without a warning.",
        "2. The SHA-256 of a piece of evidence stands in a list seals/NNNN/payload.json; the commands above check the",
        "   time stamps over that list. Fetch the root certificate from the authority itself: tsa-roots.pem came with",
        "   the pack and is here for comparison only.",
        "3. A .fairkey-receipt in seals/ proves that the hash of its list stands in a public log, seen by witnesses:",
        "   fairkey verify --policy POLICY FILE, or the page /verify. Fetch the policy from somewhere else.",
        "4. Or open verify.html in a browser and choose this folder. Nothing is sent anywhere.",
        "5. Or: fairkey verify FOLDER --tsa-roots ROOTS.pem --policy POLICY",
        "It proves that the files are those that were sealed, and with a time stamp that they existed at that time. It",
        "does not prove that what they show is true, who made them, or that nothing was left out.",
        "",
    ]
    return "\n".join(lines)


def _commands(stamps: Sequence[tuple[str, str]]) -> list[str]:
    if not stamps:
        return ["  （尚无时间戳 / none yet）"]
    return [
        f"  openssl ts -verify -data seals/{place}/payload.json -token_in -in seals/{place}/{name} -CAfile ROOTS.pem"
        for place, name in stamps
    ]
