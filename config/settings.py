"""Settings, in one file, that refuses bad values at start."""

import os
import re
import secrets
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import structlog
from django.core.exceptions import ImproperlyConfigured

from apps.core.logs import logging_config, structlog_processors
from config.environment import (
    env,
    read_choice,
    read_flag,
    read_list,
    read_storage,
    read_text,
    read_url,
    read_whole_number,
    refusal,
)
from config.messaging import (
    read_gateway,
    read_mail_server,
    read_providers,
    read_twilio,
)

BASE_DIR = Path(__file__).resolve().parent.parent
LOCAL_HOSTS = ["localhost", "127.0.0.1", "[::1]"]

# ── Where we are ────────────────────────────────────────────────────────────
DEBUG = read_flag("DEBUG", default=False)
DATA_DIR = (BASE_DIR / (read_text("DATA_DIR") or "var")).resolve()
try:
    DATA_DIR.mkdir(parents=True, exist_ok=True)
except OSError as error:
    raise ImproperlyConfigured(
        f"DATA_DIR must be a directory that can be written: {error}."
    ) from error

_public = read_url(
    "PUBLIC_URL",
    "http://localhost:8000",
    ("http", "https"),
    form="the address that browsers and devices use, such as https://depot.example",
)
if not _public.hostname or _public.path.strip("/") or _public.query:
    raise refusal("PUBLIC_URL", _public.geturl(), "an origin: scheme, host and port")
PUBLIC_URL = f"{_public.scheme}://{_public.netloc}"
IS_LOCAL = _public.hostname in {"localhost", "127.0.0.1", "::1"}
IS_HTTPS = _public.scheme == "https"

ALLOWED_HOSTS = [
    f"[{_public.hostname}]" if ":" in _public.hostname else _public.hostname,
    *read_list("ALLOWED_HOSTS"),
]
if IS_LOCAL:
    ALLOWED_HOSTS += [host for host in LOCAL_HOSTS if host not in ALLOWED_HOSTS]
if "*" in ALLOWED_HOSTS:
    raise refusal("ALLOWED_HOSTS", "*", "host names, separated by commas")
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]

# ── Data ────────────────────────────────────────────────────────────────────
_embedded_database = f"sqlite:///{DATA_DIR}/roundsman.sqlite3"
IS_SQLITE = (
    read_url(
        "DATABASE_URL",
        _embedded_database,
        ("sqlite", "postgres", "postgresql"),
        form="sqlite:///FILE or postgres://USER:PASSWORD@HOST:PORT/NAME",
    ).scheme
    == "sqlite"
)
_connection: dict[str, Any] = env.db_url_config(
    read_text("DATABASE_URL") or _embedded_database
)
if not _connection["NAME"] or _connection["NAME"] == ":memory:":
    raise refusal(
        "DATABASE_URL",
        "",
        "a database that several processes share: sqlite:///FILE or postgres://…/NAME",
    )
if IS_SQLITE:
    _connection["NAME"] = str(BASE_DIR / _connection["NAME"])
    _connection["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": (
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
            " PRAGMA mmap_size=134217728; PRAGMA cache_size=-20000;"
        ),
    }
    # A file, since threads do not share one in memory; one a process, since runs meet.
    _connection["TEST"] = {"NAME": str(DATA_DIR / f"test-{os.getpid()}.sqlite3")}
else:
    _connection["ENGINE"] = "apps.core.postgres"
    _connection["CONN_MAX_AGE"] = 60
    _connection["CONN_HEALTH_CHECKS"] = True
    _connection["OPTIONS"] = {
        "connect_timeout": 5,
        "application_name": "roundsman",
        # The statements of the hottest doors are planned once a connection.
        "prepare_threshold": read_whole_number(
            "DATABASE_PREPARE_AFTER", 5, least=0, most=1000
        )
        or None,
        **_connection.get("OPTIONS", {}),
    }
DATABASES = {"default": _connection}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = ""
if read_text("REDIS_URL"):
    REDIS_URL = read_url(
        "REDIS_URL", "", ("redis", "rediss"), form="redis://HOST:PORT/NUMBER"
    ).geturl()
if REDIS_URL:
    CACHES: dict[str, dict[str, Any]] = {
        "default": {
            "BACKEND": "apps.core.caching.ForgivingRedisCache",
            "LOCATION": REDIS_URL,
            "KEY_PREFIX": "roundsman",
        }
    }
