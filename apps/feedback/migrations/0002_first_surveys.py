"""The surveys that a new installation has."""

from django.db import migrations

from apps.feedback.firsts import make_first_surveys


def make(apps, schema_editor):
    make_first_surveys(apps.get_model("feedback", "Survey"))


class Migration(migrations.Migration):
    dependencies = [("feedback", "0001_initial")]

    operations = [migrations.RunPython(make, migrations.RunPython.noop)]
