"""Every endpoint of the API × every role → who may call it, from one table (C29)."""

from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from apps.core.roles import ROLES, permissions_of
from tests.factories import SERVICE_DATE
from tests.office import Office, make_office, make_user, signed_in

pytestmark = pytest.mark.django_db

ANYONE = "anyone"
SIGNED_IN = "signed in"
DEVICE = "device"
"""A device's credential alone: whoever signs in with a role is refused."""

ENDPOINTS: dict[str, str] = {
    "GET /": ANYONE,
    "GET /healthz": ANYONE,
    "GET /readyz": ANYONE,
    "GET /api/schema/": ANYONE,
    "GET /api/docs/": ANYONE,
    "GET /api/v1/depots": "depots.view_depot",
    "GET /api/v1/depots/{depots.depot}": "depots.view_depot",
    "GET /api/v1/depots/{depots.depot}/days/{day}": "routes.view_plan",
    "GET /api/v1/depots/{depots.depot}/days/{day}/left-out": "routes.view_plan",
    "GET /api/v1/depots/{depots.depot}/days/{day}/customers": (
        "notifications.view_message"
    ),
    "GET /api/v1/zones": "depots.view_zone",
    "GET /api/v1/zones/{depots.zone}": "depots.view_zone",
    "GET /api/v1/orders": "orders.view_order",
    "POST /api/v1/orders": "orders.add_order",
    "GET /api/v1/orders/{orders.order}": "orders.view_order",
    "PATCH /api/v1/orders/{orders.order}": "orders.change_order",
    "POST /api/v1/orders/{orders.order}/cancel": "orders.change_order",
    "POST /api/v1/orders/{orders.order}/reschedule": "orders.change_order",
    "GET /api/v1/imports": "orders.view_importrun",
    "POST /api/v1/imports": "orders.add_importrun",
    "GET /api/v1/imports/{orders.importrun}": "orders.view_importrun",
    "GET /api/v1/imports/{orders.importrun}/quarantine": "orders.view_importrun",
    "GET /api/v1/drivers": "drivers.view_driver",
    "POST /api/v1/drivers": "drivers.add_driver",
    "GET /api/v1/drivers/{drivers.driver}": "drivers.view_driver",
    "PATCH /api/v1/drivers/{drivers.driver}": "drivers.change_driver",
    "POST /api/v1/drivers/{drivers.driver}/enrolment-codes": (
        "drivers.add_enrolmentcode"
    ),
    "GET /api/v1/vehicles": "drivers.view_vehicle",
    "POST /api/v1/vehicles": "drivers.add_vehicle",
    "GET /api/v1/vehicles/{drivers.vehicle}": "drivers.view_vehicle",
    "PATCH /api/v1/vehicles/{drivers.vehicle}": "drivers.change_vehicle",
    "GET /api/v1/vehicle-types": "drivers.view_vehicletype",
    "POST /api/v1/vehicle-types": "drivers.add_vehicletype",
    "GET /api/v1/vehicle-types/{drivers.vehicletype}": "drivers.view_vehicletype",
    "PATCH /api/v1/vehicle-types/{drivers.vehicletype}": "drivers.change_vehicletype",
    "GET /api/v1/shifts": "drivers.view_shift",
    "POST /api/v1/shifts": "drivers.add_shift",
    "GET /api/v1/shifts/{drivers.shift}": "drivers.view_shift",
    "PATCH /api/v1/shifts/{drivers.shift}": "drivers.change_shift",
    "POST /api/v1/shifts/{drivers.shift}/cancel": "drivers.change_shift",
    "GET /api/v1/devices": "drivers.view_device",
    "GET /api/v1/devices/{drivers.device}": "drivers.view_device",
    "POST /api/v1/devices/{drivers.device}/revoke": "drivers.change_device",
    "POST /api/v1/auth/token": SIGNED_IN,
    "DELETE /api/v1/auth/token": SIGNED_IN,
    "GET /api/v1/plans": "routes.view_plan",
    "POST /api/v1/plans": "routes.add_plan",
    "GET /api/v1/plans/{routes.plan}": "routes.view_plan",
    "POST /api/v1/plans/{routes.plan}/publish": "routes.add_plan",
    "GET /api/v1/plans/{routes.plan}/explanations": "routes.view_plan",
    "POST /api/v1/plans/{routes.plan}/explanations": "routes.view_plan",
    "GET /api/v1/routes": "routes.view_route",
    "GET /api/v1/routes/{routes.route}": "routes.view_route",
    "GET /api/v1/conditions": "routes.view_condition",
    "POST /api/v1/conditions": "routes.add_condition",
    "GET /api/v1/conditions/{routes.condition}": "routes.view_condition",
    "PATCH /api/v1/conditions/{routes.condition}": "routes.change_condition",
    "POST /api/v1/conditions/{routes.condition}/confirm": "routes.change_condition",
    "POST /api/v1/conditions/{routes.condition}/end": "routes.change_condition",
    "GET /api/v1/incidents": "incidents.view_incident",
    "POST /api/v1/incidents": "incidents.add_incident",
    "GET /api/v1/incidents/{incidents.incident}": "incidents.view_incident",
    "POST /api/v1/incidents/{incidents.incident}/assign": "incidents.change_incident",
    "POST /api/v1/incidents/{incidents.incident}/escalate": "incidents.change_incident",
    "POST /api/v1/incidents/{incidents.incident}/resolve": "incidents.change_incident",
    "POST /api/v1/incidents/{incidents.incident}/playbook": "incidents.change_incident",
    "GET /api/v1/action-items": "incidents.view_actionitem",
    "GET /api/v1/action-items/mine": "incidents.view_actionitem",
    "GET /api/v1/action-items/{incidents.actionitem}": "incidents.view_actionitem",
    "POST /api/v1/action-items/{incidents.actionitem}/delegate": (
        "incidents.change_actionitem"
    ),
    "POST /api/v1/action-items/{incidents.actionitem}/settle": (
        "incidents.change_actionitem"
    ),
    "GET /api/v1/estimates": "learning.view_estimate",
    "GET /api/v1/estimates/{learning.estimate}": "learning.view_estimate",
    "GET /api/v1/playbooks": "incidents.view_playbook",
    "GET /api/v1/playbooks/{incidents.playbook}": "incidents.view_playbook",
    "GET /api/v1/depots/{depots.depot}/monitor": "metrics.view_dailyfigure",
    "GET /api/v1/confidence": "feedback.view_survey",
    "GET /api/v1/depots/{depots.depot}/mode": "routes.view_depotmode",
    "POST /api/v1/depots/{depots.depot}/mode": "routes.change_depotmode",
    "GET /api/v1/depots/{depots.depot}/readiness": "routes.view_depotmode",
    "GET /api/v1/decision-points": "routes.view_decisionpoint",
    "GET /api/v1/decision-points/{routes.decisionpoint}": "routes.view_decisionpoint",
    "GET /api/v1/depots/{depots.depot}/reschedules": "incidents.view_incident",
    "GET /api/v1/plan-changes": "routes.view_planchange",
    "GET /api/v1/plan-changes/{routes.planchange}": "routes.view_planchange",
    "GET /api/v1/overrides": "overrides.view_override",
    "POST /api/v1/overrides": "overrides.add_override",
    "POST /api/v1/overrides/impact": "overrides.add_override",
    "GET /api/v1/overrides/{overrides.override}": "overrides.view_override",
    "POST /api/v1/overrides/{overrides.override}/approve": (
        "overrides.change_override"
    ),
    "POST /api/v1/overrides/{overrides.override}/reject": "overrides.change_override",
    "POST /api/v1/overrides/{overrides.override}/withdraw": "overrides.add_override",
    "GET /api/v1/decision-rights": "overrides.view_decisionright",
    "GET /api/v1/decision-rights/{overrides.decisionright}": (
        "overrides.view_decisionright"
    ),
    "GET /api/v1/proposals": "tuning.view_proposal",
    "GET /api/v1/proposals/{tuning.proposal}": "tuning.view_proposal",
    "POST /api/v1/proposals/{tuning.proposal}/approve": "tuning.change_proposal",
    "POST /api/v1/proposals/{tuning.proposal}/decline": "tuning.change_proposal",
    "POST /api/v1/proposals/{tuning.proposal}/revert": "tuning.change_proposal",
    "GET /api/v1/verdicts": "verdicts.view_verdict",
    "GET /api/v1/verdicts/{verdicts.verdict}": "verdicts.view_verdict",
    "GET /api/v1/rights-proposals": "verdicts.view_rightsproposal",
    "GET /api/v1/rights-proposals/{verdicts.rightsproposal}": (
        "verdicts.view_rightsproposal"
    ),
    "GET /api/v1/recommendations": "recommendations.view_recommendation",
    "GET /api/v1/recommendations/{recommendations.recommendation}": (
        "recommendations.view_recommendation"
    ),
    "GET /api/v1/recommendations/{recommendations.recommendation}/inputs": (
        "recommendations.view_recommendation"
    ),
    "GET /api/v1/recommendations/{recommendations.recommendation}/answer": (
        "recommendations.view_recommendation"
    ),
    "GET /api/v1/recommendations/{recommendations.recommendation}/story": (
        "recommendations.view_recommendation"
    ),
    "GET /api/v1/feedback": "feedback.view_feedback",
    "POST /api/v1/feedback": "feedback.add_feedback",
    "GET /api/v1/feedback/{feedback.feedback}": "feedback.view_feedback",
    "POST /api/v1/feedback/{feedback.feedback}/see": "feedback.change_feedback",
    "POST /api/v1/feedback/{feedback.feedback}/act": "feedback.change_feedback",
    "POST /api/v1/feedback/{feedback.feedback}/decline": "feedback.change_feedback",
    "GET /api/v1/surveys": "feedback.view_survey",
    "POST /api/v1/surveys": "feedback.add_survey",
    "GET /api/v1/surveys/{feedback.survey}": "feedback.view_survey",
    "GET /api/v1/surveys/{feedback.survey}/results": "feedback.view_survey",
    "POST /api/v1/surveys/{feedback.survey}/imports": "feedback.add_surveyimport",
    "GET /api/v1/surveys/{feedback.survey}/export": "feedback.view_response",
    "POST /api/v1/survey-hooks/{feedback.surveyhook}": ANYONE,
    "GET /r/<str:code>": ANYONE,
    "GET /r/<str:code>/picture.svg": ANYONE,
    "GET /t/<str:code>": ANYONE,
    "GET /t/<str:code>/now": ANYONE,
    "GET /s/<str:code>": ANYONE,
    "GET /look/<uuid:depot_id>.css": ANYONE,
    "GET /look/<uuid:depot_id>.png": ANYONE,
    "POST /hooks/twilio/reply": ANYONE,
    "POST /hooks/twilio/status": ANYONE,
    "POST /hooks/gateway": ANYONE,
    "POST /api/sync/v1/enrol": ANYONE,
    "POST /api/sync/v1/session": DEVICE,
    "GET /api/sync/v1/pull": DEVICE,
    "POST /api/sync/v1/push": DEVICE,
    "POST /api/sync/v1/positions": DEVICE,
    "POST /api/sync/v1/overrides": DEVICE,
    "POST /api/sync/v1/overrides/impact": DEVICE,
    "POST /api/sync/v1/uploads": DEVICE,
    "HEAD /api/sync/v1/uploads/{sync.upload}": DEVICE,
    "PATCH /api/sync/v1/uploads/{sync.upload}": DEVICE,
    "DELETE /api/sync/v1/uploads/{sync.upload}": DEVICE,
    "GET /api/sync/v1/time": DEVICE,
    "GET /api/sync/v1/schema": ANYONE,
}
HOUSE_WIDE = (
    "{drivers.vehicletype}",
    "{feedback.survey}",
    "{feedback.survey}/results",
    "{feedback.survey}/export",
)
"""Rows that are no depot's."""
REFUSED = {401, 403}
HOOKS = {"twilio-reply", "twilio-status", "gateway-hook"}
"""Where providers call: whoever has no signature is refused, signed in or not."""
METHODS = ("get", "post", "put", "patch", "delete")
CODE_REFUSED = "/problems/enrolment-code-refused"


