"""Japanese: the fixed words and the sentences built from them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from impact.figures.words.en import UNEASY

LEVELS = {
    "proven": "実証済み",
    "likely": "有望",
    "unclear": "不明",
    "harmful": "損失",
    "too_early": "時期尚早",
    "withheld": "保留",
}
ENDINGS = {
    "proven": "実証済みです",
    "likely": "有望ですが、実証はされていません",
    "unclear": "効果があるとも無いとも言えません",
    "harmful": "損失が実証されました",
    "too_early": "判断には早すぎます",
}
POINTS = "ポイント"
POINTS_OF = {
    "decision": "求める決定",
    "effect": "純効果",
    "compared": "比較対象",
    "confidence": "確からしさ",
    "threshold": "停止か待機か",
    "guardrails": "ガードレール",
    "agreed": "合意と達成",
    "quality": "データの質",
    "next": "次の一歩",
}
EFFECT_HEAD = ("下限", "推定", "上限")
NO_GUARDRAILS = "合意されたものはありません。"
ALL_PASSED = "不合格の検査はありません。"


def signed(name: str, signs_for: str, day: str) -> str:
    return f"{name}（{signs_for}）、{day}"


def agreed_line(label: str, agreed: str, came: str, word: str) -> str:
    return f"{label}：合意{agreed}、結果{came}（達成：{word}）"


def since_report(number: int) -> str:
    return f"前のレポート（第{number}号）から"


def arm(name: str) -> str:
    """A bare number needs a word."""
    return f"第{name}群" if name.isdigit() else name


def earned(level: str, arm: str, baseline: str, unit: str, amount: str, low: str, high: str) -> str:
    return f"{arm}は、{baseline}と比べて1{unit}当たり{amount}の利益でした（範囲：{low}〜{high}）。{ENDINGS[level]}。"


def lost(level: str, arm: str, baseline: str, unit: str, amount: str, low: str, high: str) -> str:
    return f"{arm}は、{baseline}と比べて1{unit}当たり{amount}の損失でした（範囲：{low}〜{high}）。{ENDINGS[level]}。"


def also_lost(arm: str, amount: str) -> str:
    return f"{arm}は{amount}の損失です。"


def moved(
    level: str, arm: str, baseline: str, metric: str, up: bool, amount: str, low: str, high: str, good: bool
) -> str:
    word = "増やしました" if up else "減らしました"
    worth = "良い" if good else "悪い"
    return (
        f"{arm}は、{baseline}と比べて{metric}を{amount}{word}（{worth}変化、範囲：{low}〜{high}）。{ENDINGS[level]}。"
    )


def disagreeing(arm: str, metric: str, earns: bool) -> str:
    if earns:
        return f"勝者はありません。{arm}は利益をもたらす一方、{metric}を悪化させています。"
    return f"勝者はありません。{arm}は{metric}では最も良い一方、損失を出しています。"


def compared(baseline: str, rows: str, unit: str) -> str:
    return f"{baseline}（観察期間を終えた{rows}件）。"


def cut_off(day: str) -> str:
    return f"集計日：{day}。"


def no_comparison(arm: str, baseline: str, reason: str) -> str:
    return f"{arm}を{baseline}と比べることはできません。{reason}。"


def withheld(reason: str) -> str:
    return f"数値は保留されています。{reason}"


def driver_only(metric: str, loses: bool) -> str:
    rest = "損失が出ました" if loses else "利益は実証されていません"
    return f"{metric}は望ましい方向に動きましたが、{rest}。"


NEXT = {
    "proven": "実施し、価値を測り続けるためにホールドアウトを残してください。",
    "unclear": "新しい実験で確かめるか、取りやめてください。この実験に行を足すと誤り率が崩れます。",
    "harmful": "中止してください。",
    "no_figure": "データを確かめてください。どの群にも行があり、値に違いがありますか。そのうえで分析をやり直してください。",
    "too_early": "観察期間が終わるまで待ってください。表示の範囲はいつ見ても有効です。",
    "withheld": "不合格の検査が示す点を直し、分析をやり直してください。",
}


def confirm(rows: str, unit: str) -> str:
    return f"各群約{rows}{unit}の新しい実験で確かめるか、取りやめてください。"


def recommended(step: str) -> str:
    return f"推奨：{step}"


def agreed_next(text: str) -> str:
    return f"この場合の合意：{text}"


CHECKS = {
    "mature_rows": "観察の完了",
    "feeds_complete": "データの完全性",
    "sample_ratio": "割り付け比率",
    "sample_ratio_by_stratum": "層別の割り付け比率",
    "missing_alike": "欠測の均等",
    "clusters_enough": "クラスター数",
    "covariates_balanced": "事前の均等",
    "driver_and_money": "指標と金額",
    "driver_and_money_by_segment": "セグメント別の指標と金額",
    "assumptions_hold": "前提",
    "cost_booked": "費用の計上",
    "cost_varies": "費用のばらつき",
    "guardrails_hold": "ガードレール",
    "loss_cap": "損失の上限",
    "propensity_logged": "記録された割り付け確率",
    "draws_replayed": "抽選の再現",
    "executed_as_drawn": "抽選どおりの実行",
    "overrides_at_random": "上書き",
    "effect_lasts": "効果の持続",
    "few_rows_decide": "最大の値",
    "cost_categories": "費用の種類",
    "incentive_leaks": "無駄になった支払い",
    "spent_without_effect": "最も費用をかけた層",
    "strata_unharmed": "層ごとの害",
    "phases_agree": "フェーズの一致",
    "forced_left_out": "対象外",
    "agreed_before": "事前の合意",
}
MODES = {
    "holdout": "ホールドアウト",
    "forced_safety": "安全のための強制",
    "forced_capacity": "能力不足による強制",
    "manual": "手動",
    "fallback": "代替",
}


def waived(name: str, day: str, reason: str) -> str:
    return f"{name}が{day}に免除しました：{reason}。"


def withdrawn(name: str, waived: str, by: str, day: str, reason: str) -> str:
    return f"{name}による{waived}の免除は、{by}が{day}に撤回しました：{reason}。"


def shown_all_the_same(title: str, name: str, reason: str) -> str:
    return f"検査（{title}）は不合格でしたが、{name}が免除しました：{reason}。"


HANGS_ON = {"arm": "群", "score": "スコア"}


def trend(of: str, first: str, last: str) -> str:
    return f"{of}（{first}から{last}へ）"


def flip(of: str, name: str, at: str, low: str, high: str, unit: str) -> str:
    return f"{of}は{name}が{at}{unit}で逆転（前提の範囲：{low}〜{high}）"


def check(found: Mapping[str, Any], n: Mapping[str, str]) -> str:
    """Say a finding; ``n`` holds its numbers as texts."""
    passed, numbers = found["passed"], found["numbers"]
    match found["id"]:
        case "mature_rows":
            if not passed:
                return f"まだ数えられる行がありません。観察中が{n['open']}件、打ち切りが{n['censored']}件です。待つか、データを補ってください。"
            tail = f"観察中が{n['open']}件あります。" if numbers["open"] else ""
            return f"{n['counted']}件が観察期間を終えました。{tail}"
        case "feeds_complete":
            if passed:
                return "すべての観察期間でデータがそろっているため、事象の記録が無いことは「起きなかった」ことを意味します。"
            return f"{n['of']}件中{n['censored']}件を除外しました。観察期間のデータがそろっていません。ハートビートを送ってください。"
        case "sample_ratio":
            if numbers.get("unknown"):
                return "仕様に重みも割り付け確率も無いため、群の大きさを検査できません。"
            if passed and found["p_value"] < UNEASY:
                return f"各群に割り付けられた数は、{n['counts']}ですが、{n['expected']}のはずでした（p {n['p']}）。偶然にはまれですが、警報の水準ではありません。片方の群で失われた行がないか確かめてください。"
            if passed:
                return f"各群に割り付けられた数は、{n['counts']}で、抽選どおりです（p {n['p']}）。公平に比較できます。"
            return f"各群に割り付けられた数は、{n['counts']}ですが、{n['expected']}のはずでした（p {n['p']}）。行が失われたか移っています。原因が分かるまで群を比較できません。"
        case "sample_ratio_by_stratum":
            if passed:
                return f"{n['strata']}個の層それぞれが、抽選どおりの大きさです。"
            return f"層{numbers['stratum']}の大きさが抽選と異なります（p {n['p']}）。失われた行を探してください。"
        case "missing_alike":
            if passed:
                return "結果の欠測は、どの群でも同じ割合です。"
            return f"{numbers['metric']}の結果が、ある群で多く欠けています（p {n['p']}）。効果を作ったり隠したりします。補ってください。"
        case "clusters_enough":
            if passed:
                return f"どの群にも{n['statistic']}個以上のクラスターがあります。"
            return f"クラスターが{n['statistic']}個しかない群があります。この手法には{n['needed']}個が必要です。より多くのクラスターを割り付けてください。"
        case "covariates_balanced":
            if passed:
                return f"事前に分かっていたことは各群で似ています（標準化差の最大は{n['statistic']}）。"
            return f"{numbers['covariate']}が、何もしないうちから群の間で異なっています（標準化差{n['statistic']}）。調整後の数値も見てください。"
        case "driver_and_money":
            if passed:
                return "両方が確かなところでは、動かしたい指標と金額は同じ方向です。"
            return f"動かしたい指標と金額が逆の方向です：{n['disagreeing']}。どちらで決めるかを合意してください。"
        case "driver_and_money_by_segment":
            if passed:
                return "合意したどのセグメントでも、動かしたい指標と金額は逆の方向を向いていません。"
            return f"セグメントの中で、動かしたい指標と金額が逆の方向です：{n['opposed']}。そこでどちらで決めるかを、あらためて合意してください。"
        case "assumptions_hold":
            if passed:
                return "どの前提も、その範囲の中では決定を変えません。"
            return f"前提の範囲の中で決定が逆転するため、最大でも「有望」です：{n['flips']}。その前提を測ってください。"
        case "cost_booked":
            if passed:
                return "費用は計上された実績です。"
            return f"費用の{n['statistic']}は実績ではなく計画値または見積もりです。収益率を確かめるには費用を記録してください。"
        case "cost_varies":
            return f"{n['arms']}の費用にばらつきが無いため、収益率には価値の不確かさだけが表れます。"
        case "guardrails_hold":
            return (
                "許容幅を超えて悪化したガードレールはありません。"
                if passed
                else f"許容幅を確実に超えて悪化：{n['broken']}。"
            )
        case "loss_cap":
            if passed:
                return f"施策を受けた行の損失は{n['lost']}で、上限{n['cap']}の範囲内です。"
            return f"施策を受けた行の損失が{n['lost']}となり、上限{n['cap']}を超えました。実験は一時停止します。中止するかどうかを決めてください。"
        case "propensity_logged":
            if passed:
                return f"各群は、記録された割り付け確率どおりに抽選されました（p {n['p']}）。"
            return f"{n['arms']}の大きさが、記録された割り付け確率と異なります（p {n['p']}）。確率で重み付けした数値は信頼できません。抽選の仕組みを調べてください。"
        case "draws_replayed":
            if passed:
                return f"{n['looked']}件の抽選をやり直し、同じ群になりました。"
            return f"やり直した{n['looked']}件の抽選のうち{n['differing']}件が別の群になりました。抽選に基づくものは何も信頼できません。保存された内容を誰が変えたかを調べてください。"
        case "executed_as_drawn":
            if passed:
                return f"報告されたもののうち、抽選と異なる実行は{n['statistic']}です。"
            return f"報告されたもののうち{n['statistic']}が抽選と異なる形で実行されました（主に{n['arms']}）。数値は実行ではなく割り付けの効果です。理由を調べてください。"
        case "overrides_at_random":
            if passed:
                return f"{n['overridden']}件の上書きは、群にもスコアにも左右されていません。"
            return f"{n['overridden']}件の上書きが{n['hangs_on']}に左右されています。抽選に無い何を見ているのか、上書きした人に尋ねてください。"
        case "effect_lasts":
            if passed:
                return "早く来た行と遅く来た行で、効果は同じです。"
            return f"行が来た週によって効果が変わります：{n['trends']}。薄れるか強まるかもしれません。より長い期間で確認してください。"
        case "few_rows_decide":
            if passed:
                return f"上位0.1%の値が全体の価値に占める割合は{n['statistic']}で、上限で抑えても符号は変わりません。"
            turned = f"。そこで抑えると符号が変わる群：{n['arms']}" if numbers["arms"] else ""
            return f"全体の価値の{n['statistic']}が、上位0.1%（{n['cap']}超）の値にあります{turned}。平均を信じる前に、それらの行を見てください。"
        case "cost_categories":
            if passed:
                return "費用のかかるどの群でも、すべての種類の費用が計上されています。"
            return f"ほかの群にある種類の費用がありません：{n['missing']}。記録するか、0だと示してください。"
        case "incentive_leaks":
            if passed:
                return f"特典を受けた人の多くで行動が変わった可能性があります。変わらなかった割合の推定：{n['leaks']}。"
            return (
                f"特典を受けた人のうち少なくとも{n['least']}（推定：{n['leaks']}）は何も変わっていません。"
                "特典がなくても同じ行動をとった人への支払いです。"
            )
        case "spent_without_effect":
            if passed:
                return "どの群も、最も費用をかけた層で価値を動かしています。"
            return f"最も費用をかけた層で、価値への効果がゼロと区別できません：{n['idle']}。"
        case "strata_unharmed":
            if passed:
                return "全体として良い群のうち、ある層で害が実証されたものはありません。"
            return (
                f"全体としては良い一方、ある層で害が実証されています：{n['harmed']}。その層は展開から外してください。"
            )
        case "phases_agree":
            if passed:
                return "効果の符号は、どのフェーズでも同じです。"
            return f"全体では良い一方、あるフェーズでは悪くなっています：{n['arms']}。フェーズの間に何が変わったかを調べてください。"
        case "forced_left_out":
            return f"数えたうえで、すべての効果から除外しました：{n['modes']}。"
        case "agreed_before":
            if passed:
                return "何を数えるかは、最初の割り付けより前に署名されました。"
            return "事前の合意がありません。終了後に読み込まれた実験のため、何を数えるかに署名した人はいません。"
    return found["id"]


STATES = {"pass": "合格", "warn": "注意", "block": "公表不可", "info": "参考"}
ROLES = {"primary": "主要", "driver": "駆動", "secondary": "副次", "guardrail": "ガードレール"}
BASELINE = "基準"
NOTHING = "なし"
BY = {"score_band": "スコア帯", "segment": "セグメント"}
NO_ROI = "比率なし：追加費用が確実にゼロを上回っていません"


def row(unit: str, episodes: bool) -> str:
    return "エピソード" if episodes else "件"


def estimand(row: str, days: str) -> str:
    window = f"{days}日間の" if days != "0" else ""
    return f"1{row}当たりの{window}平均効果。実際に何が行われたかによらず、割り付けどおりに集計"


def forest_title(bars: list[tuple[str, str]]) -> str:
    """The finding: what pays, what may, what loses."""
    said = {
        "proven": "利益",
        "likely": "おそらく利益",
        "harmful": "損失",
        "unclear": "不明",
        "too_early": "判断はまだできない",
    }
    if len(bars) <= 3:
        return "、".join(f"{label}は{said[level]}" for label, level in bars)
    proven = [label for label, level in bars if level == "proven"]
    return f"実証済み：{'、'.join(proven)}" if proven else "実証された群はない"


def net_per(currency: str, row: str) -> str:
    return f"1{row}当たりの純価値（{currency}）"


def metric_per(metric: str, unit: str, row: str) -> str:
    return f"1{row}当たりの{metric}（{unit}）" if unit else f"1{row}当たりの{metric}"


def forest_axis(what: str, baseline: str, level: str, anytime: bool) -> str:
    holds = "（いつ見ても有効）" if anytime else ""
    return f"{baseline}と比べた{what}。線は{level}の範囲{holds}"


def segment_title(bars: list[tuple[str, str]]) -> str:
    """The finding: where it pays and where it loses."""
    pays = [label for label, level in bars if level == "likely"]
    loses = [label for label, level in bars if level == "harmful"]
    parts = [f"おそらく利益：{'、'.join(pays)}"] if pays else []
    parts += [f"損失：{'、'.join(loses)}"] if loses else []
    return "。".join(parts) or "目立つセグメントはない"


def break_even(metric: str, amount: str) -> str:
    return f"{metric}が{amount}以上で採算"


def roi_set(kind: str, bounds: list[str]) -> str:
    if kind == "line":
        return "どの値もありうる"
    return f"{bounds[0]}〜{bounds[1]}" if kind == "interval" else f"{bounds[0]}未満、または{bounds[1]}超"


def not_estimable(reason: str) -> str:
    return f"推定できません（{reason}）"


def reading(kind: str, up: bool, good: bool, settled: bool) -> str:
    if not settled:
        return "偶然の範囲内"
    return f"{'増加' if up else '減少'}（{'良い' if good else '悪い'}）"
