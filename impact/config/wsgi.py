"""What the web server serves."""

import gc
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "impact.config.settings")
application = get_wsgi_application()
# what was loaded stays, and a batch makes many thousand rows that all go at once: looking through them is in vain
gc.freeze()
gc.set_threshold(100_000, 20, 100)
