"""The doors: the office's queue and decision, the API, a driver's device."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from string import Formatter

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from django.test import Client
from django.urls import reverse
from django.utils import translation
from rest_framework.test import APIClient

from apps.journal.models import Entry
from apps.overrides import answerwords, holdwords, pricing
from apps.overrides.models import Override
from apps.overrides.showing import Line, runs
from apps.overrides.states import OverrideState
from apps.overrides.words import MORE, REASONS, ROLES, SAYS, told_override
from apps.routes.changes import Change
from apps.routes.impact import prepare_change
from apps.routes.services.changing import Prepared
from tests.office import make_user, signed_in
from tests.overrides.days import ASKED, PRICE, Scene, priced
from tests.queueing import drain_only
from tests.sync.builders import enrol

pytestmark = pytest.mark.django_db
LOCALE = Path(__file__).parents[2] / "apps/overrides/locale"


def given(scene: Scene, place: int = -1) -> Override:
    values = {
        "stop_id": str(scene.stops()[place].pk),
        "shift_id": str(scene.routes[1].shift_id),
    }
    return priced(scene.asks("give_stop", values, note="Too much"))


def page_of(row: Override, last: str = "change") -> str:
    return reverse(f"admin:overrides_override_{last}", args=[row.pk])


# ── The office ───────────────────────────────────────────────────────────────
def test_queue_shows_what_is_due_first_with_its_cost(scene: Scene) -> None:
    later = given(scene)
    skip = {"stop_id": str(scene.stops()[0].pk), "reason": "closed"}
    sooner = priced(scene.asks("skip_stop", skip))
    client = signed_in(scene.user("Supervisor"))
    answer = client.get(reverse("admin:overrides_override_queue"))
    shown = [one["row"].pk for one in answer.context["queue"]]
    assert shown == [sooner.pk, later.pk]
    assert all(one["mine"] for one in answer.context["queue"])
    text = answer.content.decode()
    assert "data-refresh" in text
    assert "min" in text


def test_decision_page_shows_both_routes_names_and_answers(scene: Scene) -> None:
    row = given(scene)
    client = signed_in(scene.user("Coordinator"))
    answer = client.get(page_of(row))
    shown = answer.context["shown"]
    assert len(shown.pairs) == 2
    assert any(line.tone == "gone" for line in shown.pairs[0].before)
    assert any(line.note == "new here" for line in shown.pairs[1].after)
    assert shown.now_map is not None
    assert answer.context["may_answer"]
    done = client.post(
        page_of(row, "answer"),
        {"approve": "1", "version": row.version, "reason": "sensible", "note": ""},
        follow=True,
    )
    assert "Approved, and applied to the plan." in done.content.decode()
    row.refresh_from_db()
    assert row.state == OverrideState.APPLIED
    late = client.post(
        page_of(row, "answer"),
        {"reject": "1", "version": row.version, "reason": "other", "note": ""},
        follow=True,
    )
    name = scene.user("Coordinator").username
    assert f"{name} was first" in late.content.decode()


def test_who_may_not_see_people_sees_no_names(scene: Scene) -> None:
    row = given(scene)
    client = signed_in(make_user("Model monitor", scene.depot))
    shown = client.get(page_of(row)).context["shown"]
    assert not [line.name for pair in shown.pairs for line in pair.after if line.name]


def test_rejection_through_the_page(scene: Scene) -> None:
    row = given(scene)
    client = signed_in(scene.user("Coordinator"))
    client.post(
        page_of(row, "answer"),
        {"reject": "1", "version": row.version, "reason": "promised", "note": "No."},
    )
    row.refresh_from_db()
    assert (row.state, row.answer_reason) == (OverrideState.REJECTED, "promised")


def test_several_are_approved_together_with_their_sum(scene: Scene) -> None:
    rows = [given(scene, -1), given(scene, -2)]
    client = signed_in(scene.user("Supervisor"))
    ids = [f"{row.pk}:{row.version}" for row in rows]
    page = client.get(reverse("admin:overrides_override_together"), {"id": ids})
    minutes = sum(row.impact["minutes"] for row in rows if row.impact)
    assert any(str(abs(minutes)) in figure.text for figure in page.context["figures"])
    client.post(
        reverse("admin:overrides_override_together"),
        {"id": ids, "approve": "1", "reason": "sensible", "note": ""},
    )
    states = {Override.objects.get(pk=row.pk).state for row in rows}
    assert OverrideState.APPLIED in states
    assert states <= {OverrideState.APPLIED, OverrideState.WAITING}


def test_another_change_is_looked_at_then_approved(scene: Scene) -> None:
    row = given(scene)
    client = signed_in(scene.user("Coordinator"))
    page = page_of(row, "instead") + "?kind=take_off"
    values = {"stop": str(row.stop_id), "reason": "load", "note": ""}
    looked = client.post(page, {**values, "look": "1"})
    assert looked.context["shown"] is not None
    sealed = {"seen": looked.context["seen"], "version": row.version}
    client.post(page, {**values, **sealed, "approve": "1"})
    row.refresh_from_db()
    assert (row.kind, row.state) == ("take_off", OverrideState.APPLIED)


def test_office_asks_for_a_change_of_its_own(scene: Scene) -> None:
    client = signed_in(scene.user("Supervisor"))
    route, stop = scene.routes[0], scene.stops()[0]
    page = f"{reverse('admin:overrides_override_add')}?route={route.pk}&kind=take_off"
    values = {"stop": str(stop.pk), "reason": "other", "note": "", "client_id": "c-1"}
    looked = client.post(page, {**values, "look": "1"})
    sent = {**values, "seen": looked.context["seen"], "approve": "1"}
    client.post(page, sent)
    client.post(page, sent)
    row = Override.objects.get()
    assert (row.asked_role, row.state) == ("Supervisor", OverrideState.APPLIED)


# ── The API ──────────────────────────────────────────────────────────────────
def api(scene: Scene, role: str) -> Client:
    return signed_in(scene.user(role))


def post(client: Client, path: str, body: object, **headers: str) -> tuple[int, object]:
    answer = client.post(
        f"/api/v1/overrides{path}",
        json.dumps(body),
        content_type="application/json",
        headers=headers,
    )
    return answer.status_code, json.loads(answer.content)


def test_api_prices_asks_and_answers(scene: Scene) -> None:
    stop = str(scene.stops()[-1].pk)
    shift = str(scene.routes[1].shift_id)
    wish = {"kind": "end_shift_early", "change": {
        "shift_id": str(scene.routes[0].shift_id),
        "ends_at": (ASKED + timedelta(hours=7)).isoformat(),
    }}  # fmt: skip
    give = {"kind": "give_stop", "change": {"stop_id": stop, "shift_id": shift}}
    code, found = post(api(scene, "Coordinator"), "/impact", give)
    assert code == 200
    assert isinstance(found, dict)
    assert found["outcome"] in {"allowed", "approval"}
    assert not Override.objects.exists()
    code, row = post(api(scene, "Coordinator"), "", {**wish, "client_id": "a"})
    assert code == 201
    assert isinstance(row, dict)
    assert (row["state"], row["approver"]) == ("waiting", "Supervisor")
    code, again = post(api(scene, "Coordinator"), "", {**wish, "client_id": "a"})
    assert isinstance(again, dict)
    assert again["id"] == row["id"]
    path, tag = f"/{row['id']}/approve", f'"{row["version"]}"'
    code, problem = post(api(scene, "Supervisor"), path, {})
    assert code == 428
    code, problem = post(api(scene, "Coordinator"), path, {}, **{"If-Match": tag})
    assert isinstance(problem, dict)
    assert (code, problem["type"]) == (403, "/problems/own-request")
    code, done = post(api(scene, "Supervisor"), path, {}, **{"If-Match": tag})
    assert isinstance(done, dict)
    assert (code, done.get("state")) == (200, "applied")


@pytest.mark.parametrize(
    ("role", "state"), [("Coordinator", "waiting"), ("Supervisor", "applied")]
)
def test_api_answers_with_what_the_background_has_decided_first(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, role: str, state: str
) -> None:
    """The worker prices the same request just while the door works it out."""
    workers = [PRICE]

    def overtaken(change: Change, *, now: datetime) -> Prepared:
        prepared = prepare_change(change, now=now)
        if workers:
            assert drain_only(workers.pop()) == 1
        return prepared

    monkeypatch.setattr(pricing, "prepare_change", overtaken)
    ends_at = (ASKED + timedelta(hours=7)).isoformat()
    change = {"shift_id": str(scene.routes[0].shift_id), "ends_at": ends_at}
    wish = {"kind": "end_shift_early", "change": change, "client_id": "race"}
    code, row = post(api(scene, role), "", wish)
    assert isinstance(row, dict)
    assert (code, row.get("state"), workers) == (201, state, [])
    kept = Override.objects.get()
    assert (row["id"], row["version"]) == (str(kept.pk), kept.version)
    ends = Entry.objects.filter(subject_id=row["id"], kind="override.priced")
    assert (kept.times_priced, ends.count()) == (1, 1)


def test_api_points_to_the_fault_of_a_change(scene: Scene) -> None:
    wish = {"kind": "move_stop", "change": {"stop_id": "x"}, "client_id": "b"}
    code, problem = post(api(scene, "Supervisor"), "", wish)
    assert code == 400
    assert isinstance(problem, dict)
    assert problem["errors"][0]["pointer"].startswith("/change/")


# ── The device ───────────────────────────────────────────────────────────────
def test_device_asks_offline_and_hears_the_answer_in_its_language(scene: Scene) -> None:
    driver = scene.routes[0].driver
    driver.language = "de"
    driver.save()
    device = enrol(driver)
    stop = scene.stops()[-1]
    event = device.event(
        "override.requested",
        stop,
        action="swap_driver",
        details={"shift_id": str(scene.routes[1].shift_id)},
        reason="Rücken",
    )
    assert device.verdicts(event) == [("needs_review", "asked")]
    assert device.push(event)[0]["result"] == "duplicate"
    drain_only(PRICE)
    device.pull()
    [row] = device.tables["overrides"].values()
    assert (row["kind"], row["state"]) == ("give_stop", "waiting")
    assert row["event_id"] == event["id"]
    assert "Koordination" in row["detail"]
    assert json.loads(row["impact"])["other_drivers"] == 1
    found = Override.objects.get()
    assert found.note == "Rücken"
    client = signed_in(scene.user("Coordinator"))
    client.post(
        page_of(found, "answer"),
        {"reject": "1", "version": found.version, "reason": "too_late", "note": ""},
    )
    device.pull()
    [row] = device.tables["overrides"].values()
    assert row["detail"].startswith("Nicht genehmigt: andere kämen zu spät.")
    assert device.tables == device.snapshot()


def test_words_of_a_device_wait_for_a_person(scene: Scene) -> None:
    device = enrol(scene.routes[0].driver)
    event = device.event("override.requested", action="other", note="Swap my van?")
    assert device.verdicts(event) == [("needs_review", "asked")]
    drain_only(PRICE)
    row = Override.objects.get()
    assert (row.kind, row.state) == ("other", OverrideState.WAITING)
    assert row.approver == "Coordinator"


def test_driver_online_sees_the_impact_before_and_the_answer_at_once(
    scene: Scene,
) -> None:
    device = enrol(scene.routes[0].driver)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {device.session_token}")
    change = {"stop_id": str(scene.stops()[0].pk), "reason": "closed"}
    body = {"kind": "skip_stop", "change": change}
    seen = client.post("/api/sync/v1/overrides/impact", body, format="json")
    assert seen.status_code == 200, seen.content
    told = json.loads(seen.content)
    assert (told["outcome"], told["approver"]) == ("approval", "Coordinator")
    assert "min" in told["detail"]
    assert not Override.objects.exists()
    asked = client.post("/api/sync/v1/overrides", body, format="json")
    assert asked.status_code == 400
    body["client_id"] = "app-1"
    asked = client.post("/api/sync/v1/overrides", body, format="json")
    assert asked.status_code == 201, asked.content
    assert json.loads(asked.content)["state"] == "waiting"
    client.credentials(HTTP_AUTHORIZATION=f"Token {device.device_token}")
    assert client.post("/api/sync/v1/overrides", body, format="json").status_code == 401


def texts(catalog: Catalog) -> dict[str, tuple[str, ...]]:
    """Return the translations of a catalog; a plural goes by its singular."""

    def forms(words: object) -> tuple[str, ...]:
        return (words,) if isinstance(words, str) else tuple(words or ())  # type: ignore[arg-type]

    return {forms(one.id)[0]: forms(one.string) for one in catalog if one.id}


def figures(words: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(words) if name}


# ── The words ────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("code", ["de", "es", "fr"])
def test_every_sentence_is_translated_and_compiled(code: str) -> None:
    folder = LOCALE / code / "LC_MESSAGES"
    with (folder / "django.po").open("rb") as source:
        written = texts(read_po(source))
    with (folder / "django.mo").open("rb") as compiled:
        kept = texts(read_mo(compiled))
    assert kept == written
    said = (*SAYS.values(), *REASONS.values(), *ROLES.values(), *MORE)
    for words in (*said, *answerwords.sentences(), *holdwords.sentences()):
        assert written.get(words), words
        names = figures(words)
        for each in written[words]:
            assert figures(each) == names, words


def test_every_state_is_told_in_every_language(scene: Scene) -> None:
    row = given(scene)
    for state in OverrideState:
        row.state = state
        with translation.override("fr"):
            french = told_override(row)
        assert french
        assert french != told_override(row)


# ── What the decision page folds away ────────────────────────────────────────
def test_stops_that_hardly_change_are_folded_and_the_worst_break_stands_first() -> None:
    def line(number: int, *, is_quiet: bool) -> Line:
        return Line(number=number, reference="r", name="", at="", is_quiet=is_quiet)

    lines = [line(number, is_quiet=number < 5 or number == 6) for number in range(8)]
    parts = [(len(run.lines), run.is_folded) for run in runs(lines)]
    assert parts == [(5, True), (1, False), (1, False), (1, False)]


def test_office_takes_pins_off_again(scene: Scene) -> None:
    client = signed_in(scene.user("Supervisor"))
    route, stop = scene.routes[0], scene.stops()[0]
    page = f"{reverse('admin:overrides_override_add')}?route={route.pk}&kind=pin_stop"
    for number, pinned in enumerate(({"at_place": "on"}, {"is_released": "on"})):
        values = {"stop": str(stop.pk), "reason": "other", "note": "", **pinned}
        values["client_id"] = f"pin-{number}"
        looked = client.post(page, {**values, "look": "1"})
        client.post(page, {**values, "seen": looked.context["seen"], "approve": "1"})
        assert stop.pins.filter(ended_at=None).exists() == ("at_place" in pinned)


def test_alternatives_are_offered_by_engine_and_cost(scene: Scene) -> None:
    about = scene.routes[0].plan.recommendation
    assert about is not None
    about.alternatives = [
        {"engine": "pyvrp", "total_minor": 12345},
        {"engine": "greedy", "total_minor": 23456, "routes": {"x": []}},
    ]
    about.save()
    client = signed_in(scene.user("Supervisor"))
    page = reverse("admin:overrides_override_add")
    shown = client.get(f"{page}?route={scene.routes[0].pk}&kind=take_alternative")
    choices = shown.context["form"].fields["alternative"].choices
    assert choices == [("1", "Insertion by rules, 234.56 EUR")]
