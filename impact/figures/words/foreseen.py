"""What is said of the checks before a start: title, said when passed, said when not."""

FORESEEN = {
    "en": {
        "complete": (
            "Complete",
            "Everything that is signed for says something.",
            "Missing: {missing}. Declare the agreement anew.",
        ),
        "baseline_and_chances": (
            "Fair draw",
            "One arm is the baseline, and every arm is drawn with more than 1 % and less than 99 %.",
            "One arm must be the baseline, and every arm drawn with more than 1 % and less than 99 %: {arms}. Change the weights.",
        ),
        "rows_enough": (
            "Enough rows",
            "{planned} rows an arm are enough to prove the net value that is expected.",
            "{planned} rows an arm are planned, and {needed} are needed to prove the net value that is expected of {arms}. It will probably end likely or unclear.",
        ),
        "profit_from_loss": (
            "Profit or loss",
            "An effect that just pays for the action would be seen.",
            "Net effects below {detectable} stay unproven, and {arms} costs less than that: profit can't be told from loss.",
        ),
        "whole_weeks": (
            "Whole weeks",
            "Enrolment covers whole weeks.",
            "Enrolment lasts {days} days, which are no whole weeks: some weekdays count more than others.",
        ),
        "clusters_apart": (
            "Apart",
            "No two units of one {cluster} are in different arms at a time.",
            "Units of one {cluster} can be in different arms at a time, and what is done to one may change the other. Randomize whole clusters.",
        ),
        "clusters_alike": (
            "Clusters counted",
            "The rows needed are {factor} times those of single units, by the clusters that were agreed.",
            "Whole clusters are randomized, and nobody agreed how large and how alike within themselves they are: how many rows it takes isn't known. Say it under clusters (size, icc, cv) and declare the agreement anew.",
        ),
        "owned_in_full": (
            "Own cost",
            "The year is told with what building and running it costs.",
            "Neither building nor running costs anything in this agreement. Say what it costs, or a year looks better than it is.",
        ),
    },
    "ja": {
        "complete": (
            "記載の完全性",
            "署名の対象となる項目は、すべて記載されています。",
            "未記載の項目：{missing}。合意を宣言し直してください。",
        ),
        "baseline_and_chances": (
            "公平な抽選",
            "基準の群は一つで、どの群も1%より大きく99%より小さい確率で抽選されます。",
            "基準の群は一つ、どの群の確率も1%超99%未満でなければなりません：{arms}。重みを変えてください。",
        ),
        "rows_enough": (
            "十分な行数",
            "各群{planned}件で、見込んだ純価値を実証できます。",
            "各群{planned}件の計画ですが、{arms}に見込んだ純価値の実証には{needed}件が必要です。おそらく「有望」か「不明」に終わります。",
        ),
        "profit_from_loss": (
            "利益か損失か",
            "費用をちょうど賄う効果であれば見分けられます。",
            "{detectable}未満の純効果は実証できず、{arms}の費用はそれより小さいため、利益と損失を見分けられません。",
        ),
        "whole_weeks": (
            "週単位の期間",
            "受け入れ期間は週単位です。",
            "受け入れ期間は{days}日で、週単位ではありません。曜日によって重みが変わります。",
        ),
        "clusters_apart": (
            "互いの影響",
            "同じ{cluster}のユニットが、同時に異なる群に入ることはありません。",
            "同じ{cluster}のユニットが同時に異なる群に入ることがあり、一方への施策が他方に影響しえます。クラスターごとに割り付けてください。",
        ),
        "clusters_alike": (
            "クラスターの考慮",
            "合意したクラスターにより、必要な行数はユニットごとに割り付ける場合の{factor}倍です。",
            "クラスターごとに割り付けますが、その大きさと内部の似かたが合意されておらず、必要な行数が分かりません。clusters（size、icc、cv）を示し、合意を宣言し直してください。",
        ),
        "owned_in_full": (
            "自身の費用",
            "1年の価値は、構築と運用の費用を含めて示されます。",
            "この合意では構築にも運用にも費用がかからないことになっています。費用を示さないと、1年の価値が実際より良く見えます。",
        ),
    },
}
PARTS = {
    "en": {
        "hypothesis": "hypothesis", "decision": "decision", "owner": "owner", "if_wins": "what is done if it wins",
        "if_unclear": "what is done if it is unclear", "if_loses": "what is done if it loses", "primary": "primary metric",
    },
    "ja": {
        "hypothesis": "仮説", "decision": "決定", "owner": "責任者", "if_wins": "成功した場合の対応",
        "if_unclear": "不明な場合の対応", "if_loses": "失敗した場合の対応", "primary": "主要な指標",
    },
}  # fmt: skip
