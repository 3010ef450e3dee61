"""The ledger: what goes in comes out to the byte, is kept once, ends, and is audited."""

import json
import os
from base64 import b64encode
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import strategies as st

from apps.core.actors import SYSTEM
from apps.depots.models import Depot
from apps.journal.models import Entry
from apps.recommendations import tasks
from apps.recommendations.models import Content, Recommendation
from apps.recommendations.packing import pack, unpack
from apps.recommendations.passport import passport_of
from apps.recommendations.reruns import engine_versions, rerunner_of, sample
from apps.recommendations.services import (
    AlreadySettled,
    Draft,
    expire_due,
    issue,
    issue_all,
    settle,
    stored_answer,
    stored_inputs,
    supersede_open,
)
from apps.recommendations.states import RecommendationState
from apps.routes.solver.port import open_engine
from config.rerunners import RERUNNERS
from tests.factories import NOW, DepotFactory
from tests.queueing import drain

LONG = b64encode(os.urandom(999))


@given(st.binary(max_size=300), st.lists(st.binary(min_size=700, max_size=1500)))
def test_pack_gives_back_every_content(rest: bytes, blobs: list[bytes]) -> None:
    content = rest + b"".join(b'{"rows":"' + b64encode(blob) + b'"}' for blob in blobs)
    assert unpack(pack(content)) == content


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b'"' + LONG + b'"', b'"\x00"' + LONG, b'"' + b"AB==" * 400 + b'"'],
)
def test_pack_odd_contents(content: bytes) -> None:
    assert unpack(pack(content)) == content


def test_pack_presses_numbers_better_than_their_text() -> None:
    numbers = b"".join((at % 3000).to_bytes(2, "little") for at in range(20_000))
    content = b'{"rows":"' + b64encode(numbers) + b'"}'
    assert len(pack(content)) * 2 < len(content)


def draft(depot: Depot, **values: Any) -> Draft:
    usual: dict[str, Any] = {
        "kind": "eta",
        "depot_id": depot.pk,
        "subject_type": "route",
        "subject_id": "1",
        "inputs": b'{"a": 1}',
        "answer": b'{"b": 2}',
        "engine": "test",
        "engine_version": "1",
        "seed": 1,
        "mode": "rules",
    }
    return Draft(**usual | values)


@pytest.fixture
def depot(db: None) -> Depot:
    return DepotFactory()


def test_issue_keeps_equal_contents_once(depot: Depot) -> None:
    first, second, other = issue_all(
        [draft(depot), draft(depot), draft(depot, inputs=b"{}")], by=SYSTEM, now=NOW
    )
    assert first.inputs_hash == second.inputs_hash != other.inputs_hash
    assert Content.objects.count() == 3
    assert issue(draft(depot), by=SYSTEM, now=NOW).answer_hash == first.answer_hash
    assert Content.objects.count() == 3
    assert (stored_inputs(first), stored_answer(other)) == (b'{"a": 1}', b'{"b": 2}')
    assert Entry.objects.filter(kind="recommendation.issued").count() == 4


def test_settle_says_what_differed_once(depot: Depot) -> None:
    row = issue(draft(depot), by=SYSTEM, now=NOW)
    outcome = {"text": "2 of 3 stops served."}
    settle(row.pk, state="deviated", outcome=outcome, by=SYSTEM, now=NOW)
    row.refresh_from_db()
    assert (row.state, row.outcome, row.settled_at) == ("deviated", outcome, NOW)
    assert (
        Entry.objects.get(kind="recommendation.settled").payload["outcome"] == outcome
    )
    with pytest.raises(AlreadySettled):
        settle(row.pk, state="followed", by=SYSTEM, now=NOW)


def test_expire_due_ends_what_nobody_took_up(depot: Depot) -> None:
    soon, later, never = issue_all(
        [
            draft(depot, expires_at=NOW),
            draft(depot, expires_at=NOW + timedelta(hours=1)),
            draft(depot),
        ],
        by=SYSTEM,
        now=NOW - timedelta(hours=1),
    )
    assert expire_due(by=SYSTEM, now=NOW) == 1
    states = dict(Recommendation.objects.values_list("pk", "state"))
    assert states == {
        soon.pk: RecommendationState.EXPIRED,
        later.pk: RecommendationState.ISSUED,
        never.pk: RecommendationState.ISSUED,
    }
    assert ended("plan") == 0  # what else is said of the same route stands
    assert ended("eta") == 2


def ended(kind: str) -> int:
    return supersede_open(
        kind=kind, subject_type="route", subject_ids=["1"], by=SYSTEM, now=NOW
    )


def test_every_rerunner_is_there() -> None:
    for kind in RERUNNERS:
        assert kind in Recommendation.Kind.values
        assert callable(rerunner_of(kind))


def echo(inputs: bytes) -> bytes:
    """Answer with the inputs, as a rerunner of the tests."""
    return inputs


def fail(inputs: bytes) -> bytes:
    """Fail, as an engine that is gone."""
    raise RuntimeError("gone")


TABLE = {"eta": "tests.recommendations.test_ledger.echo"}
FAILING = {"eta": "tests.recommendations.test_ledger.fail"}


@pytest.fixture
def echoing(settings: Any) -> None:
    settings.RECOMMENDATION_RERUNNERS = "tests.recommendations.test_ledger.TABLE"


