"""A recording of a screen that can be placed in time: a word shown in it that nobody could know before, begin and end
in the journal, and what to do in which order.

The word proves that the recording was not made before it was given out; the seal afterwards, that it was not made
later. Neither proves that the screen showed what a server sent: the steps below make that more likely.
"""

import secrets
from collections.abc import Sequence
from typing import Final, NamedTuple

from .folder import CaseFolder, CaseIsRefused

LETTERS: Final = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"  # none that look alike
LENGTH: Final = 8
STEPS_ZH: Final = (
    "关闭无关的应用和通知；如可能，改用移动数据网络，关闭代理和 VPN。",
    "开始录屏。先打开系统设置中的“关于本机”和日期时间页面，显示设备型号、系统版本和当前时间。",
    "打开任意一个公开网站，证明设备已联网。",
    "在备忘录中输入下面的口令并停留三秒：它证明录制不早于现在。",
    "从桌面图标打开购物平台的应用，或在浏览器中手动输入网址；不要从聊天中的链接进入。",
    "依次展示：账号页面、订单详情（含订单号、时间、金额）、商品页面、与商家的完整聊天、激活码和激活时的报错。",
    "全程不中断、不切换设备、不剪辑；对每个页面停留两秒以上。",
    "最后再次显示口令和当前时间，然后停止录制。",
    "不要修改、压缩或转发该文件；立即按下面的提示封存。",
)
STEPS_EN: Final = (
    "Close other apps and notifications; if you can, use mobile data without proxy or VPN.",
    "Start recording. Show the settings page with device model, system version, date and time.",
    "Open any public website, to show that the device is online.",
    "Type the word below into a note and wait three seconds: the recording is not older than it.",
    "Open the platform's app from its icon, or type its address yourself; follow no link from a chat.",
    "Show in turn: your account, the order (number, times, sums), the product, the whole chat, the code and the error.",
    "Do not pause, change devices or cut; stay on every page for two seconds or more.",
    "Show the word and the time once more, then stop recording.",
    "Do not edit, compress or forward the file; seal it at once as told below.",
)


class NoRecordingBegan(CaseIsRefused):
    """A recording is ended that was never begun, or is over already."""


class Recording(NamedTuple):
    """One recording as the journal knows it. `ended_at_ms` 0: still open."""

    nonce: str
    began_at_ms: int
    ended_at_ms: int


def begin(folder: CaseFolder, *, at_ms: int) -> Recording:
    """Give out a new word and note when. Raises as `CaseFolder.note`."""
    nonce = "".join(secrets.choice(LETTERS) for _ in range(LENGTH))
    folder.note("recording.began", at_ms=at_ms, facts={"nonce": nonce})
    return Recording(nonce, at_ms, 0)


def end(folder: CaseFolder, nonce: str, *, at_ms: int) -> Recording:
    """Note that the recording with this word is over. Raises `NoRecordingBegan` and as `CaseFolder.note`."""
    found = next((one for one in recordings(folder) if one.nonce == nonce.upper()), None)
    if found is None or found.ended_at_ms:
        raise NoRecordingBegan(f"No recording with the word {nonce[:20]!r} is open in this case.")
    folder.note("recording.ended", at_ms=at_ms, facts={"nonce": found.nonce})
    return found._replace(ended_at_ms=at_ms)


def recordings(folder: CaseFolder) -> Sequence[Recording]:
    """All recordings that were begun, in order."""
    found: dict[str, Recording] = {}
    for act in folder.acts():
        nonce = str(act.facts.get("nonce", ""))
        if act.act == "recording.began":
            found[nonce] = Recording(nonce, act.at_ms, 0)
        elif act.act == "recording.ended" and nonce in found:
            found[nonce] = found[nonce]._replace(ended_at_ms=act.at_ms)
    return tuple(found.values())
