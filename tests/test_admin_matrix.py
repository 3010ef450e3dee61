"""Every page of the admin × every role → who may open it, from one table (C29)."""

from collections.abc import Iterator

import pytest
import pytest_django
from django.conf import settings
from django.contrib import admin
from django.db import transaction
from django.test import Client, override_settings
from django.urls import URLPattern, URLResolver, reverse

from apps.core.roles import DRIVER, ROLES, permissions_of
from tests.office import Office, make_office, make_user, signed_in

pytestmark = pytest.mark.django_db

STAFF = "staff"
"""Every role of the office."""
NOBODY = "nobody"
"""The administrator alone, who has every permission, or not even that one."""

SITE = {
    "index": STAFF,
    "search": STAFF,
    "password_change": STAFF,
    "password_change_done": STAFF,
    "jsi18n": STAFF,
}
OTHERS_CASE = {"login", "logout", "autocomplete", "view_on_site", "app_list"}
"""Django's own, without a row of ours: open to all, or answered with what it leads to."""

PAGES: dict[str, dict[str, str]] = {
    "depots.depot": {"view": "depots.view_depot", "add": "depots.add_depot"},
    "depots.zone": {"view": "depots.view_zone", "add": "depots.add_zone"},
    "depots.absence": {
        "view": "depots.view_absence",
        "add": "depots.add_absence",
        "end": "depots.change_absence",
    },
    "routes.depotmode": {
        "view": "routes.view_depotmode",
        "add": NOBODY,
        "switch": "routes.change_depotmode",
        "limits": "routes.change_depotmode",
    },
    "routes.decisionpoint": {
        "view": "routes.view_decisionpoint",
        "add": "routes.add_decisionpoint",
        "let": "routes.change_decisionpoint",
    },
    "incidents.incident": {
        "view": "incidents.view_incident",
        "add": NOBODY,
        "assign": "incidents.change_incident",
        "escalate": "incidents.change_incident",
        "resolve": "incidents.change_incident",
        "note": "incidents.change_incident",
        "playbook": "incidents.change_incident",
        "moves": "incidents.view_incident",
        "reliance": "incidents.view_incident",
    },
    "metrics.dailyfigure": {
        "view": "metrics.view_dailyfigure",
        "add": NOBODY,
        "monitor": "metrics.view_dailyfigure",
        "confidence": "feedback.view_survey",
    },
    "incidents.actionitem": {
        "view": "incidents.view_actionitem",
        "add": NOBODY,
        "give": "incidents.change_actionitem",
        "settle": "incidents.change_actionitem",
    },
    "incidents.playbook": {
        "view": "incidents.view_playbook",
        "add": "incidents.add_playbook",
    },
    "incidents.workcap": {
        "view": "incidents.view_workcap",
        "add": "incidents.add_workcap",
    },
    "verdicts.verdict": {"view": "verdicts.view_verdict", "add": NOBODY},
    "verdicts.rightsproposal": {
        "view": "verdicts.view_rightsproposal",
        "add": NOBODY,
        "sign": NOBODY,
        "decline": NOBODY,
        "take_back": NOBODY,
    },
    "orders.order": {
        "view": "orders.view_order",
        "add": NOBODY,
        "cancel": "orders.change_order",
        "cancel_one": "orders.change_order",
        "reschedule_one": "orders.change_order",
        "prefer_one": "orders.change_order",
    },
    "orders.importrun": {
        "view": "orders.view_importrun",
        "add": "orders.add_importrun",
        "progress": "orders.view_importrun",
        "quarantine": "orders.view_importrun",
    },
    "orders.quarantinedrow": {"view": "orders.view_quarantinedrow", "add": NOBODY},
    "orders.customer": {"view": "orders.view_customer", "add": NOBODY},
    "orders.address": {"view": "orders.view_address", "add": NOBODY},
    "drivers.driver": {
        "view": "drivers.view_driver",
        "add": "drivers.add_driver",
        "enrolment_code": "drivers.add_enrolmentcode",
    },
    "drivers.vehicle": {"view": "drivers.view_vehicle", "add": "drivers.add_vehicle"},
    "drivers.vehicletype": {"view": "drivers.view_vehicletype", "add": NOBODY},
    "drivers.shift": {
        "view": "drivers.view_shift",
        "add": "drivers.add_shift",
        "cancel": "drivers.change_shift",
    },
    "drivers.device": {
        "view": "drivers.view_device",
        "add": NOBODY,
        "revoke": "drivers.change_device",
    },
    "routes.plan": {
        "view": "routes.view_plan",
        "add": "routes.add_plan",
        "publish": "routes.add_plan",
        "progress_panel": "routes.view_plan",
        "why": "routes.view_plan",
    },
    "routes.route": {"view": "routes.view_route", "add": NOBODY},
    "routes.condition": {
        "view": "routes.view_condition",
        "add": "routes.add_condition",
        "confirm": "routes.change_condition",
        "end": "routes.change_condition",
    },
    "routes.planchange": {"view": "routes.view_planchange", "add": NOBODY},
    "overrides.override": {
        "view": "overrides.view_override",
        "add": "overrides.add_override",
        "queue": "overrides.view_override",
        "together": "overrides.change_override",
        "answer": "overrides.change_override",
        "instead": "overrides.change_override",
        "price": "overrides.change_override",
        "withdraw": "overrides.add_override",
    },
    "overrides.decisionright": {
        "view": "overrides.view_decisionright",
        "add": "overrides.add_decisionright",
        "end": "overrides.change_decisionright",
        "who_may": "overrides.view_decisionright",
    },
    "recommendations.recommendation": {
        "view": "recommendations.view_recommendation",
        "add": NOBODY,
    },
    "tuning.proposal": {
        "view": "tuning.view_proposal",
        "add": NOBODY,
        "approve": "tuning.change_proposal",
        "decline": "tuning.change_proposal",
        "revert": "tuning.change_proposal",
    },
    "feedback.feedback": {
        "view": "feedback.view_feedback",
        "add": "feedback.add_feedback",
        "triage": "feedback.change_feedback",
    },
    "feedback.survey": {
        "view": "feedback.view_survey",
        "add": "feedback.add_survey",
        "live": "feedback.change_survey",
        "retire": "feedback.change_survey",
        "import_answers": "feedback.add_surveyimport",
        "export": "feedback.view_response",
        "answer": "feedback.add_response",
        "dismiss": "feedback.add_response",
    },
    "feedback.surveyimport": {"view": "feedback.view_surveyimport", "add": NOBODY},
    "feedback.surveyhook": {
        "view": "feedback.view_surveyhook",
        "add": "feedback.add_surveyhook",
        "close": "feedback.change_surveyhook",
    },
    "learning.estimate": {
        "view": "learning.view_estimate",
        "add": NOBODY,
        "pictures": "learning.view_estimate",
    },
    "notifications.message": {
        "view": "notifications.view_message",
        "add": NOBODY,
        "resend": "notifications.change_message",
        "phone": "notifications.view_message",
    },
    "notifications.reply": {"view": "notifications.view_reply", "add": NOBODY},
    "notifications.consent": {
        "view": "notifications.view_consent",
        "add": "notifications.add_consent",
    },
    "notifications.messagepolicy": {
        "view": "notifications.view_messagepolicy",
        "add": "notifications.add_messagepolicy",
    },
    "notifications.messagetemplate": {
        "view": "notifications.view_messagetemplate",
        "add": "notifications.add_messagetemplate",
        "preview": "notifications.view_messagetemplate",
    },
    "journal.entry": {"view": "journal.view_entry", "add": NOBODY},
    "core.taskrun": {
        "view": "core.view_taskrun",
        "add": NOBODY,
        "run_again": "core.change_taskrun",
    },
    "sync.deviceevent": {"view": "sync.view_deviceevent", "add": NOBODY},
    "sync.quarantinedevent": {
        "view": "sync.view_quarantinedevent",
        "add": NOBODY,
        "mend": "sync.change_quarantinedevent",
        "dismiss": "sync.change_quarantinedevent",
    },
    "sync.attachment": {
        "view": "sync.view_attachment",
        "add": NOBODY,
        "file": "sync.view_attachment",
    },
    "promises.slotrules": {
        "view": "promises.view_slotrules",
        "add": "promises.add_slotrules",
    },
    "promises.hold": {"view": "promises.view_hold", "add": NOBODY},
    "customers.customerpage": {
        "view": "customers.view_customerpage",
        "add": "customers.add_customerpage",
    },
    "customers.pickuppoint": {
        "view": "customers.view_pickuppoint",
        "add": "customers.add_pickuppoint",
    },
    "customers.addressproposal": {
        "view": "customers.view_addressproposal",
        "add": NOBODY,
        "approve": "customers.change_addressproposal",
        "reject": "customers.change_addressproposal",
    },
    "customers.link": {
        "view": "customers.view_link",
        "add": NOBODY,
        "revoke": "customers.change_link",
    },
    "auth.user": {"view": NOBODY, "add": NOBODY, "password_change": NOBODY},
    "auth.group": {"view": NOBODY, "add": NOBODY},
    "django_q.schedule": {"view": NOBODY, "add": NOBODY},
    "django_q.success": {"view": NOBODY, "add": NOBODY},
    "django_q.failure": {"view": NOBODY, "add": NOBODY},
    "django_q.ormq": {"view": NOBODY, "add": NOBODY},
}
HOUSE_WIDE = {"drivers.vehicletype", "feedback.survey"}
"""Rows that are no depot's: every depot goes by them, administrators change them."""
WITHOUT_A_ROW = {"orders_order_cancel": 404}
"""Asked with nothing chosen, these answer so to who may."""


