from django.apps import AppConfig


class AnalysisConfig(AppConfig):
    name = "impact.analysis"
    label = "analysis"
