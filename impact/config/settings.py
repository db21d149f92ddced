"""Everything is read from the environment; nothing set means SQLite and a broker that needs no server."""

from django.utils.translation import gettext_lazy as _

from impact.config import environment as env
from impact.config.environment import ROOT, read

DATA_DIR = read("IMPACT_DATA_DIR", env.directory, ROOT / "var")
DATA_DIR.mkdir(parents=True, exist_ok=True)

SECRET_KEY = read("SECRET_KEY", env.long_secret, "") or env.own_secret(DATA_DIR)
BASE_URL = read("IMPACT_URL", env.address, "http://127.0.0.1:8000")
ALLOWED_HOSTS = read("ALLOWED_HOSTS", env.hosts, ["127.0.0.1", "localhost", "[::1]"])
DEBUG = False

INSTALLED_APPS = [
    "impact.config",
    "impact.reports",
    "impact.analysis",
    "impact.agreements",
    "impact.ledger",
    "experiments",
    "predictions",
    "workspaces",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "drf_spectacular_sidecar",
]

MIDDLEWARE = [
    "impact.config.middleware.answer_what_nobody_caught",
    "django.middleware.security.SecurityMiddleware",
    "impact.config.middleware.answer_api_directly",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "impact.config.middleware.know_no_nul",
    "django_htmx.middleware.HtmxMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "impact.config.urls"
WSGI_APPLICATION = "impact.config.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
APPEND_SLASH = False

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "templates"],
        "APP_DIRS": False,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "impact.dashboard.context.shell",
            ],
            "builtins": ["impact.dashboard.templatetags.figures", "django.templatetags.i18n"],
        },
    }
]

DATABASES = {"default": read("DATABASE_URL", env.database, env.sqlite(DATA_DIR / "impact.sqlite3"))}

# People
AUTH_USER_MODEL = "workspaces.Person"
LOGIN_URL = "sign_in"
LOGIN_REDIRECT_URL = "start"
LOGOUT_REDIRECT_URL = "sign_in"
PASSWORD_RESET_TIMEOUT = 24 * 3600
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]

# Calls that one API key may make in a minute
RATE_LIMIT = read("IMPACT_RATE_LIMIT", env.count, 60_000)

# Work
BROKER_URL = read("BROKER_URL", env.broker, "filesystem://")

# Mail
EMAIL_FILE_PATH = DATA_DIR / "mail"
DEFAULT_FROM_EMAIL = read("IMPACT_MAIL_FROM", str, "Impact <impact@localhost>")
EMAIL_TIMEOUT = 20
vars().update(read("EMAIL_URL", env.mail, {"EMAIL_BACKEND": "django.core.mail.backends.filebased.EmailBackend"}))
EMAIL_FILE_PATH = DATA_DIR / "mail"

# Words and times
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("ja", _("Japanese"))]
LOCALE_PATHS = [ROOT / "locale"]
USE_TZ = True
TIME_ZONE = "UTC"

# Assets come out of the repository and of installed wheels; nothing is fetched when the page is seen
STATIC_URL = "/static/"
STATICFILES_DIRS = [ROOT / "static"]
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False
WHITENOISE_MAX_AGE = 3600

# Security
SECURE_HTTPS = BASE_URL.startswith("https://")
SESSION_COOKIE_SECURE = SECURE_HTTPS
CSRF_COOKIE_SECURE = SECURE_HTTPS
CSRF_TRUSTED_ORIGINS = [BASE_URL]
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if SECURE_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HTTPS
SECURE_HSTS_PRELOAD = SECURE_HTTPS
SECURE_SSL_REDIRECT = SECURE_HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 8 * 1024 * 1024
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    }
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        "impact": {"level": "INFO"},
        "django.request": {"level": "ERROR"},
        # says at every start that the filesystem has no host name
        "kombu.connection": {"level": "ERROR"},
    },
}