else:
    # Processes share it: throttles and the queue's figures have to agree.
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
            "LOCATION": str(DATA_DIR / "cache"),
            "OPTIONS": {"MAX_ENTRIES": 5000},
        }
    }

# ── Roads ───────────────────────────────────────────────────────────────────
ROADS_DIR = DATA_DIR / "roads"
ROADS_SOURCE = read_choice(
    "ROADS_SOURCE",
    "estimated",
    ("estimated", "local", "osrm", "valhalla", "openrouteservice"),
)
ROADS_NETWORK = read_text("ROADS_NETWORK")
ROADS_PYTHON = read_text("ROADS_PYTHON")
if ROADS_PYTHON and not shutil.which(ROADS_PYTHON):
    raise refusal(
        "ROADS_PYTHON", ROADS_PYTHON, "a Python of 3.12 or later that has osrm-bindings"
    )
ROADS_URL = ""
if ROADS_SOURCE in {"osrm", "valhalla", "openrouteservice"}:
    _roads = read_url(
        "ROADS_URL", "", ("http", "https"), form=f"the {ROADS_SOURCE} server's address"
    )
    if not _roads.hostname:
        raise refusal("ROADS_URL", "", f"the {ROADS_SOURCE} server's address")
    ROADS_URL = _roads.geturl().rstrip("/")
ROADS_PROFILE = read_text("ROADS_PROFILE")
if not re.fullmatch(r"[a-z_-]*", ROADS_PROFILE):
    raise refusal("ROADS_PROFILE", ROADS_PROFILE, "the server's name of what drives")
ROADS_API_KEY = read_text("ROADS_API_KEY")
# Together with the engines' caps it stays below the task's timeout.
ROADS_TIMEOUT_S = read_whole_number("ROADS_TIMEOUT_S", 8, least=1, most=60)
ROADS_MAX_PAIRS = read_whole_number("ROADS_MAX_PAIRS", 0, least=0, most=100_000_000)
ROADS_CACHE_MB = read_whole_number("ROADS_CACHE_MB", 256, least=0, most=100_000)

# ── Secrets and transport ───────────────────────────────────────────────────
IS_EMBEDDED = IS_SQLITE and IS_LOCAL and not IS_HTTPS


def _secret_key() -> str:
    """Return the key from the environment; on one's own machine, one made once."""
    key = read_text("SECRET_KEY")
    if key:
        if len(key) < 50 or len(set(key)) < 5:
            raise refusal("SECRET_KEY", "", "at least 50 characters, chosen by chance")
        return key
    if not IS_EMBEDDED:
        raise refusal(
            "SECRET_KEY",
            "",
            "given unless the database is SQLite and PUBLIC_URL is http://localhost",
        )
    path = DATA_DIR / "secret_key"
    fresh = DATA_DIR / f".secret_key-{os.getpid()}"
    if not path.exists():
        fresh.touch(mode=0o600)
        fresh.write_text(secrets.token_urlsafe(64))
        try:
            os.link(fresh, path)  # the first of several starts wins
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return path.read_text().strip()


SECRET_KEY = _secret_key()
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = IS_HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_HSTS_SECONDS = int(timedelta(days=365).total_seconds()) if IS_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = IS_HTTPS
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = int(timedelta(hours=12).total_seconds())
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
FILE_UPLOAD_PERMISSIONS = 0o640

# ── The demo ────────────────────────────────────────────────────────────────
# `create_demo` marks its data directory. There the day's clock can be set, and there
# are log-ins whose passwords lie in a file: on one's own machine and nowhere else.
DEMO_MARK = DATA_DIR / "demo"
DEMO_LOGINS_FILE = DATA_DIR / "demo_logins.json"
DEMO_ALLOWED = IS_LOCAL and not IS_HTTPS
DEMO = read_flag("DEMO", default=DEMO_MARK.exists())
if DEMO and not DEMO_ALLOWED:
    raise ImproperlyConfigured(
        "A demo's data, with its log-ins, are served at http://localhost alone: choose"
        f" another DATA_DIR than {DATA_DIR}, or take DEMO away."
    )
DEMO_CLOCK_NAME = "demo_clock.json"
DEMO_CLOCK_FILE = str(DATA_DIR / DEMO_CLOCK_NAME) if DEMO else None

