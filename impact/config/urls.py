"""Every address."""

from django.contrib.auth import views as auth
from django.urls import include, path
from django.views.i18n import set_language

from impact.config import api, health, openapi
from impact.dashboard import load_page, reading
from impact.dashboard.design import views as designs
from impact.dashboard.views import agreed, choices, declaring, experiments, keys, overview, trying
from impact.ledger import rates
from impact.ledger import views as ledger
from impact.reports import claim_views as claims
from impact.reports import views as reports
from impact.reports.files import ENDINGS
from workspaces import views as workspaces
from workspaces.forms import SignInForm

in_workspace = [
    path("", overview.home, name="home"),
    path("models", choices.models, name="models"),
    path("models/<key>", choices.model, name="model"),
    path("models/<key>/days.csv", choices.model_days, name="model_days"),
    path("models/<key>/calibration.csv", choices.model_calibration, name="model_calibration"),
    path("experiments", experiments.experiments, name="experiments"),
    path("load", load_page.load, name="load_experiment"),
    path("leave", workspaces.leave, name="leave_demo"),
    path("experiments/<key>", experiments.experiment, name="experiment"),
    path("experiments/<key>/what-if", trying.what_if, name="what_if"),
    path("experiments/<key>/what-if.csv", trying.what_if_file, name="what_if_file"),
    path("experiments/<key>/compliance", experiments.compliance, name="compliance"),
    path("experiments/<key>/results.json", experiments.results, name="results"),
    path("experiments/<key>/results.xlsx", reports.results_file, name="results_file"),
    path("experiments/<key>/comparisons.csv", experiments.comparisons, name="comparisons"),
    path("experiments/<key>/<name>.csv", experiments.picture, name="picture"),
    path("experiments/<key>/agreement", experiments.agreement, name="agreement"),
    path("experiments/<key>/start", experiments.start, name="start_experiment"),
    path("experiments/<key>/waive", experiments.waive_check, name="waive_check"),
    path("experiments/<key>/withdraw", experiments.withdraw_waiver, name="withdraw_waiver"),
    path("experiments/<key>/assignments", experiments.assignments, name="assignments"),
    path("design", designs.design, name="design"),
    path("design/preview", designs.preview, name="design_preview"),
    path("actions", choices.actions, name="actions"),
    path("decision-points", choices.decision_points, name="decision_points"),
    path("decision-points/<key>", choices.decision_point, name="decision_point"),
    path("policies", choices.policies, name="policies"),
    path("policies/<key>", choices.policy, name="policy"),
    path("metrics", agreed.metrics, name="metrics"),
    path("metrics/<key>", agreed.metric, name="metric"),
    path("assumptions", agreed.assumptions, name="assumptions"),
    path("assumptions/<key>", agreed.assumption, name="assumption"),
    path("declare/metric", declaring.declare_metric, name="declare_metric"),
    path("declare/assumption", declaring.declare_assumption, name="declare_assumption"),
    path("reports", reports.reports, name="reports"),
    # before the report itself, whose name would swallow the ending
    *(
        path(f"reports/<number>.{ending}", reports.report_file, {"ending": ending}, name=f"report_{ending}")
        for ending in ENDINGS
    ),
    path("reports/<number>", reports.report, name="report"),
    path("reports/<number>/send-again", reports.send_again, name="send_again"),
    path("reports/<number>/review", reports.review_or_sign, {"step": "review"}, name="review_report"),
    path("reports/<number>/sign", reports.review_or_sign, {"step": "sign"}, name="sign_report"),
    path("reports/<number>/claim", claims.claim, name="claim_benefit"),
    path("claims", claims.claims, name="claims"),
    path("claims/<id>/withdraw", claims.withdraw, name="withdraw_claim"),
    path("reports/schedules/<key>/preview", reports.preview, name="preview_report"),
    path("reports/schedules/<key>/make", reports.make, name="make_report"),
    path("reports/schedules/<key>/pause", reports.pause_or_resume, {"step": "pause"}, name="pause_schedule"),
    path("reports/schedules/<key>/resume", reports.pause_or_resume, {"step": "resume"}, name="resume_schedule"),
    path("rates", rates.rates, name="rates"),
    path("rates/add", rates.add_rate, name="add_rate"),
    path("data", ledger.data, name="data"),
    path("data/import", ledger.import_file, name="import_file"),
    path("data/imports/<id>/reasons", ledger.reasons, name="reasons"),
    path("quarantine", ledger.quarantine, name="quarantine"),
    path("quarantine/replay", ledger.replay_all, name="replay_all"),
    path("quarantine/<id>", ledger.quarantined, name="quarantined"),
    path("quarantine/<id>/replay", ledger.replay_one, name="replay_one"),
    path("quarantine/<id>/dismiss", ledger.dismiss_one, name="dismiss_one"),
    path("jobs", overview.jobs, name="jobs"),
    path("jobs/<uuid:id>/file", experiments.job_file, name="job_file"),
    path("members", workspaces.members, name="members"),
    path("members/invite", workspaces.send_invitation, name="invite"),
    path("members/<id>", workspaces.edit_member, name="edit_member"),
    path("members/<id>/remove", workspaces.end_member, name="end_member"),
    path("keys", keys.keys, name="keys"),
    path("keys/new", keys.make_key, name="make_key"),
    path("keys/<id>/revoke", keys.end_key, name="end_key"),
    path("audit", workspaces.audit, name="audit"),
    path("health", health.health, name="health"),
    path("docs", reading.documentation, name="documentation"),
    path("docs/<name>", reading.documentation, name="document"),
]
signing_in = [
    path(
        "sign-in",
        auth.LoginView.as_view(template_name="workspaces/sign_in.html", authentication_form=SignInForm),
        name="sign_in",
    ),
    path("sign-out", auth.LogoutView.as_view(), name="sign_out"),
    path("account", workspaces.account, name="account"),
    path("join/<token>", workspaces.accept_invitation, name="join"),
    path(
        "password",
        auth.PasswordResetView.as_view(
            template_name="workspaces/password.html",
            email_template_name="workspaces/password_mail.txt",
            subject_template_name="workspaces/password_subject.txt",
        ),
        name="password_reset",
    ),
    path(
        "password/sent",
        auth.PasswordResetDoneView.as_view(template_name="workspaces/password_sent.html"),
        name="password_reset_done",
    ),
    path(
        "password/<uidb64>/<token>",
        auth.PasswordResetConfirmView.as_view(template_name="workspaces/password_new.html"),
        name="password_reset_confirm",
    ),
    path(
        "password/changed",
        auth.PasswordResetCompleteView.as_view(template_name="workspaces/password_changed.html"),
        name="password_reset_complete",
    ),
]

urlpatterns = [
    path("", workspaces.start, name="start"),
    path("demo/enter", workspaces.enter, name="enter_demo"),
    path("w/<workspace>/", include(in_workspace)),
    *signing_in,
    path("unsubscribe/<signed>", reports.unsubscribe, name="unsubscribe"),
    path("language", set_language, name="set_language"),
    path("docs", reading.docs, name="docs"),
    path("docs/<name>", reading.docs, name="doc"),
    path("glossary", overview.glossary, name="glossary"),
    path("api/docs", openapi.docs, name="api_docs"),
    path("api/openapi.json", openapi.openapi, name="openapi"),
    path("api/v1/", include(api.routes())),
    path("health/live", health.live, name="live"),
    path("health/ready", health.ready, name="ready"),
]
