import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
GOOD_KEY = "k3y-" + "abcdefghij" * 6
SHOW = (
    "import json; from config import settings as s;"
    "print(json.dumps({k: v for k, v in vars(s).items()"
    " if isinstance(v, (str, int, bool, list, dict))}, default=str))"
)


def load(tmp_path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {
        name: value for name, value in os.environ.items() if name in {"PATH", "HOME"}
    }
    return subprocess.run(
        [sys.executable, "-c", SHOW],
        env={**inherited, "DATA_DIR": str(tmp_path), **environment},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("variable", "value", "allowed"),
    [
        ("DEBUG", "maybe", "true or false"),
        ("PUBLIC_URL", "depot.example", "the address"),
        ("PUBLIC_URL", "https://depot.example/app", "an origin"),
        ("ALLOWED_HOSTS", "*", "host names"),
        ("DATABASE_URL", "mysql://u@h/n", "postgres://"),
        ("DATABASE_URL", "sqlite://", "processes share"),
        ("REDIS_URL", "memcached://h", "redis://"),
        ("SECRET_KEY", "short", "at least 50 characters"),
        ("LOG_LEVEL", "LOUD", "one of DEBUG"),
        ("LOG_FORMAT", "xml", "one of console, json"),
        ("WORKERS", "many", "whole number from 1 to 64"),
        ("WORKERS", "0", "whole number from 1 to 64"),
        ("TASK_TIMEOUT_S", "5", "whole number from 10"),
        ("THROTTLE_ANON", "fast", "a rate such as"),
        ("ROADS_SOURCE", "google", "one of estimated, local, osrm"),
        ("ROADS_PYTHON", "/no/python3", "a Python of 3.12 or later"),
        ("ROADS_PROFILE", "../car", "the server's name of what drives"),
        ("ROADS_CACHE_MB", "lots", "a whole number from 0"),
        ("SMS_VIA", "pigeon", "of twilio, gateway, by comma"),
        ("EMAIL_VIA", "twilio", "of smtp, gateway, by comma"),
        ("TWILIO_URL", "ftp://twilio", "an address such as"),
    ],
)
def test_settings_refuse_bad_value(
    tmp_path: Path, variable: str, value: str, allowed: str
) -> None:
    answer = load(tmp_path, **{variable: value})

    assert answer.returncode != 0
    message = answer.stderr.strip().splitlines()[-1]
    assert "ImproperlyConfigured" in message
    assert variable in message
    assert allowed in message


@pytest.mark.parametrize(
    ("environment", "missing"),
    [
        ({"SMS_VIA": "twilio"}, "TWILIO_ACCOUNT_SID"),
        ({"WHATSAPP_VIA": "gateway"}, "MESSAGE_GATEWAY_URL"),
        ({"EMAIL_VIA": "smtp"}, "EMAIL_URL"),
    ],
)
def test_settings_refuse_a_provider_that_lacks_something(
    tmp_path: Path, environment: dict[str, str], missing: str
) -> None:
    answer = load(tmp_path, **environment)

    assert answer.returncode != 0
    assert f"{missing} must be" in answer.stderr.strip().splitlines()[-1]


def test_settings_refuse_a_source_of_roads_that_outlasts_a_task(tmp_path: Path) -> None:
    answer = load(tmp_path, ROADS_TIMEOUT_S="20", TASK_TIMEOUT_S="20")

    assert answer.returncode != 0
    message = answer.stderr.strip().splitlines()[-1]
    assert "ROADS_TIMEOUT_S" in message
    assert "less than the 20 of TASK_TIMEOUT_S" in message


def test_settings_refusal_keeps_password_to_itself(tmp_path: Path) -> None:
    answer = load(tmp_path, DATABASE_URL="mysql://app:hunter2@db/app")

    assert answer.returncode != 0
    assert "hunter2" not in answer.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    "environment",
    [
        {"PUBLIC_URL": "https://depot.example"},
        {"DATABASE_URL": "postgres://app@db/app"},
        {"PUBLIC_URL": "http://192.168.1.9:8000"},
    ],
)
def test_settings_want_key_beyond_own_machine(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    answer = load(tmp_path, **environment)

    assert answer.returncode != 0
    assert "SECRET_KEY must be given" in answer.stderr


def test_settings_make_key_once_on_own_machine(tmp_path: Path) -> None:
    first, second = (json.loads(load(tmp_path).stdout) for _ in range(2))

    assert first["SECRET_KEY"] == second["SECRET_KEY"]
    assert len(first["SECRET_KEY"]) >= 50
    assert stat.S_IMODE((tmp_path / "secret_key").stat().st_mode) == 0o600
    assert not first["DEBUG"]


def test_settings_follow_public_url(tmp_path: Path) -> None:
    answer = load(tmp_path, PUBLIC_URL="https://depot.example", SECRET_KEY=GOOD_KEY)
    settings = json.loads(answer.stdout)

    assert settings["ALLOWED_HOSTS"] == ["depot.example"]
    assert settings["CSRF_TRUSTED_ORIGINS"] == ["https://depot.example"]
    assert settings["SESSION_COOKIE_SECURE"]
    assert settings["CSRF_COOKIE_SECURE"]
    assert settings["SECURE_SSL_REDIRECT"]
    assert settings["SECURE_HSTS_SECONDS"] > 0


def test_settings_use_redis_where_given(tmp_path: Path) -> None:
    answer = load(tmp_path, REDIS_URL="redis://cache:6379/1")
    settings = json.loads(answer.stdout)

    assert "RedisCache" in settings["CACHES"]["default"]["BACKEND"]
    assert settings["REDIS_URL"] == "redis://cache:6379/1"


@pytest.mark.parametrize("workers", ["1", "2", "16"])
def test_settings_give_claims_longer_than_work(tmp_path: Path, workers: str) -> None:
    queue = json.loads(load(tmp_path, WORKERS=workers).stdout)["Q_CLUSTER"]

    rounds = 2 + queue["queue_limit"] / queue["workers"]
    assert queue["retry"] > queue["timeout"] * rounds
    assert not queue["catch_up"]


def test_deploy_check_is_clean(tmp_path: Path) -> None:
    answer = subprocess.run(
        [
            *(sys.executable, "manage.py", "check", "--deploy"),
            *("--fail-level", "WARNING"),
        ],
        env={
            **os.environ,
            "DATA_DIR": str(tmp_path),
            "PUBLIC_URL": "https://depot.example",
            "SECRET_KEY": GOOD_KEY,
        },
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert answer.returncode == 0, answer.stderr
    said = answer.stdout + answer.stderr
    assert "(0 silenced)" in said
    assert "WARNINGS" not in said


def test_settings_want_the_address_of_a_server_of_roads(tmp_path: Path) -> None:
    for address in ({}, {"ROADS_URL": "ftp://roads"}, {"ROADS_URL": "http://"}):
        answer = load(tmp_path, ROADS_SOURCE="osrm", **address)

        assert answer.returncode != 0
        assert "ROADS_URL must be the osrm server's address" in answer.stderr


@pytest.mark.parametrize(("runs", "threshold"), [("0", None), ("2", 2)])
def test_statements_are_prepared_as_the_pooler_allows(
    tmp_path: Path, runs: str, threshold: int | None
) -> None:
    answer = load(
        tmp_path,
        DATABASE_URL="postgres://u@h/n",
        SECRET_KEY=GOOD_KEY,
        DATABASE_PREPARE_AFTER=runs,
    )
    options = json.loads(answer.stdout)["DATABASES"]["default"]["OPTIONS"]
    assert options["prepare_threshold"] == threshold
