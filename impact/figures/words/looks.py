"""What is said of planned looks."""

from typing import Any

WORDS: dict[str, dict[str, Any]] = {
    "en": {
        "fixed": "The result is judged once, at the end.",
        "group_sequential": "The result is judged {count} times: when {shares} of the rows have matured. Looks in between decide nothing.",
        "always_valid": "The result may be judged on any day; the range is wider for it.",
        "and": ", ",
        "look": "{place} of {of}, at {share}",
        "heads": ("Look", "Arm", "Rows in the smaller arm", "Reached", "Effect and range", "Says"),
        "crossed": "crossed its bound",
        "inside": "goes on",
        "not_needed": "decided before",
        "passed_over": "fell together with the last",
        "to_come": "to come",
        "stopped": "{arm}: {estimate}, with the stop taken into account; the plain estimate is too large where a look ended the question.",
    },
    "ja": {
        "fixed": "結果は終了時に一度だけ判定します。",
        "group_sequential": "結果は{count}回判定します。行の{shares}が成熟した時点です。その間に見た結果は判定に使いません。",
        "always_valid": "結果はいつ判定してもかまいません。その分、範囲は広くなります。",
        "and": "、",
        "look": "{of}回中{place}回目（{share}）",
        "heads": ("判定", "群", "小さい方の群の行数", "到達日", "効果と範囲", "結果"),
        "crossed": "境界を越えた",
        "inside": "続行",
        "not_needed": "判定済み",
        "passed_over": "最終回と同時",
        "to_come": "これから",
        "stopped": "{arm}：{estimate}（途中で決まったことを考慮した推定）。途中で決まった場合、単純な推定値は大きくなりすぎます。",
    },
}
