"""English: the fixed words and the sentences built from them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# a sample ratio below this is no alarm yet, and seldom chance
UNEASY = 0.01
LEVELS = {
    "proven": "Proven",
    "likely": "Likely",
    "unclear": "Unclear",
    "harmful": "Harmful",
    "too_early": "Too early",
    "withheld": "Withheld",
}
ENDINGS = {
    "proven": "proven",
    "likely": "likely, not proven",
    "unclear": "unclear",
    "harmful": "harmful",
    "too_early": "too early to judge",
}
POINTS = "points"
POINTS_OF = {
    "decision": "Decision asked",
    "effect": "Net effect",
    "compared": "Compared with",
    "confidence": "Confidence",
    "threshold": "Stop or wait",
    "guardrails": "Guardrails",
    "agreed": "Agreed, reached",
    "quality": "Data quality",
    "next": "Next step",
}
EFFECT_HEAD = ("Low", "Base", "High")
NO_GUARDRAILS = "None were agreed."
ALL_PASSED = "No check failed."


def signed(name: str, signs_for: str, day: str) -> str:
    return f"{name} ({signs_for}), {day}"


def agreed_line(label: str, agreed: str, came: str, word: str) -> str:
    return f"{label}: agreed {agreed}, came {came} (reached: {word})"


def since_report(number: int) -> str:
    return f"Since report {number}"


def arm(name: str) -> str:
    """A bare number needs a word."""
    return f"Arm {name}" if name.isdigit() else name


def earned(level: str, arm: str, baseline: str, unit: str, amount: str, low: str, high: str) -> str:
    return f"{arm} earned {amount} per {unit} more than {_lower(baseline)}, between {low} and {high}: {ENDINGS[level]}."


def lost(level: str, arm: str, baseline: str, unit: str, amount: str, low: str, high: str) -> str:
    return (
        f"{arm} lost {amount} per {unit} compared with {_lower(baseline)}, between {low} and {high}: {ENDINGS[level]}."
    )


def also_lost(arm: str, amount: str) -> str:
    return f" {arm} lost {amount}."


def moved(
    level: str, arm: str, baseline: str, metric: str, up: bool, amount: str, low: str, high: str, good: bool
) -> str:
    word = "raised" if up else "lowered"
    worth = "good" if good else "bad"
    return f"{arm} {word} {metric} by {amount} ({worth}) compared with {_lower(baseline)}, between {low} and {high}: {ENDINGS[level]}."


def disagreeing(arm: str, metric: str, earns: bool) -> str:
    if earns:
        return f"No arm wins: {_lower(arm)} earns money and makes {metric} worse."
    return f"No arm wins: {_lower(arm)} does best on {metric} and loses money."


def compared(baseline: str, rows: str, unit: str) -> str:
    return f"{baseline}, on {rows} rows that have finished their window."


def cut_off(day: str) -> str:
    return f"Cut-off {day}."


def no_comparison(arm: str, baseline: str, reason: str) -> str:
    return f"{arm} can't be compared with {_lower(baseline)}: {reason}."


def withheld(reason: str) -> str:
    return f"The figure is withheld. {reason}"


def driver_only(metric: str, loses: bool) -> str:
    rest = "but money was lost" if loses else "profit is not proven"
    return f"{metric} moved the right way, {rest}."


NEXT = {
    "proven": "Put it into use, and keep a holdout so that its worth stays measured.",
    "unclear": "Confirm it in a new experiment, or drop it; adding rows to this one would spoil its error rate.",
    "harmful": "Stop it.",
    "no_figure": "Look at the data: does every arm have rows, and do their values differ? Then analyse again.",
    "too_early": "Wait until the windows are over; the range shown may be looked at on any day.",
    "withheld": "Mend what the failed checks name, then analyse again.",
}


def confirm(rows: str, unit: str) -> str:
    return f"Confirm it in a new experiment of about {rows} {unit}s an arm, or drop it."


def recommended(step: str) -> str:
    return f"Recommended: {step}"


def agreed_next(text: str) -> str:
    return f"Agreed for this case: {text}"


CHECKS = {
    "mature_rows": "Mature rows",
    "feeds_complete": "Feeds complete",
    "sample_ratio": "Sample ratio",
    "sample_ratio_by_stratum": "Sample ratio by stratum",
    "missing_alike": "Missing alike",
    "clusters_enough": "Enough clusters",
    "covariates_balanced": "Alike before",
    "driver_and_money": "Driver and money",
    "driver_and_money_by_segment": "Driver and money by segment",
    "assumptions_hold": "Assumptions",
    "cost_booked": "Cost booked",
    "cost_varies": "Cost varies",
    "guardrails_hold": "Guardrails",
    "loss_cap": "Loss cap",
    "propensity_logged": "Logged propensities",
    "draws_replayed": "Draws made again",
    "executed_as_drawn": "Done as drawn",
    "overrides_at_random": "Overrides",
    "effect_lasts": "Effect lasts",
    "few_rows_decide": "Largest values",
    "cost_categories": "Cost categories",
    "incentive_leaks": "Paid for nothing",
    "spent_without_effect": "Where most is spent",
    "strata_unharmed": "No stratum harmed",
    "phases_agree": "Phases agree",
    "forced_left_out": "Left out",
    "agreed_before": "Agreed beforehand",
}
MODES = {
    "holdout": "held out",
    "forced_safety": "forced by safety",
    "forced_capacity": "forced by capacity",
    "manual": "by hand",
    "fallback": "fallback",
}


def waived(name: str, day: str, reason: str) -> str:
    return f" Waived by {name} on {day}: {reason}."


def withdrawn(name: str, waived: str, by: str, day: str, reason: str) -> str:
    return f" {by} withdrew the waiver that {name} gave on {waived}, on {day}: {reason}."


def shown_all_the_same(title: str, name: str, reason: str) -> str:
    return f" Shown although a check failed ({title}), waived by {name}: {reason}."


HANGS_ON = {"arm": "arm", "score": "score"}


def trend(of: str, first: str, last: str) -> str:
    return f"{of} (from {first} to {last})"


def flip(of: str, name: str, at: str, low: str, high: str, unit: str) -> str:
    return f"{of} by {name} at {at} {unit} (assumed {low} to {high})"


def check(found: Mapping[str, Any], n: Mapping[str, str]) -> str:
    """Say a finding; ``n`` holds its numbers as texts."""
    passed, numbers = found["passed"], found["numbers"]
    match found["id"]:
        case "mature_rows":
            if not passed:
                return f"No row counts yet: {n['open']} windows are still open, {n['censored']} rows are censored. Wait, or complete the feeds."
            tail = f" {n['open']} windows are still open." if numbers["open"] else ""
            return f"{n['counted']} rows have finished their window.{tail}"
        case "feeds_complete":
            if passed:
                return "The feeds are complete over every window, so no event means none happened."
            return f"{n['censored']} of {n['of']} rows are left out: their feed isn't complete over the window. Send a heartbeat for it."
        case "sample_ratio":
            if numbers.get("unknown"):
                return "The specification says neither weights nor propensities, so the sizes of the arms can't be checked."
            if passed and found["p_value"] < UNEASY:
                return f"Drawn into the arms: {n['counts']}, where {n['expected']} were due (p {n['p']}): seldom by chance, but no alarm yet. Look for rows that are lost in one arm."
            if passed:
                return f"Drawn into the arms: {n['counts']}, as the draws should give (p {n['p']}). The comparison is fair."
            return f"Drawn into the arms: {n['counts']}, where {n['expected']} were due (p {n['p']}). Rows were lost or moved; the arms can't be compared until it is known why."
        case "sample_ratio_by_stratum":
            if passed:
                return f"Each of the {n['strata']} strata has the sizes that the draws should give."
            return f"The stratum {numbers['stratum']} has other sizes than the draws should give (p {n['p']}). Look for rows that are lost there."
        case "missing_alike":
            if passed:
                return "Outcomes are missing equally often in every arm."
            return f"Outcomes of {numbers['metric']} are missing more often in one arm (p {n['p']}), which can make or hide an effect. Complete them."
        case "clusters_enough":
            if passed:
                return f"Every arm has {n['statistic']} clusters or more."
            return f"An arm has only {n['statistic']} clusters, and the method needs {n['needed']}. Randomize more clusters."
        case "covariates_balanced":
            if passed:
                return f"What was known before is alike in the arms (largest standardized difference {n['statistic']})."
            return f"{numbers['covariate']} differed between arms before anything was done (standardized difference {n['statistic']}). Read the adjusted figure too."
        case "driver_and_money":
            if passed:
                return "Where both are settled, the metric that was to be moved and the money point the same way."
            return f"The metric that was to be moved and the money point opposite ways for: {n['disagreeing']}. Agree which of the two decides."
        case "driver_and_money_by_segment":
            if passed:
                return "In no agreed segment do the metric that was to be moved and the money point opposite ways."
            return f"The metric that was to be moved and the money point opposite ways in a segment: {n['opposed']}. Agree anew which of the two decides there."
        case "assumptions_hold":
            if passed:
                return "No assumption flips the decision within its own range."
            return f"The decision flips within an assumption's own range, so it is likely at most: {n['flips']}. Measure that assumption."
        case "cost_booked":
            if passed:
                return "Costs are the booked ones."
            return (
                f"{n['statistic']} of the cost is planned or estimated, not booked. Log costs to be sure of the return."
            )
        case "cost_varies":
            return f"The cost of {n['arms']} has no variance, so the return shows only the uncertainty of the value."
        case "guardrails_hold":
            return (
                "No guardrail is worse than its margin."
                if passed
                else f"Worse than its margin beyond doubt: {n['broken']}."
            )
        case "loss_cap":
            if passed:
                return f"The rows that were treated lost {n['lost']}, within the cap of {n['cap']}."
            return f"The rows that were treated lost {n['lost']}, more than the cap of {n['cap']}. The experiment pauses; decide whether to stop it."
        case "propensity_logged":
            if passed:
                return f"The arms were drawn with the propensities that are logged (p {n['p']})."
            return f"The arm {n['arms']} has another size than its logged propensities say (p {n['p']}). Nothing that weighs by them holds; find out who draws."
        case "draws_replayed":
            if passed:
                return f"{n['looked']} draws were made again and gave the same arms."
            return f"{n['differing']} of {n['looked']} draws that were made again give another arm. Nothing that rests on the draws holds; find out who changed what is stored."
        case "executed_as_drawn":
            if passed:
                return f"Of what was reported, {n['statistic']} was done otherwise than drawn."
            return f"Of what was reported, {n['statistic']} was done otherwise than drawn, mostly in {n['arms']}. The figure is of assigning the action, not of doing it; find out why."
        case "overrides_at_random":
            if passed:
                return f"{n['overridden']} overrides, hanging neither on the arm nor on the score."
            return f"{n['overridden']} overrides hang on the {n['hangs_on']}. Ask those who override what they see that the draw doesn't."
        case "effect_lasts":
            if passed:
                return "Those who came early and those who came late show the same effect."
            return f"The effect changes with the week in which rows came: {n['trends']}. It may wear off or grow; confirm it over a longer time."
        case "few_rows_decide":
            if passed:
                return f"The largest one in a thousand values hold {n['statistic']} of all value, and capping them turns no sign."
            turned = f", and capped there the sign turns for: {n['arms']}" if numbers["arms"] else ""
            return f"{n['statistic']} of all value lies in the largest one in a thousand, above {n['cap']}{turned}. Look at those rows before you believe the mean."
        case "cost_categories":
            if passed:
                return "Every category of cost is booked in every arm that costs something."
            return (
                f"A category of cost that other arms have is missing: {n['missing']}. Log it, or say that it costs 0."
            )
        case "incentive_leaks":
            if passed:
                return f"Of those who took the incentive up it may have changed most: nothing about {n['leaks']}, as estimated."
            return (
                f"Of those who took the incentive up it changed nothing about at least {n['least']} "
                f"(as estimated: {n['leaks']}): they were paid for what they would have done anyway."
            )
        case "spent_without_effect":
            if passed:
                return "Where each arm spends most, it moves the value."
            return f"Where it spends most, an arm has no effect on value that can be told from none: {n['idle']}."
        case "strata_unharmed":
            if passed:
                return "No arm that does good on the whole does proven harm in a stratum."
            return f"Good on the whole, proven harm within a stratum: {n['harmed']}. Leave that stratum out of what is rolled out."
        case "phases_agree":
            if passed:
                return "The effect has the same sign in every phase."
            return f"Good in all phases together and bad in one: {n['arms']}. Find out what changed between the phases."
        case "forced_left_out":
            return f"Counted and left out of every effect: {n['modes']}."
        case "agreed_before":
            if passed:
                return "What would count was signed before the first assignment."
            return "Not agreed beforehand: this experiment was loaded after it had ended, so nobody signed what would count."
    return found["id"]


def _lower(name: str) -> str:
    """A name inside a sentence; abbreviations and names with capitals stay."""
    return name if len(name) > 1 and any(letter.isupper() for letter in name[1:]) else name[:1].lower() + name[1:]


STATES = {"pass": "Passed", "warn": "Warning", "block": "Blocks", "info": "Note"}
ROLES = {"primary": "primary", "driver": "driver", "secondary": "secondary", "guardrail": "guardrail"}
BASELINE = "baseline"
NOTHING = "none"
BY = {"score_band": "score band", "segment": "segment"}
NO_ROI = "no ratio: the extra cost isn't firmly above zero"


def row(unit: str, episodes: bool) -> str:
    return f"{unit} episode" if episodes else unit


def estimand(row: str, days: str) -> str:
    window = f" over {days} days" if days != "0" else ""
    return f"Average effect per {row}{window}, by assignment, whatever was then really done"


def forest_title(bars: list[tuple[str, str]]) -> str:
    """The finding: what pays, what may, what loses."""
    said = {
        "proven": "pays",
        "likely": "probably pays",
        "harmful": "loses",
        "unclear": "is unclear",
        "too_early": "can't be judged yet",
    }
    parts = [f"{label} {said[level]}" for label, level in bars]
    return "; ".join([parts[0], *(_lower(part) for part in parts[1:])]) if len(parts) <= 3 else _counted(bars)


def _counted(bars: list[tuple[str, str]]) -> str:
    proven = [label for label, level in bars if level == "proven"]
    harmful = sum(level == "harmful" for _, level in bars)
    what = f"Proven: {', '.join(proven)}" if proven else "No arm is proven"
    return f"{what}; {harmful} harmful" if harmful else what


def net_per(currency: str, row: str) -> str:
    return f"Net {currency} per {row}"


def metric_per(metric: str, unit: str, row: str) -> str:
    return f"{metric} in {unit} per {row}" if unit else f"{metric} per {row}"


def forest_axis(what: str, baseline: str, level: str, anytime: bool) -> str:
    holds = ", valid on any day" if anytime else ""
    return f"{what}, compared with {_lower(baseline)}; line = {level} range{holds}"


def segment_title(bars: list[tuple[str, str]]) -> str:
    """The finding: where it pays and where it loses."""
    pays = [label for label, level in bars if level == "likely"]
    loses = [label for label, level in bars if level == "harmful"]
    parts = [f"Probably pays: {'; '.join(pays)}"] if pays else []
    parts += [f"{'l' if pays else 'L'}oses: {'; '.join(loses)}"] if loses else []
    return " \u2013 ".join(parts) or "No segment stands out"


def break_even(metric: str, amount: str) -> str:
    return f"pays from {amount} of {_lower(metric)} on"


def roi_set(kind: str, bounds: list[str]) -> str:
    if kind == "line":
        return "any return is possible"
    return f"{bounds[0]} to {bounds[1]}" if kind == "interval" else f"below {bounds[0]} or above {bounds[1]}"


def not_estimable(reason: str) -> str:
    return f"can't be estimated: {reason}"


def reading(kind: str, up: bool, good: bool, settled: bool) -> str:
    if not settled:
        return "within chance"
    way = ("more" if up else "fewer") if kind == "proportion" else ("higher" if up else "lower")
    return f"{way}, {'good' if good else 'bad'}"
