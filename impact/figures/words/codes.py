"""Words for the codes that records are stored with: states, roles, kinds of jobs."""

CODES = {
    "draft": ("draft", "下書き"),
    "agreed": ("agreed", "合意済み"),
    "running": ("running", "実施中"),
    "paused": ("paused", "一時停止"),
    "closed": ("enrolment closed", "受け入れ終了"),
    "decided": ("decided", "決定済み"),
    "aborted": ("aborted", "中止"),
    "archived": ("archived", "保管"),
    "viewer": ("viewer", "閲覧者"),
    "analyst": ("analyst", "分析者"),
    "operator": ("operator", "運用者"),
    "admin": ("admin", "管理者"),
    "business": ("business", "事業"),
    "finance": ("finance", "財務"),
    "data science": ("data science", "データサイエンス"),
    "analyze": ("analysis", "分析"),
    "decide-file": ("file of units", "対象ファイル"),
    "drift": ("drift", "ドリフト"),
    "import": ("file of facts", "事実のファイル"),
    "report": ("report", "レポート"),
    "reviewed": ("reviewed", "確認済み"),
    "signed": ("signed", "署名済み"),
    "measured": ("measured", "実測"),
    "randomized": ("randomized", "無作為化"),
    "policy": ("by policy", "方針による"),
    "holdout": ("held out for the long run", "ホールドアウト"),
    "forced_safety": ("forced for safety", "安全のための強制"),
    "forced_capacity": ("forced by capacity", "枠不足による強制"),
    "manual": ("chosen by a person", "担当者による選択"),
    "fallback": ("fallback to the baseline", "基準への退避"),
    "guess": ("a guess", "推測"),
}


def word(code: str, language: str) -> str:
    """Return the word for a code in a language, or the code where nobody has named it yet."""
    return CODES.get(code, (code, code))[("en", "ja").index(language)]