def wanted() -> dict[str, str]:
    """Return the permission that each page needs, by the name of its address."""
    table = dict(SITE)
    for label, needs in PAGES.items():
        stem = label.replace(".", "_")
        pages = {"changelist": "view", "change": "view", "history": "view"}
        table |= {f"{stem}_{page}": needs[key] for page, key in pages.items()}
        table[f"{stem}_delete"] = NOBODY
        table |= {
            f"{stem}_{page}": need for page, need in needs.items() if page != "view"
        }
    return table


def admin_patterns() -> Iterator[URLPattern]:
    """Yield every address of the admin that has a name."""

    def walk(patterns: list[URLPattern | URLResolver]) -> Iterator[URLPattern]:
        for pattern in patterns:
            if isinstance(pattern, URLResolver):
                yield from walk(pattern.url_patterns)
            elif pattern.name:
                yield pattern

    yield from walk(admin.site.get_urls())


def address(pattern: URLPattern, office: Office) -> str:
    """Return the page's address for a row of the office."""
    fields = pattern.pattern.regex.groupindex
    if not pattern.pattern.converters and not fields:
        return reverse(f"admin:{pattern.name}")
    label = str(pattern.name).split("_")
    row = next(
        (
            office.rows[found]
            for cut in range(1, len(label))
            if (found := f"{'_'.join(label[:cut])}.{label[cut]}") in office.rows
        ),
        None,
    )
    return reverse(f"admin:{pattern.name}", args=[row.pk if row else 0])