# ── The application ─────────────────────────────────────────────────────────
INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "django_filters",
    "django_q",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "rest_framework",
    "knox",
    "apps.core",
    "apps.journal",
    "apps.recommendations",
    "apps.depots",
    "apps.notifications",
    "apps.orders",
    "apps.drivers",
    "apps.routes",
    "apps.overrides",
    "apps.feedback",
    "apps.incidents",
    "apps.verdicts",
    "apps.learning",
    "apps.tuning",
    "apps.sync",
    "apps.promises",
    "apps.customers",
    "apps.metrics",
    "apps.training",
]
MIDDLEWARE = [
    "apps.core.middleware.RequestLog",
    "django.middleware.security.SecurityMiddleware",
    "apps.core.middleware.ContentSecurityPolicy",
    "apps.core.middleware.ShortWay",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
# Devices show a credential with each request: they need nothing of what follows above.
SHORT_WAYS = ["/api/sync/"]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
ASGI_APPLICATION = "config.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        # Before the packages' own: what every page of the office carries.
        "DIRS": [BASE_DIR / "config" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
_validation = "django.contrib.auth.password_validation"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"{_validation}.UserAttributeSimilarityValidator"},
    {"NAME": f"{_validation}.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": f"{_validation}.CommonPasswordValidator"},
    {"NAME": f"{_validation}.NumericPasswordValidator"},
]
LOGIN_URL = "admin:login"

USE_TZ = True
TIME_ZONE = "UTC"
USE_I18N = True
LANGUAGE_CODE = "en"
LANGUAGES = [
    ("en", "English"),
    ("de", "Deutsch"),
    ("fr", "Français"),
    ("es", "Español"),
]
LOCALE_PATHS = [BASE_DIR / "config" / "locale"]

STATIC_URL = "/static/"
STORAGES: dict[str, dict[str, Any]] = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    "proofs": read_storage("PROOFS_URL", DATA_DIR / "proofs"),
}
STATICFILES_DIRS = [path for path in [BASE_DIR / "static"] if path.is_dir()]
# Served straight from where the packages keep them: nothing to collect.
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG
WHITENOISE_MAX_AGE = 3600
MEDIA_ROOT = DATA_DIR / "media"
UNFOLD = {
    "SITE_TITLE": "Roundsman",
    "SITE_HEADER": "Roundsman",
    "SITE_SUBHEADER": "The last mile, run from here",
    "SITE_SYMBOL": "local_shipping",
    "SITE_URL": "/",
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "BORDER_RADIUS": "7px",
    "STYLES": [
        f"{STATIC_URL}roundsman/office.css",
        f"{STATIC_URL}roundsman/overrides.css",
        f"{STATIC_URL}roundsman/messages.css",
        f"{STATIC_URL}roundsman/verdicts.css",
    ],
    "SITE_FAVICONS": [
        {
            "rel": "icon",
            "type": "image/svg+xml",
            "href": f"{STATIC_URL}roundsman/mark.svg",
        }
    ],
    "DASHBOARD_CALLBACK": "apps.metrics.admin.board.dashboard",
    "SIDEBAR": {
        "show_search": True,
        "navigation": "apps.metrics.admin.navigation.navigation",
    },
    "COLORS": {
        "primary": {
            "50": "#effcf8",
            "100": "#d5f6ec",
            "200": "#a9ebd9",
            "300": "#70d9c0",
            "400": "#3bbfa3",
            "500": "#1c9d84",
            "600": "#0f7a67",
            "700": "#0f5c4d",
            "800": "#114a40",
            "900": "#123e36",
            "950": "#042420",
        },
    },
}

