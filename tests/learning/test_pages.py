"""What was learned, in the office and by API."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from apps.depots.models import Depot
from apps.learning.admin.pictures import grid_of, lines_of
from apps.learning.naming import key_in_words
from apps.learning.shapes import Estimated
from tests.factories import NOW, DepotFactory, EstimateFactory
from tests.office import make_user, signed_in

PICTURES = "admin:learning_estimate_pictures"


@pytest.fixture
def depot() -> Depot:
    return DepotFactory()


@pytest.fixture
def client(depot: Depot) -> Client:
    return signed_in(make_user("Model monitor", depot))


def figure(kind: str, key: str, mean: float, spread: float = 0.02) -> Estimated:
    return Estimated(kind, key, 50, mean, spread, "depot", NOW)


def by_key(*figures: Estimated) -> dict[str, Estimated]:
    return {each.key: each for each in figures}


@pytest.mark.parametrize(
    ("kind", "key", "words"),
    [
        ("service", "depot", "Everything"),
        ("service", "zone:North", "zone North"),
        ("service", "parcels:4+", "4+ parcels"),
        ("service", "parcels:1", "1 parcel"),
        ("service", "building:91207 street 1", "91207 street 1"),
        ("travel", "hour:23", "23–00 h"),
        ("travel", "pair:North>Old Town@8", "North to Old Town, 08–09 h"),
        ("success", "zone:North@8", "zone North, 08–09 h"),
        ("zone_order", "North>South", "North before South"),
        ("adherence", "kind:plan@North", "kind plan, North"),
    ],
)
def test_key_is_named_in_words(kind: str, key: str, words: str) -> None:
    assert key_in_words(kind, key) == words


def test_lines_show_the_surest_difference_first() -> None:
    figures = by_key(
        figure("service", "depot", 1.0),
        figure("service", "zone:North", 1.6, spread=0.4),
        figure("service", "zone:South", 1.3, spread=0.01),
    )

    lines = lines_of("service", figures)

    assert lines is not None
    assert [mark.name for mark in lines.marks] == [
        "Everything",
        "zone South",
        "zone North",
    ]
    first, south, north = lines.marks
    assert first.x == lines.usual_x < south.x < north.x
    assert all(mark.low <= mark.x <= mark.high for mark in lines.marks)


def test_grid_has_a_field_for_each_zone_and_hour_that_is_known() -> None:
    figures = by_key(
        figure("success", "depot", 0.9),
        figure("success", "zone:North@8", 0.95),
        figure("success", "zone:North@17", 0.7),
        figure("success", "zone:South@8", 0.9),
    )

    grid = grid_of("success", figures)

    assert grid is not None
    assert [name for _, name in grid.rows] == ["North", "South"]
    assert [name for _, name in grid.columns] == ["08", "17"]
    assert len(grid.cells) == 3
    sides = {cell.text.partition(":")[0]: cell.side for cell in grid.cells}
    assert sides["zone North, 08–09 h"] == "more"
    assert sides["zone North, 17–18 h"] == "less"
    assert not lines_of("success", {})
    assert grid_of("service", figures) is not None
    assert grid_of("success", by_key(figures["depot"])) is None


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("kind", "keys"),
    [
        ("service", ["depot", "zone:North", "class:van", "parcels:2"]),
        ("travel", ["depot", "hour:8", "pair:A>B", "pair:A>B@8"]),
        ("success", ["depot", "zone:North", "zone:North@8"]),
        ("zone_order", ["A>B", "B>A"]),
        ("adherence", ["depot", "kind:plan", "kind:sequence@North"]),
    ],
)
def test_page_draws_every_kind(
    kind: str, keys: list[str], depot: Depot, client: Client
) -> None:
    for n, key in enumerate(keys):
        EstimateFactory(depot=depot, kind=kind, key=key, mean=0.6 + n / 10)

    page = client.get(reverse(PICTURES), {"kind": kind, "depot": str(depot.pk)})

    body = page.content.decode()
    assert page.status_code == 200
    assert body.count("<title>") > len(keys) - 1
    assert "Nothing of this kind" not in body


@pytest.mark.django_db
def test_page_without_figures_says_so(client: Client) -> None:
    assert "Nothing of this kind" in client.get(reverse(PICTURES)).content.decode()


@pytest.mark.django_db
def test_another_depots_figures_are_not_drawn(client: Client) -> None:
    other = DepotFactory(code="other")
    EstimateFactory(depot=other)

    page = client.get(reverse(PICTURES), {"depot": str(other.pk)})

    assert page.context["depot"] != other


@pytest.mark.django_db
def test_list_shows_what_holds_and_old_versions_when_asked(
    depot: Depot, client: Client
) -> None:
    EstimateFactory(depot=depot, until_at=NOW + timedelta(days=1))
    held = EstimateFactory(depot=depot, mean=1.4, as_of=NOW + timedelta(days=1))
    url = reverse("admin:learning_estimate_changelist")

    assert list(client.get(url).context["cl"].queryset) == [held]
    old_too = client.get(url, {"version": "all"})
    assert len(old_too.context["cl"].queryset) == 2


@pytest.mark.django_db
def test_api_tells_what_held_at_an_instant(depot: Depot, client: Client) -> None:
    later = NOW + timedelta(days=1)
    EstimateFactory(depot=depot, mean=1.1, until_at=later)
    EstimateFactory(depot=depot, mean=1.4, as_of=later)
    EstimateFactory(depot=DepotFactory(code="other"))

    def means(**query: str) -> list[float]:
        answer = client.get("/api/v1/estimates", query)
        assert answer.status_code == 200
        return [row["mean"] for row in answer.json()["results"]]

    assert means(kind="service") == [1.4]
    assert means(at=f"{NOW:%Y-%m-%dT%H:%M:%SZ}") == [1.1]
    assert means(kind="travel") == []
    refused = client.get("/api/v1/estimates", {"at": "yesterday"})
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["pointer"] == "/at"
