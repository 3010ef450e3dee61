"""Let supervisors and coordinators see and mend messages, stewards keep consent."""

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
        ("notifications", "0002_consent_and_promises"),
        ("core", "0006_supervisors_mend_events"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [migrations.RunPython(grant, migrations.RunPython.noop)]
