"""What is said of fiscal periods."""

from typing import Any

WORDS: dict[str, dict[str, Any]] = {
    "en": {
        "title": "By fiscal period: {arm}, measured",
        "head": ("Value", "Cost", "Net"),
        "period": "Period, {currency}",
        "year": "Fiscal year {year}",
        "quarter": "Quarter {quarter}",
        "prior": "Prior periods",
        "whole": "All periods",
        "note": "Value counts in the month in which its window matured, cost in the month in which it was incurred; nothing projected is in it.",
        "same": "Closed periods are as report {report} told them.",
        "changed": "Periods that were closed in report {report} changed by {net} net: told as prior periods, below what asks for report {report} to be made anew.",
        "reissue": "Periods that were closed in report {report} changed by {net} net, which is more than may only be told: report {report} is to be reissued.",
    },
    "ja": {
        "title": "会計期間別の実測：{arm}",
        "head": ("価値", "費用", "純額"),
        "period": "期間（{currency}）",
        "year": "会計年度{year}",
        "quarter": "第{quarter}四半期",
        "prior": "過去期間の修正",
        "whole": "全期間",
        "note": "価値は観察期間が終わった月に、費用は発生した月に数えます。見込みは含みません。",
        "same": "締めた期間は、レポート{report}のとおりです。",
        "changed": "レポート{report}で締めた期間の純額が{net}変わりました。過去期間の修正として示します（レポート{report}を作り直す基準には達しません）。",
        "reissue": "レポート{report}で締めた期間の純額が{net}変わり、注記で済む範囲を超えました。レポート{report}は再発行の対象です。",
    },
}
