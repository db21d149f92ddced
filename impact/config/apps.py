from django.apps import AppConfig


class ConfigConfig(AppConfig):
    name = "impact.config"
    label = "config"