def endpoints() -> Iterator[str]:
    """Yield method and address of every endpoint outside the admin."""

    def walk(
        patterns: list[URLPattern | URLResolver], before: str
    ) -> Iterator[tuple[str, URLPattern]]:
        for pattern in patterns:
            part = before + str(pattern.pattern).removeprefix("^").removesuffix("$")
            if isinstance(pattern, URLResolver):
                if not part.startswith("admin/"):
                    yield from walk(pattern.url_patterns, part)
            else:
                yield part, pattern

    for route, pattern in walk(get_resolver().url_patterns, ""):
        for method in methods_of(pattern):
            yield f"{method.upper()} /{route}"


def methods_of(pattern: URLPattern) -> list[str]:
    """Return the methods that an endpoint answers."""
    view = pattern.callback
    if actions := getattr(view, "actions", None):
        # A first request adds HEAD to what answers GET: the same door.
        return [method for method in actions if method != "head"]
    if shape := getattr(view, "cls", None):
        own = ["head"] if "head" in vars(shape) else []
        return [*own, *(method for method in METHODS if hasattr(shape, method))]
    return ["post"] if pattern.name in HOOKS else ["get"]


OF_A_DEPOT = ("/reschedules", "/mode", "/readiness", "/monitor")


def routed(endpoint: str) -> str:
    """Return an entry of the table in the resolver's own spelling."""
    room = endpoint.partition("/v1/")[2].partition("/")[0]
    if room == "depots" and "/days/" in endpoint:
        endpoint = endpoint.replace("{depots.depot}", "<uuid:depot_id>")
        return endpoint.replace("{day}", "<date:day>")
    if room == "depots" and endpoint.endswith(OF_A_DEPOT):
        return endpoint.replace("{depots.depot}", "<uuid:depot_id>")
    if room == "survey-hooks":
        return endpoint.replace("{feedback.surveyhook}", "<uuid:hook_id>")
    if room == "uploads":
        return endpoint.replace("{sync.upload}", "<uuid:upload_id>")
    head, brace, rest = endpoint.partition("{")
    return head + "(?P<pk>[^/.]+)" + rest.partition("}")[2] if brace else endpoint


