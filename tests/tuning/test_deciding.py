"""Who decides about a proposal, what then happens, and what becomes of the others."""

from datetime import timedelta

import pytest
import time_machine

from apps.core.actors import SYSTEM
from apps.core.etags import PreconditionFailed
from apps.core.problems import Invalid, NotFound
from apps.core.states import IllegalStep
from apps.feedback.models import Feedback
from apps.journal.models import Entry
from apps.recommendations.models import Recommendation
from apps.routes.models import Stop
from apps.routes.selectors import parameters_in_force
from apps.routes.services.leaves import MachineMayNot, set_leave
from apps.routes.services.parameters import keep_parameters
from apps.tuning import tasks
from apps.tuning.evidence import clusters_of
from apps.tuning.models import Proposal
from apps.tuning.services.deciding import (
    NotAPerson,
    ValuesMoved,
    approve,
    decline,
    revert,
)
from apps.tuning.services.proposals import propose_learned, propose_service_factors
from apps.tuning.services.watching import watch_all
from tests.factories import NOW, DepotFactory, OrderFactory, ZoneFactory
from tests.tuning.rows import (
    EVENING,
    OFFICE,
    make_estimate,
    make_proposal,
    make_report,
    make_tested,
)

pytestmark = pytest.mark.django_db
LATER = EVENING + timedelta(hours=1)


def test_only_people_decide_and_only_once() -> None:
    row = make_proposal()
    with pytest.raises(IllegalStep):
        approve(row.pk, by=OFFICE, now=EVENING)
    Proposal.objects.all().delete()
    Recommendation.objects.update(state="superseded", settled_at=NOW)
    row = make_tested(depot=DepotFactory())
    with pytest.raises(NotAPerson):
        approve(row.pk, by=SYSTEM, now=EVENING)
    with pytest.raises(PreconditionFailed):
        approve(row.pk, expected_version=1, by=OFFICE, now=EVENING)
    approve(row.pk, expected_version=row.version, by=OFFICE, now=EVENING)
    with pytest.raises(PreconditionFailed):
        decline(
            row.pk, reason="No.", expected_version=row.version, by=OFFICE, now=EVENING
        )
    with pytest.raises(IllegalStep):
        decline(row.pk, reason="No.", by=OFFICE, now=EVENING)
    with pytest.raises(NotFound):
        approve(row.depot_id, by=OFFICE, now=EVENING)


def test_a_person_takes_it_back_at_any_time() -> None:
    row = approve(make_tested().pk, by=OFFICE, now=EVENING)
    with pytest.raises(Invalid):
        revert(row.pk, reason=" ", by=OFFICE, now=LATER)
    row = revert(row.pk, reason="We had another look.", by=OFFICE, now=LATER)
    assert (row.status, row.closed_by) == ("reverted", "user:1")
    assert parameters_in_force(row.depot_id, LATER).service_factors == {}
    with pytest.raises(IllegalStep):
        revert(row.pk, reason="Again.", by=OFFICE, now=LATER)


def test_declined_is_not_proposed_again_and_the_reporters_read_why() -> None:
    row = make_tested()
    depot_id = row.depot_id
    assert propose_service_factors(depot_id, by=SYSTEM, now=EVENING) is None, "once"
    with pytest.raises(Invalid):
        decline(row.pk, reason=" ", by=OFFICE, now=EVENING)
    row = decline(row.pk, reason="The lift is mended.", by=OFFICE, now=EVENING)

    row.recommendation.refresh_from_db()
    assert row.recommendation.state == "overridden"
    assert {said.answer for said in Feedback.objects.all()} == {"The lift is mended."}
    later = EVENING + timedelta(days=3)
    assert propose_service_factors(depot_id, by=SYSTEM, now=later) is None
    much_later = EVENING + timedelta(days=29)
    assert propose_service_factors(depot_id, by=SYSTEM, now=much_later)


def test_a_proposal_expires_when_its_values_were_changed() -> None:
    row = make_tested()
    theirs = {"service_factors": {"depot": 1.1}}
    keep_parameters(row.depot_id, theirs, because="", by=OFFICE, now=EVENING)
    with pytest.raises(ValuesMoved):
        approve(row.pk, by=OFFICE, now=EVENING)
    with time_machine.travel(LATER, tick=False):
        tasks.watch()
        tasks.propose_service(depot_id=str(row.depot_id))
    row.refresh_from_db()
    assert row.status == "expired"
    fresh = Proposal.objects.latest("pk")
    assert fresh.pk != row.pk
    assert fresh.values["service_factors"]["depot"]["factor"] == 1.1, "theirs stays"


