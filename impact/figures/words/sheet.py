"""What the printed report says besides its figures."""

from typing import Any

WORDS: dict[str, dict[str, Any]] = {
    "en": {
        "report": "Report",
        "simulated": "Simulated workspace. No real customers, machines or money.",
        "previous": "previous",
        "audit": "audit",
        "snapshot": "snapshot",
        "none": "Not analysed yet.",
        "finance": "the money",
        "appendix": "technical appendix",
        "cases": ("Low", "Base", "High"),
        "assumptions": "What it hangs on",
        "money": ("Value", "Cost", "Net (range)", "ROI"),
        "metric": ("Rows", "Level", "Reading"),
        "checks": "Can this be trusted?",
        "check": ("Check", "State", "What it says"),
        "agreement": "agreement",
        "analysis": "analysis",
        "version": "code version",
    },
    "ja": {
        "report": "レポート",
        "simulated": "シミュレーション用ワークスペース（実在の顧客・設備・金額ではありません）",
        "previous": "前号",
        "audit": "監査",
        "snapshot": "スナップショット",
        "none": "まだ分析されていません。",
        "finance": "金額",
        "appendix": "技術付録",
        "cases": ("下限", "推定", "上限"),
        "assumptions": "前提への依存",
        "money": ("価値", "費用", "純価値（範囲）", "ROI"),
        "metric": ("件数", "水準", "読み方"),
        "checks": "この結果は信頼できるか",
        "check": ("確認項目", "状態", "内容"),
        "agreement": "合意書",
        "analysis": "分析",
        "version": "コードの版",
    },
}