@pytest.fixture(scope="module", autouse=True)
def own_storage() -> Iterator[None]:
    """Files of proof lie in memory as long as the offices stand: all through the file."""
    memory = {"BACKEND": "django.core.files.storage.InMemoryStorage"}
    with override_settings(STORAGES={**settings.STORAGES, "proofs": memory}):
        yield


@pytest.fixture(scope="module")
def laid(
    own_storage: None,
    django_db_setup: None,
    django_db_blocker: pytest_django.DjangoDbBlocker,
) -> Iterator[None]:
    """Let rows stand all through the file: pages are looked at here, nothing is changed."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture(scope="module")
def office(laid: None) -> Office:
    return make_office()


@pytest.fixture(scope="module")
def mine(laid: None) -> Office:
    """Return an office beside the other, which sees nothing of it."""
    return make_office(code="mine")


def test_every_page_of_the_admin_stands_in_the_table() -> None:
    names = {str(pattern.name) for pattern in admin_patterns()}
    assert names - OTHERS_CASE == set(wanted())


@pytest.mark.parametrize("role", [role for role in ROLES if role != DRIVER])
def test_page_opens_for_the_roles_of_the_table_alone(role: str, office: Office) -> None:
    client = signed_in(make_user(role, office.depot))
    held = permissions_of(role) | {STAFF}
    table = wanted()
    wrong = []
    for pattern in admin_patterns():
        if pattern.name in OTHERS_CASE:
            continue
        url = address(pattern, office)
        name = str(pattern.name)
        may = table[name] in held
        expected = WITHOUT_A_ROW.get(name, 200) if may else 403
        got = client.get(url).status_code
        if got != expected:
            wrong.append(f"{pattern.name}: {got}, not {expected}")
    assert not wrong


def test_driver_and_stranger_are_sent_to_sign_in_from_every_page(
    office: Office,
) -> None:
    for client in (Client(), signed_in(make_user(DRIVER, office.depot))):
        for pattern in admin_patterns():
            if pattern.name in OTHERS_CASE:
                continue
            answer = client.get(address(pattern, office))
            assert answer.status_code == 302, pattern.name
            assert answer["Location"].startswith("/admin/login/"), pattern.name


def test_row_of_another_depot_is_absent_from_every_page(
    office: Office, mine: Office
) -> None:
    client = signed_in(make_user("Supervisor", mine.depot))
    wrong = []
    for pattern in admin_patterns():
        if pattern.name in OTHERS_CASE:
            continue
        url = address(pattern, office)
        if url.count("/") < 6 or "/0/" in url:
            continue
        if any(f"/{label.replace('.', '/')}/" in url for label in HOUSE_WIDE):
            continue
        if (got := client.get(url).status_code) not in {403, 404}:
            wrong.append(f"{pattern.name}: {got}")
    assert not wrong


@pytest.mark.parametrize(
    "label",
    [
        label
        for label, needs in PAGES.items()
        if needs["view"] != NOBODY and label not in HOUSE_WIDE
    ],
)
def test_list_shows_rows_of_ones_own_depots_alone(
    label: str, office: Office, mine: Office
) -> None:
    role = "Data steward" if label == "orders.address" else "Supervisor"
    client = signed_in(make_user(role, mine.depot))
    page = client.get(reverse(f"admin:{label.replace('.', '_')}_changelist"))
    shown = {row.pk for row in page.context["cl"].queryset}
    assert mine.rows[label].pk in shown
    assert office.rows[label].pk not in shown
