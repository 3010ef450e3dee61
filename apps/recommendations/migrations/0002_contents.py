"""Inputs and answers are kept once; what became of a recommendation says how."""

import zlib

from django.db import migrations, models


def keep_contents(apps, schema_editor):
    recommendation = apps.get_model("recommendations", "Recommendation")
    content = apps.get_model("recommendations", "Content")
    for row in recommendation.objects.iterator(chunk_size=50):
        for name, body in (
            (row.inputs_hash, row.inputs),
            (row.answer_hash, row.answer),
        ):
            content.objects.get_or_create(
                hash=name,
                defaults={
                    "body": bytes(body),
                    "size_bytes": len(zlib.decompress(bytes(body))),
                },
            )


class Migration(migrations.Migration):
    dependencies = [("recommendations", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="Content",
            fields=[
                (
                    "hash",
                    models.CharField(
                        help_text="SHA-256 of the canonical JSON.",
                        max_length=64,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "body",
                    models.BinaryField(help_text="The canonical JSON, packed."),
                ),
                (
                    "size_bytes",
                    models.PositiveBigIntegerField(help_text="Of the canonical JSON."),
                ),
            ],
        ),
        migrations.RunPython(keep_contents, migrations.RunPython.noop),
    ]
