"""What is said beside the figure: by larger clusters, of those who took it up, and from which risk on stopping pays."""

WORDS = {
    "en": {
        "whole": "All rows",
        "part": "{by} {value}",
        "clusters": "{where}: seen by the {n} clusters that the rows lie in, {arm} compared with {baseline} is {effect} per {row}, between {low} and {high} (CR2). A sensitivity: the draws were finer.",
        "planned": "Planned: stopping pays from a risk of {planned} on, if nothing fails that was stopped.",
        "measured": "{where}: {residual} of {n} failed in spite of stopping, so it pays from {threshold} on. What scores between {planned} and {threshold} would wait instead of being stopped.",
        "as_planned": "{where}: none of {n} failed in spite of stopping, as planned.",
    },
    "ja": {
        "whole": "全体",
        "part": "{by}{value}",
        "clusters": "{where}：行が属する{n}個のクラスター単位で見ると、{arm}は{baseline}と比べて1{row}当たり{effect}（範囲：{low}〜{high}、CR2）です。抽選はより細かい単位で行ったため、感度分析です。",
        "planned": "計画：止めたものが故障しないとすれば、リスクが{planned}以上のとき、止めるほうが得です。",
        "measured": "{where}：{n}件のうち{residual}が、止めたのに故障しました。そのため、止めるほうが得なのは{threshold}以上です。スコアが{planned}〜{threshold}のものは、止めずに待つことになります。",
        "as_planned": "{where}：{n}件を止め、故障は計画どおりありませんでした。",
    },
}
