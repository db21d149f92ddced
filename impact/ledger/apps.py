from django.apps import AppConfig


class LedgerConfig(AppConfig):
    name = "impact.ledger"
    label = "ledger"
