"""A vehicle's type is a row; what it can and how fast it is comes from there."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("drivers", "0005_vehicle_types")]

    operations = [
        migrations.AlterField(
            model_name="vehicle",
            name="type",
            field=models.ForeignKey(
                db_column="type",
                default="van",
                on_delete=django.db.models.deletion.PROTECT,
                related_name="vehicles",
                to="drivers.vehicletype",
            ),
        ),
        migrations.AddField(
            model_name="vehicle",
            name="lacks",
            field=models.JSONField(
                blank=True,
                default=list,
                help_text="What its type can, and this one cannot.",
            ),
        ),
        migrations.AlterField(
            model_name="vehicle",
            name="capabilities",
            field=models.JSONField(
                blank=True, default=list, help_text="Beyond those of its type."
            ),
        ),
        migrations.AlterField(
            model_name="vehicle",
            name="speed_percent",
            field=models.PositiveSmallIntegerField(
                blank=True, help_text="Of a car's speed. Empty: its type's.", null=True
            ),
        ),
    ]
