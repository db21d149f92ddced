from django.apps import AppConfig


class AgreementsConfig(AppConfig):
    name = "impact.agreements"
    label = "agreements"
