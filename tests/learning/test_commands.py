"""`manage.py learn`."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from apps.learning.models import Estimate
from tests.bench._learning_days import LearningDays

pytestmark = pytest.mark.django_db


def test_learn_says_what_it_did_and_how_far_it_is() -> None:
    days = LearningDays.new()
    days.lay_out(40)
    out, err = StringIO(), StringIO()

    call_command("learn", depot=days.depot.code, json=True, stdout=out, stderr=err)

    told = json.loads(out.getvalue())[days.depot.code]
    assert told["stops"] == 40
    assert told["changed"] == told["routes"] == 1
    assert told["estimates"] == Estimate.objects.count() > 0
    assert "routes: 0 of 1" in err.getvalue()


def test_learn_unknown_depot_is_refused() -> None:
    with pytest.raises(CommandError, match="no such depot"):
        call_command("learn", depot="nowhere")