def test_a_newer_proposal_takes_the_place_of_the_open_one() -> None:
    row = make_tested()
    make_estimate(row.depot, "zone:Meadows", mean=0.5)
    fresh = propose_service_factors(row.depot_id, by=SYSTEM, now=EVENING)
    row.refresh_from_db()
    row.recommendation.refresh_from_db()
    assert fresh is not None
    assert (row.status, row.recommendation.state) == ("expired", "superseded")
    assert set(fresh.values["service_factors"]) == {"zone:Old town", "zone:Meadows"}


def test_a_machine_that_may_not_leaves_the_way_back_to_people() -> None:
    row = approve(make_tested().pk, by=OFFICE, now=EVENING)
    set_leave(
        act="parameters", depot_id=None, leave="no", why="Ours.", by=OFFICE, now=EVENING
    )
    with pytest.raises(MachineMayNot):
        revert(row.pk, reason="It has fallen.", by=SYSTEM, now=LATER)
    row.refresh_from_db()
    assert row.status == "in_force"
    assert revert(row.pk, reason="It has fallen.", by=OFFICE, now=LATER)


def test_a_watch_ends_when_another_version_takes_its_place() -> None:
    row = approve(make_tested().pk, by=OFFICE, now=EVENING)
    other: dict[str, object] = {"service_factors": {}}
    keep_parameters(row.depot_id, other, because="", by=OFFICE, now=EVENING)
    with pytest.raises(ValuesMoved):
        revert(row.pk, reason="Too late for that.", by=OFFICE, now=LATER)
    assert watch_all(by=SYSTEM, now=LATER) == 0
    row.refresh_from_db()
    assert row.status == "kept"
    assert row.closing_words.startswith("Another version has taken its place")


def test_a_watch_that_ends_well_keeps_the_change() -> None:
    row = approve(make_tested().pk, by=OFFICE, now=EVENING)
    watch_all(by=SYSTEM, now=EVENING + timedelta(days=13))
    row.refresh_from_db()
    assert row.status == "in_force"
    watch_all(by=SYSTEM, now=EVENING + timedelta(days=14))
    row.refresh_from_db()
    assert (row.status, row.closed_by) == ("kept", "system")


def learned(values: dict[str, object]) -> Recommendation:
    """Store a recommendation of parameters that another room has issued."""
    row = make_tested().recommendation
    Proposal.objects.all().delete()
    row.parameters = values
    row.reasons = [{"code": "learned", "text": "From 200 legs."}]
    row.save()
    return row


def test_what_another_room_learned_becomes_a_proposal_with_its_reports() -> None:
    about = learned({"travel_c_s": 300.0, "travel_p": 0.6})
    make_report(about.depot, reason="traffic", text="")
    said = make_report(about.depot, reason="other", text="Every day a jam there")

    row = propose_learned(about.pk, by=SYSTEM, now=EVENING)

    assert row is not None
    assert (row.topic, row.why) == ("travel", ["From 200 legs."])
    assert row.before == {"travel_c_s": 219.0, "travel_p": 0.7}
    assert said in row.reports.all()
    assert row.reports.count() == 2
    assert propose_learned(about.pk, by=SYSTEM, now=EVENING) is None, "once"
    assert Entry.objects.filter(kind="proposal.made").exists()


def test_what_is_in_force_already_is_not_proposed() -> None:
    about = learned({"travel_c_s": 219.5})
    assert propose_learned(about.pk, by=SYSTEM, now=EVENING) is None
    about.refresh_from_db()
    assert about.state == "superseded"


def test_reports_of_a_stop_speak_of_its_zone_and_its_building() -> None:
    depot = DepotFactory()
    zone = ZoneFactory(depot=depot, name="Old town")
    order = OrderFactory(
        depot=depot, zone=zone, postcode="91207", street="Markt", house_number="3"
    )
    stop = Stop.objects.create(order=order, service_s=120)
    for _ in range(2):
        make_report(depot, stop_id=str(stop.pk))
    make_estimate(
        depot, "building:91207 markt 3", n=12, mean=2.5, parent="zone:Old town"
    )
    found = {each.place: each.people for each in clusters_of(depot.pk, now=EVENING)}
    assert found == {"zone:Old town": 2, "building:91207 markt 3": 2}
    row = propose_service_factors(depot.pk, by=SYSTEM, now=EVENING)
    assert row is not None, "few services, but two people said so"
    assert row.reports.count() == 2
    assert "at 91207 markt 3 took 2.50" in row.why[0]


def test_any_parameter_can_be_carried() -> None:
    about = learned({"eta_moved_s": 420})
    row = propose_learned(about.pk, by=SYSTEM, now=EVENING)
    assert row is not None
    Proposal.objects.filter(pk=row.pk).update(
        status="shadow_tested", shadow={"verdict": "undecided"}
    )
    reason = "Drivers want fewer messages."
    approve(row.pk, reason=reason, by=OFFICE, now=EVENING)
    assert parameters_in_force(row.depot_id, LATER).eta_moved_s == 420
