"""Vehicle types: a table instead of a choice, with the first types in it."""

from django.db import migrations, models

from apps.drivers.kinds import make_first_types


def make_types(apps, schema_editor):
    make_first_types(apps.get_model("drivers", "VehicleType"))
    # "bike" was shown as "Cargo bike" until now.
    vehicles = apps.get_model("drivers", "Vehicle").objects
    vehicles.filter(type="bike").update(type="cargo-bike")


def back(apps, schema_editor):
    vehicles = apps.get_model("drivers", "Vehicle").objects
    vehicles.filter(type="cargo-bike").update(type="bike")


class Migration(migrations.Migration):
    dependencies = [("drivers", "0004_positions")]

    operations = [
        migrations.CreateModel(
            name="VehicleType",
            fields=[
                (
                    "code",
                    models.SlugField(max_length=30, primary_key=True, serialize=False),
                ),
                ("name", models.CharField(max_length=60)),
                (
                    "capabilities",
                    models.JSONField(
                        blank=True,
                        default=list,
                        help_text="What every vehicle of this type can.",
                    ),
                ),
                (
                    "is_crewed",
                    models.BooleanField(
                        default=True,
                        help_text="Otherwise the driver's skills do not count where it delivers.",
                        verbose_name="a person comes to the door",
                    ),
                ),
                (
                    "speed_percent",
                    models.PositiveSmallIntegerField(
                        default=100,
                        help_text="Of a car's speed on the same road.",
                    ),
                ),
                (
                    "is_active",
                    models.BooleanField(
                        default=True, help_text="May be chosen for a vehicle."
                    ),
                ),
                ("version", models.PositiveIntegerField(default=1)),
            ],
            options={
                "ordering": ["name"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("speed_percent__range", (1, 300))),
                        name="type_moves",
                    )
                ],
            },
        ),
        migrations.AlterField(
            model_name="vehicle",
            name="type",
            field=models.CharField(default="van", max_length=30),
        ),
        migrations.RunPython(make_types, back),
    ]
