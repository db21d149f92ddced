"""The Django project: settings, routes, the API's table, the tick, and the commands that cross rooms."""

from impact.config.celery import app as celery_app

__all__ = ["celery_app"]
