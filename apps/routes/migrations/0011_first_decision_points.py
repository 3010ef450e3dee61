"""The machine may go on doing what it did; roles see who plans, and where it may act."""

from django.db import migrations

from apps.core import clock
from apps.core.roles import grant_roles

ACTS = ("plan", "repair", "replan", "eta", "parameters")


def let_it_go_on(apps, schema_editor):
    points = apps.get_model("routes", "DecisionPoint")
    for act in ACTS:
        points.objects.get_or_create(
            act=act,
            depot=None,
            defaults={
                "leave": "yes",
                "why": "As before there were decision points.",
                "changed_at": clock.now(),
                "changed_by": "system",
            },
        )


def grant(apps, schema_editor):
    grant_roles(
        group=apps.get_model("auth", "Group"),
        permission=apps.get_model("auth", "Permission"),
        content_type=apps.get_model("contenttypes", "ContentType"),
    )


class Migration(migrations.Migration):
    dependencies = [
        ("routes", "0010_modes_and_decision_points"),
        ("depots", "0004_roles_see_absences"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [
        migrations.RunPython(let_it_go_on, migrations.RunPython.noop),
        migrations.RunPython(grant, migrations.RunPython.noop),
    ]
