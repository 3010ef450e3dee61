"""Making recommendations again from their stored inputs: who can, and which to try.

The ledger lies below the rooms that recommend. Each kind's rerunner is therefore named
in `config/rerunners.py` (`settings.RECOMMENDATION_RERUNNERS`): a function from the stored
inputs to the answer, both canonical JSON, that reads no table.

An engine of another version may answer otherwise, and is meant to. What an earlier one
made is therefore told apart, and not made again: it would prove nothing.
"""

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils.module_loading import import_string

from apps.recommendations.models import Recommendation
from apps.recommendations.services import content_hash, stored_inputs

Rerunner = Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True)
class Rerun:
    """How one came out: `found` is the new answer's hash, or what went wrong."""

    recommendation_id: uuid.UUID
    kind: str
    is_identical: bool
    found: str


def rerunner_of(kind: str) -> Rerunner:
    """Return what makes recommendations of a kind again.

    Raises:
        LookupError: nobody has said how.
    """
    table: Mapping[str, str] = import_string(settings.RECOMMENDATION_RERUNNERS)
    if kind not in table:
        raise LookupError(f"config/rerunners.py names nobody for the kind {kind!r}.")
    rerunner: Rerunner = import_string(table[kind])
    return rerunner


def engine_versions() -> dict[str, frozenset[str]]:
    """Say by engine of which versions the answers can be made again to the byte."""
    tellers: Iterable[str] = import_string(settings.RECOMMENDATION_ENGINES)
    return {
        engine: versions
        for teller in tellers
        for engine, versions in import_string(teller)().items()
    }


def is_of_earlier_version(row: Recommendation) -> bool:
    """Tell whether its engine has another version by now; of one unknown, it has not."""
    versions = engine_versions().get(row.engine)
    return versions is not None and row.engine_version not in versions


def of_earlier_versions() -> Q:
    """Select what `is_of_earlier_version` is true of."""
    earlier = Q(pk__in=())
    for engine, versions in engine_versions().items():
        earlier |= Q(engine=engine) & ~Q(engine_version__in=versions)
    return earlier


def make_again(row: Recommendation) -> Rerun:
    """Make a recommendation again, outside any transaction, and compare to the byte.

    An engine that fails now where it answered then has not given the same answer: that
    is a result too, with its error as what was found.

    Raises:
        LookupError: nobody has said how its kind is made again.
    """
    rerunner = rerunner_of(row.kind)
    try:
        found = content_hash(rerunner(stored_inputs(row)))
    except Exception as error:  # noqa: BLE001  whatever an engine throws is its answer
        found = f"{type(error).__name__}: {error}"[:300]
    return Rerun(row.pk, row.kind, found == row.answer_hash, found)


def sample(
    rows: QuerySet[Recommendation], size: int, *, unchecked_first: bool = False
) -> Sequence[uuid.UUID]:
    """Return ids spread evenly over rows (all where there are no more), oldest first.

    With `unchecked_first`, those that were never made again, then the longest ago.
    """
    ids: list[Any]
    if unchecked_first:
        never = rows.filter(checked_at=None).order_by("-id")
        ids = list(never.values_list("pk", flat=True)[:size])
        if len(ids) < size:
            known = rows.filter(checked_at__isnull=False).order_by("checked_at", "id")
            ids += known.values_list("pk", flat=True)[: size - len(ids)]
        return ids
    ids = list(rows.order_by("id").values_list("pk", flat=True))
    if len(ids) <= size:
        return ids
    return [ids[at * len(ids) // size] for at in range(size)]
