"""What is said of claims beside the global holdout."""

WORDS: dict[str, dict[str, str]] = {
    "en": {
        "measured": "{population}: the global holdout measures {year} a year ({low} to {high}), {others} units beside {held_out} held out, {since} to {until}.",
        "holds": "The claims of {amount} stay below the upper limit.",
        "exceeds": "The claims add up to more than {high}, the upper 95 % limit, so their sum is withheld. Withdraw or replace claims that count the same benefit twice, or claim anew from a newer report.",
        "pending": "{population}: not held against the global holdout yet; that is measured every night.",
        "no-holdout": "{population}: not held against a global holdout, because none is in force. Declare one, so that what all programmes bring together can be measured.",
        "no-value": "{population}: not held against the global holdout, because no experiment that has started says what its outcomes are worth.",
        "no-feed": "{population}: not held against the global holdout, because no feed has said until when it is complete: {silent}. Send heartbeats.",
        "too-early": "{population}: not held against the global holdout yet; the first windows since the claims began close on {earliest}.",
        "too-few": "{population}: not held against the global holdout, which has too few units to measure: {others} beside {held_out} held out, since {since}; it takes {fewest} on each side.",
        "no-variance": "{population}: not held against the global holdout, because all its units were worth the same.",
    },
    "ja": {
        "measured": "{population}：ホールドアウトによる実測は年{year}（{low}〜{high}）。対象{others}件とホールドアウト{held_out}件の比較、{since}〜{until}。",
        "holds": "申告額{amount}は上限以下です。",
        "exceeds": "申告の合計が95%上限の{high}を超えるため、合計を伏せます。同じ効果を二重に数える申告を取り下げるか差し替え、または新しいレポートから申告し直してください。",
        "pending": "{population}：ホールドアウトとはまだ照合していません。毎晩測定します。",
        "no-holdout": "{population}：有効なホールドアウトがないため照合していません。宣言すれば、全施策の合計効果を測定できます。",
        "no-value": "{population}：結果の価値を定めた開始済みの実験がないため、ホールドアウトと照合していません。",
        "no-feed": "{population}：完了連絡のないフィードがあるため、ホールドアウトと照合していません：{silent}。ハートビートを送ってください。",
        "too-early": "{population}：ホールドアウトとはまだ照合していません。申告開始以降の最初の観察期間は{earliest}に終わります。",
        "too-few": "{population}：ホールドアウトの件数が少なすぎて照合できません：{since}以降、対象{others}件、ホールドアウト{held_out}件（それぞれ{fewest}件必要）。",
        "no-variance": "{population}：全ユニットの価値が同じため、ホールドアウトと照合していません。",
    },
}
