"""Recommendations point at their contents."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("recommendations", "0002_contents")]

    operations = [
        migrations.RemoveField("recommendation", "inputs"),
        migrations.RemoveField("recommendation", "answer"),
        migrations.RenameField("recommendation", "inputs_hash", "inputs"),
        migrations.RenameField("recommendation", "answer_hash", "answer"),
        migrations.AlterField(
            "recommendation",
            "inputs",
            models.ForeignKey(
                db_column="inputs_hash",
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="recommendations.content",
            ),
        ),
        migrations.AlterField(
            "recommendation",
            "answer",
            models.ForeignKey(
                db_column="answer_hash",
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="recommendations.content",
            ),
        ),
    ]