# ── Messages ────────────────────────────────────────────────────────────────
_transports = "apps.notifications.transports"
MESSAGE_TRANSPORTS = {
    "console": f"{_transports}.console.ConsoleTransport",
    "twilio": f"{_transports}.twilio.TwilioTransport",
    "gateway": f"{_transports}.gateway.GatewayTransport",
    "smtp": f"{_transports}.mail.MailTransport",
}
# By channel, in the order in which they are tried; none: the console.
MESSAGE_PROVIDERS = {
    channel: read_providers(f"{channel.upper()}_VIA", allowed)
    for channel, allowed in {
        "sms": ("twilio", "gateway"),
        "whatsapp": ("twilio", "gateway"),
        "email": ("smtp", "gateway"),
        "push": ("gateway",),
    }.items()
}
_used = {name for names in MESSAGE_PROVIDERS.values() for name in names}
MESSAGE_FILE = DATA_DIR / "messages.jsonl"
TWILIO = read_twilio(
    needed="twilio" in _used, whatsapp="twilio" in MESSAGE_PROVIDERS["whatsapp"]
)
MESSAGE_GATEWAY = read_gateway(needed="gateway" in _used)
DEFAULT_FROM_EMAIL = read_text("EMAIL_FROM") or f"noreply@{_public.hostname}"
globals().update(read_mail_server(needed="smtp" in _used))

# ── Interfaces ──────────────────────────────────────────────────────────────
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "apps.drivers.authentication.ApiTokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": [
        "rest_framework.parsers.JSONParser",
        "rest_framework.parsers.MultiPartParser",
    ],
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_PAGINATION_CLASS": "apps.core.pagination.CursorPagination",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_THROTTLE_CLASSES": [
        "apps.core.throttling.AnonThrottle",
        "apps.core.throttling.ScopedThrottle",
    ],
    "DEFAULT_THROTTLE_RATES": {
        "anon": read_text("THROTTLE_ANON") or "120/min",
        "device": read_text("THROTTLE_DEVICE") or "1200/min",
        "auth": read_text("THROTTLE_AUTH") or "30/min",
    },
    "NUM_PROXIES": read_whole_number("NUM_PROXIES", 0, least=0, most=10),
    "EXCEPTION_HANDLER": "apps.core.answers.exception_handler",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
for _scope, _rate in REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"].items():  # type: ignore[attr-defined]
    _count, _, _period = _rate.partition("/")
    if not _count.isdigit() or _period not in {"s", "sec", "min", "hour", "day"}:
        raise refusal(f"THROTTLE_{_scope.upper()}", _rate, "a rate such as 120/min")
SPECTACULAR_SETTINGS = {
    "TITLE": "Roundsman",
    "DESCRIPTION": "The backend a delivery company runs its last mile on.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SCHEMA_PATH_PREFIX": r"/api/(v1|sync/v1)",
    "SERVE_INCLUDE_SCHEMA": False,
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "OrderKind": "apps.orders.models.Order.Kind",
        "OrderStatus": "apps.orders.states.OrderState",
        "ImportStatus": "apps.orders.states.ImportState",
        "ShiftStatus": "apps.drivers.states.ShiftState",
        "DeviceStatus": "apps.drivers.states.DeviceState",
        "PlanStatus": "apps.routes.states.PlanState",
        "RouteStatus": "apps.routes.states.RouteState",
        "StopStatus": "apps.routes.states.StopState",
        "PlanKind": "apps.routes.models.Plan.Kind",
        "ConditionKind": "apps.routes.models.Condition.Kind",
        "ConditionSource": "apps.routes.models.Condition.Source",
        "ConditionStatus": "apps.routes.states.ConditionState",
        "FeedbackStatus": "apps.feedback.states.FeedbackState",
        "ProposalStatus": "apps.tuning.states.ProposalState",
        "ShadowStatus": "apps.tuning.states.ShadowState",
        "SurveyStatus": "apps.feedback.states.SurveyState",
        "SurveyFormat": "apps.feedback.models.SurveyImport.Format",
        "RecommendationStatus": "apps.recommendations.states.RecommendationState",
        "RecommendationKind": "apps.recommendations.models.Recommendation.Kind",
        "RecommendationMode": "apps.recommendations.models.Recommendation.Mode",
        "OverrideKind": "apps.overrides.states.OverrideKind",
        "OverrideState": "apps.overrides.states.OverrideState",
        "OverrideSource": "apps.overrides.states.OverrideSource",
        "ChangeKind": "apps.overrides.serializers.CHANGE_KINDS",
        "AskReason": "apps.overrides.states.AskReason",
        "AnswerReason": "apps.overrides.states.AnswerReason",
        "RightOutcome": "apps.overrides.models.DecisionRight.Outcome",
        "VerdictRuling": "apps.verdicts.states.RulingChoice",
        "VerdictSubject": "apps.verdicts.states.Subject",
        "RightsProposalState": "apps.verdicts.states.ProposalState",
        "IncidentOutcome": "apps.incidents.states.Outcome",
        "PlanningMode": "apps.routes.states.PlanningMode",
        "GeoJsonPointType": [("Point", "Point")],
    },
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}
KNOX_TOKEN_MODEL = "drivers.Token"  # noqa: S105  a table
# Our own table stands in for knox's: the one that its migrations make is in no model.
MIGRATION_MODULES = {"knox": None}
REST_KNOX = {
    "TOKEN_TTL": timedelta(days=30),
    "AUTO_REFRESH": True,
    "MIN_REFRESH_INTERVAL": int(timedelta(hours=1).total_seconds()),
}

