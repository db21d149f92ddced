"""Where each invariant of the design is tested: an index to read, which a test keeps true."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
INVARIANTS: dict[str, dict[str, tuple[str, ...]]] = {
    "1 to 3: probabilities, arms and salts": {
        "experiments/invariants/test_draws.py": (
            "test_1_probabilities_over_eligible_actions_sum_to_1",
            "test_2_a_key_keeps_its_arm_whatever_changes",
            "test_2_every_draw_can_be_replayed_from_what_is_stored",
            "test_3_every_purpose_gets_a_salt_of_its_own",
        ),
    },
    "4 to 6: what is forced, who enters, who is held out": {
        "experiments/invariants/test_modes.py": (
            "test_4_forced_decisions_have_propensity_1_and_no_draw",
            "test_5_who_enters_depends_on_no_arm",
            "test_6_one_experiment_runs_in_a_layer",
            "test_6_holdout_units_get_nothing_but_the_baseline",
        ),
        "analysis/test_measure.py": ("test_forced_decisions_are_counted_by_their_mode",),
    },
    "7: analysis is by assignment": {
        "analysis/test_invariants.py": ("test_7_what_was_executed_moves_no_effect",),
        "analysis/test_take_up.py": ("test_accepted_is_taken_up_where_people_answer",),
    },
    "8: only mature rows count; what is missing is never 0 by itself": {
        "analysis/test_measure.py": (
            "test_rows_whose_window_is_open_are_left_out",
            "test_no_event_means_none_only_where_the_feeds_are_complete",
            "test_an_event_in_an_incomplete_window_is_censored_too",
        ),
        "analysis/test_by_model.py": ("test_the_figures_are_those_of_a_plain_model",),
    },
    "9: three people sign, and what they signed stays": {
        "agreements/test_services.py": (
            "test_does_not_start_without_an_agreement",
            "test_does_not_start_before_the_third_name",
            "test_does_not_start_from_an_altered_agreement",
            "test_nobody_signs_twice",
            "test_a_key_cant_sign_at_all",
        ),
        "agreements/test_declarations.py": ("test_a_running_experiments_agreement_cant_change",),
    },
    "10: costs of both arms, in one currency, measured apart from projected": {
        "analysis/test_invariants.py": ("test_10_what_was_spent_on_the_baseline_is_taken_off_what_the_action_costs",),
        "ledger/test_costs_api.py": ("test_refuses_a_cost_without",),
        "ledger/test_exchange.py": ("test_a_rate_may_be_mended_until_something_was_counted_at_it",),
        "dashboard/test_home.py": ("test_the_measured_sum_opens_the_page_with_its_range",),
    },
    "11: one event, one answer": {
        "experiments/test_replays.py": (
            "test_11_an_event_has_one_answer_and_nothing_is_lost",
            "test_11_an_answer_does_not_expire",
        ),
        "ledger/test_outcomes_api.py": ("test_one_event_from_many_threads_counts_once",),
    },
    "12: accepted, duplicate, quarantined and rejected are all that was sent": {
        "ledger/test_what_may_arrive.py": ("test_each_ends_in_one_place",),
        "ledger/imports/test_load.py": ("test_every_row_ends_in_one_place_with_its_reason",),
        "experiments/test_replays.py": ("test_11_an_event_has_one_answer_and_nothing_is_lost",),
    },
    "13: each number resolves, and recomputes to the same bytes": {
        "analysis/test_invariants.py": (
            "test_13_every_number_resolves_to_an_analysis_and_that_to_its_snapshot",
            "test_13_another_database_gives_the_same_bytes",
        ),
        "analysis/test_document.py": ("test_another_process_gives_the_same_bytes",),
        "config/management/commands/test_verify.py": ("test_what_was_altered_is_named",),
    },
    "14: another workspace's object is a missing one": {
        "config/test_api.py": (
            "test_anothers_object_answers_like_a_missing_one",
            "test_a_row_about_anothers_object_goes_to_quarantine_like_one_about_none",
        ),
        "config/test_urls.py": (),
        "workspaces/test_scoping.py": ("test_every_model_belongs_to_a_workspace", "test_readers_enter_through_within"),
    },
}


@pytest.mark.parametrize("invariant", INVARIANTS)
def test_it_is_tested_where_the_index_says(invariant: str) -> None:
    for path, names in INVARIANTS[invariant].items():
        tree = ast.parse((TESTS / path).read_text(encoding="utf-8"))
        defined = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
        assert set(names) <= defined, f"{path} lacks {set(names) - defined}"
