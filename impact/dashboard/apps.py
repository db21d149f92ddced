from django.apps import AppConfig


class DashboardConfig(AppConfig):
    name = "impact.dashboard"
    label = "dashboard"
