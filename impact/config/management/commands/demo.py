"""Set everything up, play both scenarios through the REST API, and show what came of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from impact.analysis.selectors import newest_analysis
from impact.config.declarations import apply_files
from impact.config.summary import summary
from impact.config.supervisor import Supervisor, is_free
from impact.config.terminal import Command as BaseCommand
from impact.config.terminal import progress_bar
from impact.demo import play
from impact.figures.forms import Forms
from impact.figures.sentences import arm_names, completed

HOST = "127.0.0.1"
SCENARIOS = ("churn.yaml", "maintenance.yaml")


class Command(BaseCommand):
    help = "Play a churn and a maintenance experiment through the REST API, analyse and report them, then serve."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--no-serve", action="store_true", help="stop after the report")
        parser.add_argument("--size", choices=sorted(play.CUSTOMERS), default="small")

    def handle(self, *, no_serve: bool, size: str, **options: Any) -> None:
        stage = play.set_up(size)
        if no_serve and play.final_report(stage.workspace) is not None:
            self.tell(stage)
            return
        with Supervisor(HOST, free_port(8000)) as supervisor:
            supervisor.wait_until_ready()
            if play.final_report(stage.workspace) is None:
                files = [Path(settings.ROOT / "scenarios" / name) for name in SCENARIOS]
                apply_files(stage.workspace, files, "demo")
                with progress_bar() as show:
                    play.remember(stage, play.play(stage, supervisor.address, size, show))
            self.tell(stage)
            if no_serve:
                return
            self.stdout.write(
                f"\nOpen {supervisor.address}/w/{stage.workspace.key}/ and sign in as {play.PEOPLE[0][0]} "
                f"with the password {stage.password}\nCtrl-C ends everything."
            )
            self.stdout.flush()
            supervisor.watch()

    def tell(self, stage: play.Stage) -> None:
        """Print the verdicts, the truth that the simulator knows, and where the report is."""
        report = play.final_report(stage.workspace)
        assert report is not None
        truth, forms = play.remember(stage), Forms("en")
        for experiment in play.experiments(stage.workspace):
            analysis = newest_analysis(experiment)
            assert analysis is not None
            document = completed(analysis.document, "en", (experiment.plan or {}).get("case"))
            self.stdout.write(f"\n{summary(document)}")
            for arm, worth in truth.get(experiment.key, {}).items():
                amount = forms.money(worth, stage.workspace.currency, 2, signed=True)
                self.stdout.write(f"  truth built into this world: {arm_names(document)[arm]} {amount}")
        self.stdout.write("")
        for path in play.report_files(stage.workspace, report):
            self.stdout.write(f"Report {report.number}: {path}")


def free_port(wanted: int) -> int:
    """The first port from the wanted one on that nobody listens on."""
    for port in range(wanted, wanted + 100):
        if is_free(HOST, port):
            return port
    raise CommandError(f"Every port from {wanted} to {wanted + 99} is taken; end what listens there.")
