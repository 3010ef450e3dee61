"""Who chose on the road hears on the device what came of it, in the own language."""

import pytest
from django.utils import translation

from apps.core.actors import SYSTEM
from apps.journal.models import Change
from apps.sync.feeds import verdicts
from apps.verdicts.models import Verdict
from apps.verdicts.services.judging import judge_shift
from apps.verdicts.words import WORDS, to_the_driver
from tests.verdicts.days import AFTER, make_driven, overridden

pytestmark = pytest.mark.django_db

ALONG = (1, 2, 3, 4, 5, 6)
ZIGZAG = (4, 1, 5, 2, 6, 3)


def test_who_asked_on_the_road_hears_who_was_right() -> None:
    driven = make_driven(*ALONG)
    asked = overridden(driven, ZIGZAG, ALONG)
    [row] = judge_shift(driven.shift, by=SYSTEM, now=AFTER)
    driver = driven.route.driver_id
    found = Change.objects.get(table="verdicts", scope=driver)
    assert found.row_id == str(row.pk)
    told = verdicts(driver, [str(row.pk)])[str(row.pk)]
    minutes = round(row.gained_s / 60)
    assert minutes > 15
    assert told["text"].startswith(f"Your way was about {minutes} minutes quicker.")
    assert "6 of" in told["data_used"]
    assert told["how_to_object"]
    assert (told["event_id"], told["ruling"]) == (asked.client_id, "right")
    with translation.override("de"):
        text = verdicts(driver, [str(row.pk)])[str(row.pk)]["text"]
    assert f"etwa {minutes} Minuten schneller" in text


def test_who_drove_otherwise_hears_it_and_nobody_else() -> None:
    driven = make_driven(*ZIGZAG)
    [row] = judge_shift(driven.shift, by=SYSTEM, now=AFTER)
    told = verdicts(driven.route.driver_id, [str(row.pk)])[str(row.pk)]
    assert "the plan would have been about" in told["text"]
    stranger = make_driven(*ALONG)
    assert verdicts(stranger.route.driver_id, [str(row.pk)]) == {}


def test_what_the_office_chose_is_told_to_no_device() -> None:
    driven = make_driven(*ALONG)
    overridden(driven, ZIGZAG, ALONG, driver=None)
    judge_shift(driven.shift, by=SYSTEM, now=AFTER)
    assert Verdict.objects.count() == 1
    assert not Change.objects.filter(table="verdicts").exists()


@pytest.mark.parametrize("code", ["de", "es", "fr"])
def test_every_reason_is_said_in_every_language(code: str) -> None:
    english = {because: to_the_driver("undecidable", 0, because) for because in WORDS}
    with translation.override(code):
        for because, text in english.items():
            assert to_the_driver("undecidable", 0, because) != text