def test_rerun_recommendations_tells_what_differs(depot: Depot, echoing: None) -> None:
    same, other = issue_all(
        [draft(depot, answer=b'{"a": 1}'), draft(depot)], by=SYSTEM, now=NOW
    )
    out, err = StringIO(), StringIO()
    with pytest.raises(SystemExit):
        call_command("rerun_recommendations", "--json", stdout=out, stderr=err)
    assert json.loads(out.getvalue()) == {
        "checked": 2,
        "identical": 1,
        "earlier_version": 0,
        "by_kind": {"eta": 2},
        "differing": [str(other.pk)],
    }
    assert str(other.pk) in err.getvalue()
    for row, is_identical in ((same, True), (other, False)):
        row.refresh_from_db()
        assert row.is_identical is is_identical
        assert row.checked_at is not None
    [entry] = Entry.objects.filter(kind="recommendation.differs")
    assert entry.subject_id == str(other.pk)
    assert entry.payload["stored"] == other.answer_hash
    out = StringIO()
    call_command("rerun_recommendations", str(same.pk), stdout=out)
    assert "1 of 1" in out.getvalue()


def knows() -> dict[str, frozenset[str]]:
    """Say that of the engine of the tests the versions 2 and 3 can be made again."""
    return {"test": frozenset({"2", "3"})}


KNOWS = ("tests.recommendations.test_ledger.knows",)


@pytest.fixture
def earlier(depot: Depot, echoing: None, settings: Any) -> Recommendation:
    """Give what version 1 made, beside what 2 and an unknown engine made."""
    settings.RECOMMENDATION_ENGINES = "tests.recommendations.test_ledger.KNOWS"
    same = {"answer": b'{"a": 1}'}
    first, *_ = issue_all(
        [
            draft(depot),
            draft(depot, engine_version="2", **same),
            draft(depot, engine="other", **same),
        ],
        by=SYSTEM,
        now=NOW,
    )
    return first


def test_rerun_recommendations_counts_earlier_versions_apart(
    earlier: Recommendation,
) -> None:
    out = StringIO()
    call_command("rerun_recommendations", "--json", stdout=out)
    assert json.loads(out.getvalue()) == {
        "checked": 2,
        "identical": 2,
        "earlier_version": 1,
        "by_kind": {"eta": 2},
        "differing": [],
    }
    out = StringIO()
    call_command("rerun_recommendations", str(earlier.pk), stdout=out)
    assert "1 made by an earlier version" in out.getvalue()
    earlier.refresh_from_db()
    assert earlier.checked_at is None
    assert not Entry.objects.filter(kind="recommendation.differs").exists()


def test_audit_passes_over_earlier_versions(earlier: Recommendation) -> None:
    tasks.audit()
    drain()
    tasks.check_one(recommendation_id=str(earlier.pk))
    earlier.refresh_from_db()
    assert earlier.checked_at is None
    assert Recommendation.objects.filter(is_identical=True).count() == 2
    assert not Entry.objects.filter(kind="recommendation.differs").exists()
    assert "earlier version" in passport_of(earlier).checked


def test_replay_of_an_earlier_version_says_so(
    earlier: Recommendation,
) -> None:
    with pytest.raises(CommandError, match="earlier version"):
        call_command("replay_recommendation", str(earlier.pk), stdout=StringIO())


def test_engines_say_their_present_versions() -> None:
    known = engine_versions()
    for name in ("greedy", "pyvrp", "ortools", "repair", "follow"):
        assert open_engine(name).version in known[name]
    assert {"propagation", "placed", "estimated", "tuning", "relearning"} < {*known}


def test_rerun_recommendations_of_an_engine_that_fails(
    depot: Depot, settings: Any
) -> None:
    settings.RECOMMENDATION_RERUNNERS = "tests.recommendations.test_ledger.FAILING"
    row = issue(draft(depot), by=SYSTEM, now=NOW)
    tasks.check_one(recommendation_id=str(row.pk))
    [entry] = Entry.objects.filter(kind="recommendation.differs")
    assert entry.payload["found"] == "RuntimeError: gone"


def test_rerun_recommendations_without_any_or_of_no_rerunner(
    depot: Depot, echoing: None
) -> None:
    with pytest.raises(CommandError, match="no such"):
        call_command("rerun_recommendations")
    issue(draft(depot, kind="slot"), by=SYSTEM, now=NOW)
    with pytest.raises(CommandError, match="slot"):
        call_command("rerun_recommendations")


def test_audit_makes_again_what_never_was(depot: Depot, echoing: None) -> None:
    issue_all(
        [draft(depot, inputs=b"%d" % at, answer=b"%d" % at) for at in range(30)],
        by=SYSTEM,
        now=NOW,
    )
    tasks.audit()
    drain()
    checked = Recommendation.objects.filter(is_identical=True)
    assert checked.count() == tasks.AUDITED
    tasks.audit()
    drain()
    assert checked.count() == 30


def test_sample_is_spread_over_all(depot: Depot) -> None:
    rows = issue_all([draft(depot) for _ in range(10)], by=SYSTEM, now=NOW)
    ids = [row.pk for row in rows]
    assert sample(Recommendation.objects.all(), 20) == ids
    assert sample(Recommendation.objects.all(), 5) == ids[::2]
