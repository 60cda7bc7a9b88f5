"""Cases with known answers: the standard decides each of them, so an arbitrator who reads it finds the same.

The first six are the test set before admission, the others come while he serves, one of ten cases of his docket.
Which one comes next, and when, hangs on a key of the house, so that nobody can foresee it from public facts.
"""

from typing import Final, NamedTuple

from fairkey.business.arbitrators import Arbitrator

from .house import KeyWork

EXAM: Final = 6
ONE_IN: Final = 10


class KnownCase(NamedTuple):
    """A case, in both languages. `for_buyer`: for which side the standard decides it, by which row."""

    id: str
    zh: str
    en: str
    for_buyer: bool
    row: str

    def text(self, *, zh: bool) -> str:
        """What is to be judged."""
        return self.zh if zh else self.en


CASES: Final = (
    KnownCase(
        "k01",
        "买家 10:00 开码，10:06 投诉“已被使用”。发行方证明：该卡密于前一天 21:14 激活。",
        "The buyer opened the code at 10:00 and complained at 10:06 that it was used. The issuer attests that it was "
        "activated at 21:14 the day before.",
        for_buyer=True,
        row="R03",
    ),
    KnownCase(
        "k02",
        "买家 10:00 开码，并填写了充值账号。发行方证明：该卡密于 10:11 在同一账号激活。买家 11:00 投诉“已被使用”。",
        "The buyer opened the code at 10:00 and named his account. The issuer attests an activation at 10:11 on that "
        "very account. At 11:00 the buyer complains that it was used.",
        for_buyer=False,
        row="R04",
    ),
    KnownCase(
        "k03",
        "商品标明“国区”。发行方证明：该卡密只能在土耳其区使用。买家投诉地区不符。",
        "The listing says region China. The issuer attests that the code works in Turkey only. The buyer complains of "
        "the wrong region.",
        for_buyer=True,
        row="R07",
    ),
    KnownCase(
        "k04",
        "商品标明“请在 6 月 30 日前兑换”。买家 6 月 1 日开码，7 月 2 日首次兑换，页面提示“已过期”。买家要求退款。",
        "The listing says: redeem until 30 June. The buyer opened the code on 1 June and first tried it on 2 July; the "
        "screen said expired. He wants his money back.",
        for_buyer=False,
        row="R09",
    ),
    KnownCase(
        "k05",
        "商品标明面值 100。买家在平台录像中兑换，到账 50。店铺未提供相反证据。",
        "The listing says face value 100. In a guided recording the buyer redeems it and 50 arrive. The shop brings "
        "nothing against it.",
        for_buyer=True,
        row="R08",
    ),
    KnownCase(
        "k06",
        "买家的账号在美区，商品写明“仅限国区账号”。兑换页面提示“地区不符”。买家要求退款。",
        "The buyer's account is in the US; the listing said for accounts in China only. The screen says wrong region. "
        "The buyer wants his money back.",
        for_buyer=False,
        row="R07",
    ),
    KnownCase(
        "k07",
        "店铺承诺 30 分钟内发码，120 分钟后仍未发码，买家没有同意等待。",
        "The shop promised the code within 30 minutes; after 120 there is none, and the buyer did not agree to wait.",
        for_buyer=True,
        row="R01",
    ),
    KnownCase(
        "k08",
        "开码后第 20 天，发行方证明该卡密因盗刷被撤销。买家没有做任何违规的事。",
        "Twenty days after the opening the issuer attests that the code was revoked because of a stolen card. The "
        "buyer did nothing wrong.",
        for_buyer=True,
        row="R11",
    ),
    KnownCase(
        "k09",
        "买家提出投诉后，店铺问他兑换账号，48 小时内没有答复。没有其他证据。",
        "After the complaint the shop asked for the account; no reply came within 48 hours. There is nothing else.",
        for_buyer=False,
        row="R16",
    ),
    KnownCase(
        "k10",
        "店铺 48 小时内没有答复投诉。买家称卡密无效，没有人能证明相反。",
        "The shop did not answer the complaint within 48 hours. The buyer says the code is not valid, and nobody shows "
        "otherwise.",
        for_buyer=True,
        row="R15",
    ),
)


def is_due(keys: KeyWork, arbitrator_id: str, arbitrator: Arbitrator) -> KnownCase | None:
    """The case with a known answer that his docket holds now; None most of the time.

    After nine real cases there is one, at a place among the ten that only the house can compute.
    """
    left = [one for one in CASES[EXAM:] if one.id not in arbitrator.calibrated]
    if not left or not arbitrator.may_be_drawn:
        return None
    done = arbitrator.calibrations
    mark = keys.fingerprint("buyer_pseudonyms", f"fairkey calibration\n{arbitrator_id}\n{done}".encode())
    if arbitrator.seats < done * (ONE_IN - 1) + mark[0] % (ONE_IN - 1):
        return None
    return left[mark[1] % len(left)]
