"""What the audit chain calls an act, in Japanese; in English an act is called as it is stored."""

ACTS = {
    "create workspace": "ワークスペースの作成", "invite": "招待", "join": "参加", "change member": "メンバーの権限の変更",
    "remove member": "メンバーの削除", "leave": "退出", "enter demo": "デモへの参加",
    "leave demo": "デモからの退出", "create key": "キーの作成", "revoke key": "キーの失効",
    "declare action": "施策の宣言", "declare agreement": "合意の宣言", "declare assumption": "前提の宣言",
    "declare decision point": "決定点の宣言", "declare experiment": "実験の宣言",
    "declare holdout": "ホールドアウトの宣言", "declare metric": "指標の宣言", "declare model": "モデルの宣言",
    "declare policy": "方針の宣言", "declare rate": "為替レートの宣言", "declare report": "レポートの宣言",
    "sign agreement for business": "合意への署名（事業）", "sign agreement for finance": "合意への署名（財務）",
    "sign agreement for data science": "合意への署名（データサイエンス）", "agree experiment": "実験の合意",
    "start experiment": "実験の開始", "pause experiment": "実験の一時停止", "resume experiment": "実験の再開",
    "close experiment": "受け入れの終了", "conclude experiment": "実験の決定", "abort experiment": "実験の中止",
    "archive experiment": "実験の保管", "load experiment": "実験の読み込み", "waive check": "検査の免除", "withdraw waiver": "免除の取り消し",
    "replay": "隔離からの再投入", "replay: accepted": "隔離からの再投入：受理",
    "replay: duplicate": "隔離からの再投入：重複", "dismiss": "隔離の取り下げ", "import": "ファイルの取り込み",
    "make report": "レポートの作成", "pause report": "レポートの一時停止", "resume report": "レポートの再開",
    "send report again": "レポートの再送", "unsubscribe": "配信停止", "subscribe again": "配信の再開",
    "review report": "レポートの確認", "sign report": "レポートへの署名", "claim benefit": "効果の申告",
    "replace claim": "申告の差し替え", "withdraw claim": "申告の取り下げ",
}  # fmt: skip


def act(action: str, language: str) -> str:
    """Return what an act is called, or what is stored where nobody has named it yet."""
    return ACTS.get(action, action) if language == "ja" else action
