"""What is said beside the figure: by larger clusters, of those who took it up, and from which risk on stopping pays."""

WORDS = {
    "en": {
        "adverse": "{value}, {arm}: {metric} {effect}, the wrong way, but not beyond chance (p {p}). Watch it; nothing is claimed.",
        "adverse_settled": "{value}, {arm}: {metric} {effect}, the wrong way (p {p}, not adjusted). Watch it; look at it in a new experiment.",
        "whole": "All rows",
        "part": "{by} {value}",
        "clusters": "{where}: seen by the {n} clusters that the rows lie in, {arm} compared with {baseline} is {effect} per {row}, between {low} and {high} (CR2). A sensitivity: the draws were finer.",
        "takers": "{arm}: those who took it up because it was drawn ({take_up} of the rows) were worth {effect} more each ({span}), before its cost. Beside the comparison by what was drawn, never instead of it.",
        "no_takers": "{arm}: what it did to those who took it up isn't told, for take-up must differ from that of {baseline} by more than 10 points beyond doubt.",
        "any": "any amount is possible",
        "rays": "below {low} or above {high}",
        "planned": "Planned: stopping pays from a risk of {planned} on, if nothing fails that was stopped.",
        "measured": "{where}: {residual} of {n} failed in spite of stopping, so it pays from {threshold} on. What scores between {planned} and {threshold} would wait instead of being stopped.",
        "as_planned": "{where}: none of {n} failed in spite of stopping, as planned.",
    },
    "ja": {
        "adverse": "{value}、{arm}：{metric}は{effect}で望ましくない方向ですが、偶然の範囲内です（p {p}）。注意して見守ってください。断定はできません。",
        "adverse_settled": "{value}、{arm}：{metric}は{effect}で望ましくない方向です（p {p}、補正なし）。注意し、新しい実験で確かめてください。",
        "whole": "全体",
        "part": "{by}{value}",
        "clusters": "{where}：行が属する{n}個のクラスター単位で見ると、{arm}は{baseline}と比べて1{row}当たり{effect}（範囲：{low}〜{high}、CR2）です。抽選はより細かい単位で行ったため、感度分析です。",
        "takers": "{arm}：抽選されたために受け入れた行（全体の{take_up}）では、費用を引く前の価値が1{row}当たり{effect}（{span}）でした。抽選どおりの比較に添える数値で、それに代わるものではありません。",
        "no_takers": "{arm}：受け入れた行への効果は示しません。受け入れの割合が{baseline}と確実に10ポイントを超えて違う場合にだけ示します。",
        "any": "どの金額もありうる",
        "rays": "{low}未満または{high}超",
        "planned": "計画：止めたものが故障しないとすれば、リスクが{planned}以上のとき、止めるほうが得です。",
        "measured": "{where}：{n}件のうち{residual}が、止めたのに故障しました。そのため、止めるほうが得なのは{threshold}以上です。スコアが{planned}〜{threshold}のものは、止めずに待つことになります。",
        "as_planned": "{where}：{n}件を止め、故障は計画どおりありませんでした。",
    },
}
