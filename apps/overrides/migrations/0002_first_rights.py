"""The decision rights that a new house begins with; roles see them, and requests."""

from django.db import migrations

from apps.core import clock
from apps.core.roles import grant_roles
from apps.overrides.defaults import make_first_rights


def write(apps, schema_editor):
    make_first_rights(apps.get_model("overrides", "DecisionRight"), now=clock.now())
    grant_roles(
        group=apps.get_model("auth", "Group"),
        permission=apps.get_model("auth", "Permission"),
        content_type=apps.get_model("contenttypes", "ContentType"),
    )


class Migration(migrations.Migration):
    dependencies = [
        ("overrides", "0001_initial"),
        ("core", "0006_supervisors_mend_events"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [migrations.RunPython(write, migrations.RunPython.noop)]