# ── Background work ─────────────────────────────────────────────────────────
WORKERS = read_whole_number("WORKERS", 2, least=1, most=64)
TASK_TIMEOUT_S = read_whole_number("TASK_TIMEOUT_S", 60, least=10, most=3600)
if ROADS_TIMEOUT_S >= TASK_TIMEOUT_S:
    raise refusal(
        "ROADS_TIMEOUT_S",
        str(ROADS_TIMEOUT_S),
        f"less than the {TASK_TIMEOUT_S} of TASK_TIMEOUT_S: a task that waits for a"
        " source of roads has to answer after it",
    )
Q_CLUSTER: dict[str, Any] = {
    "name": "roundsman",
    "label": "Background work",
    "orm": "default",
    "broker_class": "apps.core.pulse.PulsingBroker",
    "workers": WORKERS,
    "queue_limit": WORKERS,
    "timeout": TASK_TIMEOUT_S,
    # Counted from the prefetch: beyond timeout × (2 + queue_limit / workers).
    "retry": TASK_TIMEOUT_S * 4,
    "max_attempts": 5,
    # What failed in our own hands is queued anew there; what did not get so far,
    # for want of a database, is given out again.
    "ack_failures": False,
    # Seconds between two looks at an empty queue: drivers wait for what comes of it.
    # A look costs some 0.3 ms of processor.
    "poll": 0.05,
    "catch_up": False,
    "time_zone": "UTC",
    "save_limit": 500,
    # A solve runs in a child process, which a daemon may not have.
    "daemonize_workers": False,
}
# Who plans a depot for which nobody has chosen: the optimizer, or the rules alone.
PLANNING_MODE = read_choice("PLANNING_MODE", "optimizer", ("optimizer", "rules"))
JOURNAL_REACTIONS = "config.reactions.REACTIONS"
SCHEDULES = "config.schedules.SCHEDULES"
RECOMMENDATION_RERUNNERS = "config.rerunners.RERUNNERS"
RECOMMENDATION_ENGINES = "config.rerunners.ENGINES"
# Who knows what came of a recommendation, a request or a route: the room above them all.
RECOMMENDATION_STORY = "apps.tuning.story.story_of"
OFFICE_TIES = "apps.tuning.ties.ties_of"
# A beat waits behind the tasks at work: two rounds of them at the worst.
PULSE_PATIENCE_S = read_whole_number(
    "PULSE_PATIENCE_S", TASK_TIMEOUT_S * 2 + 30, least=6, most=7200
)
UP_PROGRESS = "apps.routes.selectors.planning_progress"
UP_LOGINS = "apps.training.selectors.demo_logins"

# ── Sync ────────────────────────────────────────────────────────────────────
# How long an event waits for one of its device that is missing before it.
SYNC_HOLD_MINUTES = read_whole_number("SYNC_HOLD_MINUTES", 15, least=1, most=1440)
# How long devices keep what is over, and how long after that they may stay away
# without being sent everything anew.
SYNC_KEEP_DAYS = read_whole_number("SYNC_KEEP_DAYS", 30, least=2, most=3650)

# ── Logs ────────────────────────────────────────────────────────────────────
LOG_LEVEL = read_choice(
    "LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
)
LOG_FORMAT = read_choice(
    "LOG_FORMAT", "console" if DEBUG else "json", ("console", "json")
)
LOGGING = logging_config(level=LOG_LEVEL, form=LOG_FORMAT)
structlog.configure(
    processors=[
        *structlog_processors(),
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ],
    logger_factory=structlog.stdlib.LoggerFactory(),
    wrapper_class=structlog.stdlib.BoundLogger,
    cache_logger_on_first_use=True,
)
