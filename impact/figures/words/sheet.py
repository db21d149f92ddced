"""What the printed report says besides its figures."""

WORDS = {
    "en": {
        "report": "Report",
        "simulated": "Simulated workspace. No real customers, machines or money.",
        "previous": "previous",
        "audit": "audit",
        "snapshot": "snapshot",
        "none": "Not analysed yet.",
    },
    "ja": {
        "report": "レポート",
        "simulated": "シミュレーション用ワークスペース（実在の顧客・設備・金額ではありません）",
        "previous": "前号",
        "audit": "監査",
        "snapshot": "スナップショット",
        "none": "まだ分析されていません。",
    },
}
