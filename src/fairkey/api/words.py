"""What the API's own problems mean, in English and Chinese. Those of the business have their words with the pages."""

from collections.abc import Callable, Mapping
from typing import Final

OWN: Final[Mapping[str, tuple[str, str]]] = {
    "AccountIsClosed": (
        "The account was closed by its owner meanwhile.",
        "该账号已由本人注销。",
    ),
    "ApiKeyIsInvalid": (
        "The key in `Authorization` is unknown or was revoked. Make a new one on the page of keys.",
        "Authorization 中的密钥不存在或已被撤销。请在密钥页面新建一个。",
    ),
    "BodyIsUnreadable": (
        "The body cannot be read: {why}. Send whole, valid JSON in UTF-8.",
        "无法读取请求正文：{why}。请发送完整、有效的 UTF-8 JSON。",
    ),
    "DisplayNameIsInvalid": (
        "A name has 1 to 40 characters, none of them `@` or a control character.",
        "名称应为 1 至 40 个字符，不能含有 @ 或控制字符。",
    ),
    "EmailIsInvalid": (
        "This is no e-mail address that we could write to.",
        "这不是可以收信的邮箱地址。",
    ),
    "FieldIsInvalid": (
        "The field `{field}` cannot be taken: {why}.",
        "字段 {field} 无法接受：{why}。",
    ),
    "IdempotencyKeyIsInvalid": (
        "An `Idempotency-Key` has 16 to 200 visible ASCII characters; a fresh UUID is a good one.",
        "Idempotency-Key 应为 16 至 200 个可见 ASCII 字符，例如新生成的 UUID。",
    ),
    "IdempotencyKeyIsMissing": (
        "This call needs an `Idempotency-Key` header, so that asking again never does it twice.",
        "此调用必须带 Idempotency-Key 请求头，这样重复请求不会重复执行。",
    ),
    "ImportBrokeOff": (
        "The file did not arrive whole; nothing of it was kept. Send it again under the same id.",
        "文件未完整送达，未保留任何内容。请用同一编号重新发送。",
    ),
    "ImportIsClosed": (
        "This import has ended (state `{state}`) and takes no more lines. Use a new id for another file.",
        "此次导入已结束（状态 {state}），不再接收内容。其他文件请使用新的编号。",
    ),
    "ImportIsTooLarge": (
        "The file has more {what} than the {limit} one import takes; nothing was kept. Split it.",
        "文件的 {what} 超过单次导入上限 {limit}，未保留任何内容。请拆分后再导入。",
    ),
    "ImportIsNoText": (
        "The file is no text ({what}); nothing was kept. Send text or CSV, one code a line.",
        "该文件不是文本（{what}），未保留任何内容。请发送文本或 CSV，每行一个卡密。",
    ),
    "ImportIsUnderWay": (
        "This import is being received right now. Wait for it, or look at its progress.",
        "此次导入正在接收中。请等待，或查看进度。",
    ),
    "ImportWasAbandoned": (
        "The import stood still for too long and was cleaned up. Send the file again.",
        "此次导入停滞过久，已被清理。请重新发送文件。",
    ),
    "KeyWasUsedForAnotherRequest": (
        "This `Idempotency-Key` was used for another request. Use a fresh key for each request.",
        "此 Idempotency-Key 已用于另一个请求。每个请求请使用新的键。",
    ),
    "KeyNameIsInvalid": (
        "A key's name has 1 to 80 characters and no control characters.",
        "密钥名称应为 1 至 80 个字符，不能含有控制字符。",
    ),
    "LastOwnerMustStay": (
        "A shop keeps at least one owner. Make somebody else an owner first.",
        "店铺至少要有一位所有者。请先将他人设为所有者。",
    ),
    "LinkIsSpent": (
        "The link was used before or is too old. Ask for a new one.",
        "链接已被使用或已过期，请重新获取。",
    ),
    "LogInIsBraked": (
        "Too many failed attempts. Wait {wait_s} s.",
        "失败次数过多，请等待 {wait_s} 秒。",
    ),
    "LogInIsWrong": (
        "E-mail address or password is wrong.",
        "邮箱或密码不正确。",
    ),
    "MediaTypeIsNotSupported": (
        "The body's `Content-Type` is not one that this call takes: {wanted}.",
        "请求正文的 Content-Type 不被接受，可用类型：{wanted}。",
    ),
    "MethodIsNotAllowed": (
        "This address does not take this method; `Allow` names those it takes.",
        "此地址不支持该请求方法，可用方法见 Allow 响应头。",
    ),
    "NotAllowed": (
        "The key lacks what this call needs: {need}.",
        "密钥缺少此调用所需的权限：{need}。",
    ),
    "NotFound": (
        "There is no such {what} here.",
        "这里没有所请求的内容（{what}）。",
    ),
    "NotStaffHere": (
        "The account does not work for this shop.",
        "该账号不是本店员工。",
    ),
    "NotificationIsForged": (
        "The notification's signature is missing, wrong or too old. Nothing in it was believed.",
        "通知的签名缺失、错误或已过期，其内容未被采信。",
    ),
    "NotificationIsUnreadable": (
        "The notification is signed, but its content is not understood. An operator has been told.",
        "通知签名有效，但内容无法理解，已告知运营人员。",
    ),
    "OrderNotFound": (
        "There is no such order, or this is not its secret: the answer is the same for both.",
        "没有此订单，或订单密钥不正确：两种情况的回答相同。",
    ),
    "PasswordIsWeak": (
        "The password is too easy to guess ({why}). Take at least {length_min} characters.",
        "密码过于简单（{why}），请至少使用 {length_min} 个字符。",
    ),
    "ProviderHasRefused": (
        "The payment provider does not open a payment for this order. Read the order again.",
        "支付机构未能为此订单开启付款。请重新读取订单。",
    ),
    "ProviderIsUnknown": (
        "No such payment provider is used here.",
        "这里没有使用该支付机构。",
    ),
    "ScopeIsUnknown": (
        "There is no scope `{scope}`.",
        "没有名为 {scope} 的权限范围。",
    ),
    "SignInNeeded": (
        "This call needs a merchant's key: `Authorization: Bearer fk_…`.",
        "此调用需要商家密钥：Authorization: Bearer fk_…。",
    ),
    "StatementIsUnreadable": (
        "Statement number {place} cannot be taken: {why}. Nothing of the request was done.",
        "第 {place} 条声明无法接受：{why}。本次请求未执行任何内容。",
    ),
    "TooLarge": (
        "The body is larger than the {bytes_max} bytes this call takes. Nothing was stored.",
        "请求正文超过此调用的上限 {bytes_max} 字节，未保存任何内容。",
    ),
    "TooManyImports": (
        "The shop has {limit} imports under way, as many as it may. Wait for one to end.",
        "店铺同时进行的导入已达上限 {limit} 个。请等待其中一个结束。",
    ),
    "TooManyKeys": (
        "The shop has {count_max} live keys, as many as it may. Revoke one first.",
        "店铺有效密钥已达上限 {count_max} 个，请先撤销一个。",
    ),
    "TooManyRequests": (
        "Too many requests in a short time. Wait {wait_s} s.",
        "请求过于频繁，请等待 {wait_s} 秒。",
    ),
    "TypedCodesAreRefused": (
        "None of the typed codes was taken; `details.lines` says what is wrong with which.",
        "输入的卡密均未被接收，原因见 details.lines。",
    ),
    "Unavailable": (
        "This cannot be answered now. Nothing is lost: ask again with the same `Idempotency-Key`.",
        "暂时无法处理。内容不会丢失：请用同一 Idempotency-Key 再试。",
    ),
    "Unexpected": (
        "Something on our side failed. It has been noted; ask again with the same `Idempotency-Key`.",
        "我们这边出错了，已记录。请用同一 Idempotency-Key 再试。",
    ),
    "WorkIsMissing": (
        "Guests prove a piece of work here: GET /api/v1/work, then send `Proof-Of-Work: challenge:nonce`.",
        "访客下单需要工作量证明：先 GET /api/v1/work，再发送请求头 Proof-Of-Work: challenge:nonce。",
    ),
}

PagesSay = Callable[[str, Mapping[str, object]], tuple[str, str]]


class Words:
    """Implements `fairkey.gates.problems.Sentences`: our own words first, else those of the pages."""

    def __init__(self, pages_say: PagesSay) -> None:
        """`pages_say(name, details)` gives what the pages say, in English and in Chinese."""
        self._pages_say = pages_say

    def __call__(self, name: str, details: Mapping[str, object]) -> tuple[str, str]:
        """(English, Chinese)."""
        own = OWN.get(name)
        if own is None:
            return self._pages_say(name, details)
        given = _Given({key: _plain(value) for key, value in details.items()})
        english, chinese = own
        return english.format_map(given), chinese.format_map(given)


class _Given(dict[str, str]):
    """A detail that a sentence names and the refusal lacks is a dash, not a broken answer."""

    def __missing__(self, key: str) -> str:
        return "–"


def _plain(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
