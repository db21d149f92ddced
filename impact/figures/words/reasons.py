"""Why a figure can't be estimated, in the reader's language."""

import re

# as the results document has them, with {} where a value stands
JA = {
    "fewer than two rows in an arm": "2件未満の群があります",
    "fewer than two rows in an arm of stratum {}": "層{}に、2件未満の群があります",
    "fewer than two rows in a fold": "分割の一つが2件未満です",
    "fewer than two rows": "行が2件未満です",
    "fewer than three rows": "行が3件未満です",
    "no rows in arm {}": "{}群に行がありません",
    "no variance in either arm": "どの群の値にもばらつきがありません",
    "neither {} nor {} varies in either arm": "どの群でも、{}にも{}にもばらつきがありません",
    "the denominator isn't firmly away from 0 in arm {}": "{}群の分母が、確実に0から離れているとは言えません",
    "too few rows in an arm for its covariates": "共変量の数に対して行の少なすぎる群があります",
    "{} rows in an arm, fewer than the {} that a ratio of sums needs": "{}件しかない群があります（合計の比には{}件が必要です）",
    "{} clusters in an arm, fewer than the {} that a ratio of sums needs": (
        "クラスターが{}個しかない群があります（合計の比には{}個が必要です）"
    ),
    "action {} was taken in fewer than two rows of a fold": "施策{}が、分割の一つで2件未満しか行われていません",
    "no overlap: a row would count {} times": "記録との重なりが足りません（1件が{}件分に数えられます）",
    "no overlap: {} % of the rows carry the estimate": "記録との重なりが足りません（行の{}%だけで推定することになります）",
    "propensities don't match what happened: mean weight {}, must be 1": (
        "割り付け確率が実際と合いません（重みの平均は{}、本来は1）"
    ),
    "not logged in every row": "すべての行には記録されていません",
    "fewer than three clusters": "クラスターが3個未満です",
    "fewer than two randomized keys in an arm": "無作為化した単位が2つ未満の群があります",
    "{} clusters in an arm, fewer than {}": "クラスターが{}個しかない群があります（{}個が必要です）",
    "an arm has a single cluster in a stratum": "層の中にクラスターが1個だけの群があります",
    "a stratum has rows in one arm only": "1つの群にしか行のない層があります",
    "a cluster has rows in two arms or strata, so clusters weren't what was randomized": (
        "2つの群または層にまたがるクラスターがあるため、無作為化の単位はクラスターではありません"
    ),
    "too few possible draws of the arms for an interval": "あり得る割り付けが少なすぎて、範囲を求められません",
    "the difference in take-up isn't firmly above {}": "受け入れの割合の差が、確実に{}を上回るとは言えません",
    "fewer than {} past experiments": "過去の実験が{}件未満です",
}
PATTERNS = [(re.compile(re.escape(english).replace(r"\{\}", "(.+)")), japanese) for english, japanese in JA.items()]


def reason(text: str, language: str) -> str:
    """Say a reason; what nobody translated stays as it is."""
    if language == "ja":
        for pattern, japanese in PATTERNS:
            if found := pattern.fullmatch(text):
                return japanese.format(*found.groups())
    return text
