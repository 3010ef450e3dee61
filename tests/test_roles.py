"""The roles' groups: there after migrating, as the table says, and no wider."""

import pytest
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType

from apps.core import roles

pytestmark = pytest.mark.django_db

OFFICE = [role for role in roles.ROLES if role != roles.DRIVER]


def held_by(group: Group) -> set[str]:
    rows = group.permissions.values_list("content_type__app_label", "codename")
    return {f"{app_label}.{codename}" for app_label, codename in rows}


@pytest.mark.parametrize("role", roles.ROLES)
def test_group_has_exactly_the_permissions_of_the_table(role: str) -> None:
    assert held_by(Group.objects.get(name=role)) == roles.permissions_of(role)


def test_granting_again_changes_nothing_and_mends_what_was_bent() -> None:
    before = {role: held_by(Group.objects.get(name=role)) for role in roles.ROLES}
    rows = Permission.objects.count(), ContentType.objects.count()
    Group.objects.get(name=roles.SUPERVISOR).permissions.clear()
    night_shift = Group.objects.create(name="Night shift")
    roles.grant_roles(group=Group, permission=Permission, content_type=ContentType)
    after = {role: held_by(Group.objects.get(name=role)) for role in roles.ROLES}
    assert after == before
    assert (Permission.objects.count(), ContentType.objects.count()) == rows
    assert Group.objects.filter(pk=night_shift.pk).exists()


def test_permissions_are_those_that_django_makes_itself() -> None:
    """Made before the models' tables, they must not end up twice, or nameless."""
    for role in roles.ROLES:
        for row in Group.objects.get(name=role).permissions.all():
            model = row.content_type.model_class()
            assert model is not None, row
            verb = row.codename.partition("_")[0]
            assert row.name == f"Can {verb} {model._meta.verbose_name_raw}"


def test_drivers_have_no_permission_in_the_office() -> None:
    assert roles.permissions_of(roles.DRIVER) == frozenset()


@pytest.mark.parametrize(
    ("permission", "holders"),
    [
        ("routes.add_plan", {roles.SUPERVISOR, roles.ROUTE_PLANNER}),
        ("drivers.add_driver", {roles.SUPERVISOR}),
        ("drivers.change_device", {roles.SUPERVISOR}),
        ("drivers.add_enrolmentcode", {roles.SUPERVISOR}),
        ("drivers.change_shift", {roles.SUPERVISOR, roles.ROUTE_PLANNER}),
        (
            "orders.change_order",
            {
                roles.SUPERVISOR,
                roles.ROUTE_PLANNER,
                roles.DATA_STEWARD,
                roles.COORDINATOR,
            },
        ),
        (
            "orders.view_customer",
            {
                roles.SUPERVISOR,
                roles.ROUTE_PLANNER,
                roles.DATA_STEWARD,
                roles.COORDINATOR,
            },
        ),
        (
            "recommendations.view_recommendation",
            set(OFFICE) - {roles.DATA_STEWARD},
        ),
        ("orders.change_address", {roles.DATA_STEWARD}),
        ("feedback.add_response", set(OFFICE)),
        (
            "feedback.view_response",
            {roles.SUPERVISOR, roles.DATA_STEWARD, roles.DATA_ANALYST},
        ),
        ("feedback.add_surveyhook", {roles.SUPERVISOR, roles.DATA_STEWARD}),
        (
            "journal.view_entry",
            {roles.SUPERVISOR, roles.DATA_STEWARD, roles.MODEL_MONITOR},
        ),
    ],
)
def test_permission_is_held_by_these_roles_alone(
    permission: str, holders: set[str]
) -> None:
    found = {role for role in roles.ROLES if permission in roles.permissions_of(role)}
    assert found == holders


@pytest.mark.parametrize("role", roles.ROLES)
def test_no_role_may_delete_or_edit_a_fact(role: str) -> None:
    facts = {
        "journal.entry",
        "sync.deviceevent",
        "sync.attachment",
        "routes.stopevent",
        "routes.stop",
        "routes.route",
        "routes.planchange",
        "recommendations.recommendation",
    }
    for name in roles.permissions_of(role):
        app_label, _, codename = name.partition(".")
        verb, _, model = codename.partition("_")
        assert verb != "delete"
        assert verb == "view" or f"{app_label}.{model}" not in facts
