"""The playbook of a missed customer."""

from django.db import migrations, models

STEPS = [
    ("See what the driver says, and whether the address or the time was wrong.", 15),
    ("Has the customer chosen a new time by the link? Then nothing is left to do.", 60),
    ("Call the customer: say sorry, offer the slots of the order's page.", 90),
    ("Nobody answers: write a message, and hold the parcel for the stated days.", 120),
]


def write(apps, schema_editor):
    playbooks = apps.get_model("incidents", "Playbook")
    steps = apps.get_model("incidents", "PlaybookStep")
    playbook, is_new = playbooks.objects.get_or_create(
        code="recovery",
        depot=None,
        defaults={
            "name": "Missed customer",
            "about": "An attempt failed: the customer hears of us before having to ask.",
        },
    )
    if not is_new:
        return
    for number, (text, due_min) in enumerate(STEPS, 1):
        steps.objects.create(
            playbook=playbook,
            number=number,
            text=text,
            role="Coordinator",
            due_min=due_min,
        )


class Migration(migrations.Migration):
    dependencies = [("incidents", "0002_first_playbooks")]

    operations = [
        migrations.AlterField(
            model_name="incident",
            name="kind",
            field=models.CharField(
                choices=[
                    ("unsafe", "Driver is not safe"),
                    ("vehicle", "Trouble with a vehicle"),
                    ("hours", "Driver's hours run out"),
                    ("no_access", "No access at a stop"),
                    ("no_parking", "No place to park at a stop"),
                    ("wrong_address", "Wrong address"),
                    ("road", "Driver reports a closed road"),
                    ("needs_review", "A driver's report waits for a decision"),
                    ("failed_solve", "A plan failed"),
                    ("ai_down", "The optimizer is failing"),
                    ("machine_asks", "The machine asks for leave"),
                    ("machine_refused", "The machine was refused an act"),
                    ("task_dead", "Background work gave up"),
                    ("unacknowledged", "A driver has not seen a change"),
                    ("late_shift", "A shift has not begun"),
                    ("silent_device", "Nothing is heard from a driver"),
                    ("stale_roads", "Travel times are a rough estimate"),
                    ("over_reliance", "Plans are waved through"),
                    ("surge", "More orders than the day can take"),
                    ("missed", "A customer was missed"),
                    ("other", "Something else"),
                ],
                max_length=20,
            ),
        ),
        migrations.RunPython(write, migrations.RunPython.noop),
    ]
