"""Sessions of a device are numbered, so that a newer one is told from an older."""

from typing import Any

import django.db.models.deletion
from django.db import migrations, models


def number_sessions(apps: Any, editor: Any) -> None:
    """Number what is there as it was opened, and say which was shown last.

    Where a hand-over waits, that is the last one of the driver before; else the last.
    """
    device_model = apps.get_model("drivers", "Device")
    token_model = apps.get_model("drivers", "Token")
    for device in device_model.objects.select_related("shown_driver").iterator():
        rows = token_model.objects.filter(device=device, purpose="session")
        for number, token in enumerate(rows.order_by("created"), 1):
            token_model.objects.filter(pk=token.pk).update(number=number)
            device.sessions = number
            waits = device.shown_driver is not None
            if not waits or token.user_id == device.shown_driver.user_id:
                device.shown_session = number
        device.save(update_fields=["sessions", "shown_session"])


class Migration(migrations.Migration):
    """Two counters a device, a number a session."""

    dependencies = [
        ("drivers", "0007_handover_is_confirmed"),
    ]

    operations = [
        migrations.AddField(
            model_name="device",
            name="sessions",
            field=models.PositiveIntegerField(
                default=0, help_text="How many sessions were opened on it."
            ),
        ),
        migrations.AddField(
            model_name="device",
            name="shown_session",
            field=models.PositiveIntegerField(
                default=0, help_text="The number of that session."
            ),
        ),
        migrations.AddField(
            model_name="token",
            name="number",
            field=models.PositiveIntegerField(
                default=0, help_text="Which of its device's sessions it is: 1, 2, 3 …"
            ),
        ),
        migrations.AlterField(
            model_name="device",
            name="shown_driver",
            field=models.ForeignKey(
                blank=True,
                help_text="Whose the newest session is that it has shown: who it believes has it.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="drivers.driver",
            ),
        ),
        migrations.RunPython(number_sessions, migrations.RunPython.noop),
    ]