def address(endpoint: str, office: Office) -> str:
    """Return the address of an entry of the table, with the office's rows in it."""
    path = endpoint.partition(" ")[2].replace("{day}", SERVICE_DATE.isoformat())
    for label, row in office.rows.items():
        path = path.replace(f"{{{label}}}", str(row.pk))
    return path


def call(client: Client, endpoint: str, office: Office) -> int:
    """Call an endpoint with an empty body; return the status, 0 for a wrong code."""
    method = endpoint.partition(" ")[0].lower()
    reads = method in {"get", "head"}
    answer = getattr(client, method)(
        address(endpoint, office),
        data=None if reads else "{}",
        **({} if reads else {"content_type": "application/json"}),
        headers={"Idempotency-Key": "k"},
    )
    if answer.status_code == 403 and answer.json()["type"] == CODE_REFUSED:
        return 0
    status: int = answer.status_code
    return status


@pytest.fixture
def office() -> Office:
    return make_office()


def test_every_endpoint_stands_in_the_table() -> None:
    assert set(endpoints()) == {routed(entry) for entry in ENDPOINTS}


@pytest.mark.parametrize("role", ROLES)
def test_endpoint_answers_the_roles_of_the_table_alone(
    role: str, office: Office
) -> None:
    held = permissions_of(role) | {ANYONE, SIGNED_IN}
    client = signed_in(make_user(role, office.depot))
    wrong = []
    for endpoint, need in ENDPOINTS.items():
        status = call(client, endpoint, office)
        if (status not in REFUSED) != (need in held):
            wrong.append(f"{endpoint}: {status}")
        if need in held and endpoint.startswith("GET /api/v1") and status != 200:
            wrong.append(f"{endpoint}: {status}, not 200")
    assert not wrong


def test_stranger_is_refused_wherever_somebody_is_needed(office: Office) -> None:
    client = Client()
    wrong = [
        f"{endpoint}: {status}"
        for endpoint, need in ENDPOINTS.items()
        if ((status := call(client, endpoint, office)) in REFUSED) != (need != ANYONE)
    ]
    assert not wrong


def test_row_of_another_depot_is_absent_from_the_api(office: Office) -> None:
    mine = make_office(code="mine")
    client = signed_in(make_user("Supervisor", mine.depot))
    wrong = [
        f"{endpoint}: {status}"
        for endpoint in ENDPOINTS
        if "{" in endpoint
        and not endpoint.endswith(HOUSE_WIDE)
        and endpoint.startswith("GET")
        and (status := call(client, endpoint, office)) != 404
    ]
    assert not wrong
