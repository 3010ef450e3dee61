"""Four playbooks to begin with, and the roles that deal with incidents."""

from django.db import migrations

from apps.core.roles import grant_roles

COORDINATOR, SUPERVISOR, PLANNER = "Coordinator", "Supervisor", "Route planner"
PLAYBOOKS = {
    "breakdown": (
        "Vehicle breakdown",
        "A vehicle cannot go on: people first, then the parcels.",
        [
            (
                "Call the driver: is everybody safe, is the vehicle off the road?",
                SUPERVISOR,
                5,
            ),
            ("Send help: breakdown service, or a colleague nearby.", SUPERVISOR, 10),
            (
                "End the shift or give it another vehicle, so that the day is planned anew.",
                PLANNER,
                15,
            ),
            ("Have the parcels on board fetched, and say by whom.", SUPERVISOR, 45),
            ("Tell the customers whose time cannot be kept.", COORDINATOR, 30),
            (
                "Write down the damage, and take the vehicle out of use.",
                SUPERVISOR,
                240,
            ),
        ],
    ),
    "closure": (
        "Closed road",
        "A road that several routes need is closed.",
        [
            ("Confirm or end the report on the road's page.", COORDINATOR, 15),
            (
                "Look at the stops that are marked, and at the routes planned anew.",
                PLANNER,
                20,
            ),
            ("Call the drivers who are nearest to it.", COORDINATOR, 20),
            ("Tell the customers whose time cannot be kept.", COORDINATOR, 40),
        ],
    ),
    "ai_down": (
        "Optimizer is down",
        "The rules plan alone: the day goes on, a little dearer.",
        [
            (
                "Look at the plans that the rules made: does every route make sense?",
                PLANNER,
                15,
            ),
            ("Publish what waits; do not wait for the optimizer.", PLANNER, 20),
            (
                "See why the engines fail: the mode's page has their last words.",
                SUPERVISOR,
                30,
            ),
            ("Tell the drivers that routes may be longer than usual.", SUPERVISOR, 30),
            (
                "When it is back: look at the first plan before it is published.",
                PLANNER,
                120,
            ),
        ],
    ),
    "surge": (
        "Surge of orders",
        "More orders than the day's shifts can take.",
        [
            ("Count what is left out, and when it is due.", PLANNER, 15),
            ("Ask drivers for overtime, or for another shift.", SUPERVISOR, 30),
            (
                "Move what may wait to another day, with the customers' consent.",
                COORDINATOR,
                60,
            ),
            ("Plan again, and look at what is still left out.", PLANNER, 75),
        ],
    ),
}


def write(apps, schema_editor):
    playbooks = apps.get_model("incidents", "Playbook")
    steps = apps.get_model("incidents", "PlaybookStep")
    for code, (name, about, listed) in PLAYBOOKS.items():
        playbook, is_new = playbooks.objects.get_or_create(
            code=code, depot=None, defaults={"name": name, "about": about}
        )
        if not is_new:
            continue
        for number, (text, role, due_min) in enumerate(listed, 1):
            steps.objects.create(
                playbook=playbook, number=number, text=text, role=role, due_min=due_min
            )


def grant(apps, schema_editor):
    grant_roles(
        group=apps.get_model("auth", "Group"),
        permission=apps.get_model("auth", "Permission"),
        content_type=apps.get_model("contenttypes", "ContentType"),
    )


class Migration(migrations.Migration):
    dependencies = [
        ("incidents", "0001_initial"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [
        migrations.RunPython(write, migrations.RunPython.noop),
        migrations.RunPython(grant, migrations.RunPython.noop),
    ]
