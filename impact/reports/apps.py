from django.apps import AppConfig


class ReportsConfig(AppConfig):
    name = "impact.reports"
    label = "reports"
