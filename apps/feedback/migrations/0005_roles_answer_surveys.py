"""Staff answer surveys themselves; webhook doors are opened and shut in the office."""

from django.db import migrations

from apps.core.roles import grant_roles


def grant(apps, schema_editor):
    grant_roles(
        group=apps.get_model("auth", "Group"),
        permission=apps.get_model("auth", "Permission"),
        content_type=apps.get_model("contenttypes", "ContentType"),
    )


class Migration(migrations.Migration):
    dependencies = [
        ("feedback", "0004_roles"),
        ("core", "0006_supervisors_mend_events"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [migrations.RunPython(grant, migrations.RunPython.noop)]
