"""A task knows whose work it is: before, each page that asked read it off the journal."""

import uuid

from django.db import migrations, models

AT_ONCE = 1000


def fill(apps, schema_editor):
    """Runs of before say it where they name a depot; those that do not end within a week."""
    runs = apps.get_model("core", "TaskRun").objects.order_by("id")
    some = []
    for run in runs.only("id", "arguments").iterator(chunk_size=AT_ONCE):
        named = run.arguments.get("depot_id")
        if not named:
            continue
        run.depot_id = uuid.UUID(named)
        some.append(run)
        if len(some) == AT_ONCE:
            runs.model.objects.bulk_update(some, ["depot_id"])
            some = []
    runs.model.objects.bulk_update(some, ["depot_id"])


class Migration(migrations.Migration):
    dependencies = [("core", "0006_supervisors_mend_events")]

    operations = [
        migrations.AddField(
            model_name="taskrun",
            name="depot_id",
            field=models.UUIDField(
                help_text="Whose work it is; empty: the whole installation's.",
                null=True,
            ),
        ),
        migrations.AddIndex(
            model_name="taskrun",
            index=models.Index(
                fields=["depot_id", "-id"], name="core_taskru_depot_i_84d8bd_idx"
            ),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
