"""What the people of the demo world are called and what they say."""

from typing import Final

BUYERS: Final = (
    "lin.xiao", "wang.yi", "zhao.lei", "sun.jing", "he.tao", "gao.yuan", "ma.chao", "liang.bo", "xu.na", "deng.kai",
    "feng.yu", "cao.ying", "peng.fei", "tang.min", "yuan.qi", "jiang.hao", "cai.wen", "jia.ming", "ding.rui", "wei.lan",
    "xue.ping", "ye.chen", "yan.bin", "yu.xin", "pan.shu", "du.peng", "dai.lin", "xia.tian", "zhong.ge", "wang.shan",
    "tian.ye", "ren.jie", "jiang.li", "fan.bing", "fang.zhou", "shi.lei", "yao.yao", "tan.jun", "liao.yun", "zou.wei",
)  # fmt: skip

PRAISE: Final = (
    "付完款一秒就出卡密，秒激活。",
    "老客户了，一直很稳。",
    "第一次在这里买，钱先放在平台，心里踏实。",
    "说明写得很清楚，照着做就好了。",
    "和官方价差不多，但是送达快。",
    "",
    "半夜买的也是马上就有。",
    "给孩子充值，很方便。",
    "",
    "好用，下次还来。",
)

MEH: Final = (
    "等了快一个小时才发，码倒是能用。",
    "催了两次才发货。",
    "能用就行吧。",
    "",
    "慢。",
)

GRUMBLE: Final = (
    "十个里有三个激活不了，退款倒是平台退的。",
    "别信“全网最低”。",
    "商品写全球，实际锁区。",
)

COMPLAINTS: Final = (
    ("already_used", "输入后提示“该代码已被兑换”，从开码到兑换全程录屏，不到两分钟。"),
    ("not_valid", "提示“代码无效”，核对了三遍，大小写和数字 0 都试过。"),
    ("wrong_region", "提示“此代码不适用于您所在的地区”，商品页写的是全球可用。"),
    ("wrong_product", "兑换出来是试用 7 天，不是商品页写的一年。"),
)

CONTESTS: Final = (
    "我们的码都是好的，是买家自己操作不当，不退。",
    "商品页已经写明售出概不负责。",
    "后台显示该码已被成功激活，怀疑买家自己用了再来退款。",
)

OFFER_OF_A_PART: Final = "两个码中一个可用，已由买家兑换；另一个我们退一半款。"
