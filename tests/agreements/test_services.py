"""Signing an agreement by three people, and starting from it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from experiments.models import Experiment, Phase, Status
from experiments.selectors import experiment_named
from experiments.services.lifecycle import change_status
from impact.agreements.models import Agreement, Signature
from impact.agreements.services import sign, start_experiment
from tests.conftest import START, Caller, enter
from workspaces.errors import Refusal
from workspaces.models import AuditEntry, Membership, Workspace

Sign = Callable[..., Signature]


@pytest.fixture
def agreement(churn: Experiment) -> Agreement:
    return churn.agreements.get()


@pytest.fixture
def names(workspace: Workspace) -> dict[str, Membership]:
    return {
        name: enter(workspace, f"{name}@example.com", "viewer", signs_for)
        for name, signs_for in (("bea", "business"), ("fin", "finance"), ("dan", "data science"), ("ben", "business"))
    }


def signed_by(agreement: Agreement, *members: Membership) -> Experiment:
    for member in members:
        sign(agreement=agreement, membership=member, sha256=agreement.sha256)
    return experiment_named(agreement.workspace, agreement.experiment.key)


def refused(agreement: Agreement, member: Membership, sha256: str | None = None) -> str:
    with pytest.raises(Refusal) as refusal:
        sign(agreement=agreement, membership=member, sha256=agreement.sha256 if sha256 is None else sha256)
    return refusal.value.code


def test_the_third_name_makes_it_agreed(agreement: Agreement, names: dict[str, Membership]) -> None:
    assert signed_by(agreement, names["bea"], names["fin"]).status == Status.DRAFT
    assert signed_by(agreement, names["dan"]).status == Status.AGREED
    assert set(agreement.signatures.values_list("signs_for", flat=True)) == {"business", "finance", "data science"}
    assert {signature.signed_at for signature in agreement.signatures.all()} == {START}
    entry = AuditEntry.objects.get(action="sign agreement for data science")
    assert (entry.actor, entry.subject) == ("dan@example.com", "offers version 1")


def test_nobody_signs_what_they_did_not_see(agreement: Agreement, names: dict[str, Membership]) -> None:
    assert refused(agreement, names["bea"], "0" * 64) == "agreement-changed"
    assert refused(agreement, names["bea"], "") == "agreement-changed"
    assert not agreement.signatures.exists()


def test_nobody_signs_an_older_version(agreement: Agreement, names: dict[str, Membership]) -> None:
    Agreement.objects.create(
        workspace=agreement.workspace,
        experiment=agreement.experiment,
        version=2,
        content={},
        sha256="2" * 64,
        created_at=START,
    )
    assert refused(agreement, names["bea"]) == "agreement-changed"


def test_nobody_signs_twice(agreement: Agreement, names: dict[str, Membership]) -> None:
    signed_by(agreement, names["bea"])
    assert refused(agreement, names["bea"]) == "signed-already"
    bea = names["bea"]
    bea.signs_for = "finance"
    assert refused(agreement, bea) == "signed-already"
    assert agreement.signatures.count() == 1


def test_nobody_signs_for_what_is_signed_for(agreement: Agreement, names: dict[str, Membership]) -> None:
    signed_by(agreement, names["bea"])
    assert refused(agreement, names["ben"]) == "signed-already"


def test_who_signs_for_nobody_cant(agreement: Agreement, mate: Membership) -> None:
    assert refused(agreement, mate) == "may-not-sign"


def test_another_workspaces_member_cant(agreement: Agreement, other_workspace: Workspace) -> None:
    assert refused(agreement, enter(other_workspace, "eve@example.com", "admin", "finance")) == "may-not-sign"


def test_a_key_cant_sign_at_all(api: Caller, agreement: Agreement) -> None:
    body = {"sha256": agreement.sha256}
    assert api.post("/agreements/offers/signatures", body).status_code == 404
    page = Client().post("/w/mobile/experiments/offers/agreement", body, headers={"Authorization": api.secret})
    assert page.status_code == 302 and page["Location"].startswith("/sign-in")
    assert not Signature.objects.exists()


def test_what_is_agreed_cant_be_signed_again(agreement: Agreement, names: dict[str, Membership]) -> None:
    signed_by(agreement, names["bea"], names["fin"], names["dan"])
    assert refused(agreement, names["ben"]) == "wrong-status"


def test_starts_from_its_signed_agreement(agreement: Agreement, names: dict[str, Membership]) -> None:
    experiment = signed_by(agreement, names["bea"], names["fin"], names["dan"])
    started = start_experiment(experiment=experiment, actor="test")
    assert (started.status, started.started_at) == (Status.RUNNING, START)
    assert (started.plan, started.plan_sha256) == (agreement.content, agreement.sha256)
    assert Phase.objects.get(experiment=experiment).weights == {"none": 1, "bonus": 1}


def start_refused(experiment: Experiment) -> str:
    with pytest.raises(Refusal) as refusal:
        start_experiment(experiment=experiment, actor="test")
    assert experiment_named(experiment.workspace, experiment.key).plan is None
    return f"{refusal.value.code}: {refusal.value.detail}"


def test_does_not_start_without_an_agreement(churn: Experiment) -> None:
    churn.agreements.all().delete()
    assert "offers has no agreement" in start_refused(churn)


def test_does_not_start_before_the_third_name(agreement: Agreement, names: dict[str, Membership]) -> None:
    experiment = signed_by(agreement, names["fin"])
    assert start_refused(experiment).endswith("signatures for business, data science are missing.")


def test_does_not_start_from_an_altered_agreement(agreement: Agreement, names: dict[str, Membership]) -> None:
    experiment = signed_by(agreement, names["bea"], names["fin"], names["dan"])
    Agreement.objects.filter(pk=agreement.pk).update(content=agreement.content | {"alpha": 0.2})
    assert "altered after it was signed" in start_refused(experiment)


def test_does_not_start_with_other_arms(agreement: Agreement, names: dict[str, Membership]) -> None:
    experiment = signed_by(agreement, names["bea"], names["fin"], names["dan"])
    experiment.arms.filter(key="bonus").update(weight=9)
    assert "its arms aren't those that were signed" in start_refused(experiment)


@pytest.mark.parametrize("changed", ["baseline", "horizon", "covariates"])
def test_does_not_start_with_another_design(agreement: Agreement, names: dict[str, Membership], changed: str) -> None:
    """A draft may be declared anew between the second and the third name, and its agreement left as it was."""
    experiment = signed_by(agreement, names["bea"], names["fin"], names["dan"])
    if changed == "baseline":
        experiment.arms.filter(key="none").update(is_baseline=False)
        experiment.arms.filter(key="bonus").update(is_baseline=True)
    elif changed == "horizon":
        Experiment.objects.filter(pk=experiment.pk).update(horizon_days=30)
    else:
        Experiment.objects.filter(pk=experiment.pk).update(covariates=["tenure"])
    start_refused(experiment_named(experiment.workspace, experiment.key))


def test_nobody_signs_for_another_design_than_the_experiments(
    agreement: Agreement, names: dict[str, Membership]
) -> None:
    signed_by(agreement, names["bea"], names["fin"])
    Experiment.objects.filter(pk=agreement.experiment_id).update(horizon_days=30)
    assert refused(agreement, names["dan"]) == "agreement-changed"
    assert experiment_named(agreement.workspace, "offers").status == Status.DRAFT


def test_starts_once(running: Experiment) -> None:
    with pytest.raises(Refusal) as refusal:
        start_experiment(experiment=running, actor="test")
    assert refusal.value.code == "wrong-status"


def test_does_not_start_what_was_aborted(running: Experiment) -> None:
    change_status(experiment=running, step="abort", actor="test")
    with pytest.raises(Refusal) as refusal:
        start_experiment(experiment=running, actor="test")
    assert refusal.value.code == "wrong-status"
