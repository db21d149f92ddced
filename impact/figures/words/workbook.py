"""What a workbook says besides its figures: names of sheets, heads of columns, and what a row of money is."""

from typing import Any

WORDS: dict[str, dict[str, Any]] = {
    "en": {
        "sheets": ("Summary", "Comparisons", "Money", "Checks", "Segments", "Periods"),
        "summary": ("Experiment", "Point", "Text"),
        "comparisons": (
            "Experiment", "Arm", "Compared with", "Metric", "Role", "Effect", "Low", "High", "p", "Rows",
            "Rows compared with", "Unit", "Currency", "Verdict", "Cut-off (UTC)",
        ),
        "money": ("Experiment", "Part", "What", "Of", "Low", "Base", "High", "Unit", "Remark"),
        "checks": ("Experiment", "Check", "Passed", "Consequence", "What it says", "p", "Waived by", "Reason"),
        "segments": (
            "Experiment", "By", "Segment", "Rows", "Arm", "Compared with", "Effect", "Low", "High", "p",
            "p, corrected", "Agreed before", "Currency", "Remark",
        ),
        "periods": (
            "Experiment", "Arm", "Fiscal year", "Quarter", "Month", "Prior periods", "Value", "Cost", "Net", "Currency",
        ),
        "verdict": "Verdict", "report": "Report", "due": "Due (UTC)", "for": "For",
        "workspace": "Workspace", "play": "Simulated", "digest": "SHA-256", "audit": "Audit head",
        "previous": "Previous report", "snapshot": "Snapshot",
        "yes": "yes", "no": "no", "block": "withholds", "warn": "warns", "info": "informs",
        "in_money": "money", "net": "Net value", "value": "Value", "cost": "Cost", "roi": "ROI", "total": "In total, its own rows",
        "mean": "Mean a row", "effect": "Effect a row", "case": "A year",
        "measured": "Measured", "projected": "Projected", "booked": "Booked",
        "build": "Build", "running": "Running cost a year", "price": "Price of the holdout a year",
        "peak": "Peak funding", "paid": "Month paid back, dated cash", "assumption": "Assumption",
        "programme": "Programme", "flips": "the effect changes its sign at {at}", "months": "months",
        "agreed": "agreed", "exploratory": "exploratory",
    },
    "ja": {
        "sheets": ("概要", "比較", "金額", "確認", "セグメント", "会計期間"),
        "summary": ("実験", "項目", "内容"),
        "comparisons": (
            "実験", "群", "比較対象", "指標", "役割", "効果", "下限", "上限", "p値", "件数", "比較対象の件数", "単位",
            "通貨", "判定", "集計時点（UTC）",
        ),
        "money": ("実験", "区分", "内容", "対象", "下限", "基本", "上限", "単位", "備考"),
        "checks": ("実験", "確認", "合格", "結果の扱い", "説明", "p値", "免除した人", "理由"),
        "segments": (
            "実験", "区分", "セグメント", "件数", "群", "比較対象", "効果", "下限", "上限", "p値", "補正後のp値",
            "事前合意", "通貨", "備考",
        ),
        "periods": ("実験", "群", "会計年度", "四半期", "月", "過去期間の修正", "価値", "費用", "純額", "通貨"),
        "verdict": "判定", "report": "レポート", "due": "期日（UTC）", "for": "対象者",
        "workspace": "ワークスペース", "play": "シミュレーション", "digest": "SHA-256", "audit": "監査の先頭",
        "previous": "前号", "snapshot": "スナップショット",
        "yes": "はい", "no": "いいえ", "block": "公表しない", "warn": "警告", "info": "参考",
        "in_money": "金額", "net": "純価値", "value": "価値", "cost": "費用", "roi": "ROI", "total": "対象行の合計",
        "mean": "1件当たりの平均", "effect": "1件当たりの効果", "case": "年間",
        "measured": "実測", "projected": "見込み", "booked": "計上",
        "build": "構築費", "running": "年間の運用費", "price": "ホールドアウトの年間費用",
        "peak": "必要資金の最大額", "paid": "現金回収の月", "assumption": "前提",
        "programme": "施策全体", "flips": "{at}で効果の符号が変わる", "months": "か月",
        "agreed": "合意済み", "exploratory": "探索的",
    },
}  # fmt: skip
