from django.db import migrations

FILL = """
UPDATE routes_stopevent
   SET device_id = (SELECT e.device_id FROM sync_deviceevent e
                     WHERE e.id = routes_stopevent.id),
       is_sure = COALESCE((SELECT e.time_quality = 'mono' FROM sync_deviceevent e
                            WHERE e.id = routes_stopevent.id), is_sure)
 WHERE device_id IS NULL
"""


class Migration(migrations.Migration):
    """Facts of stops that are there already learn which device numbered them."""

    dependencies = [
        ("routes", "0015_facts_of_a_device"),
        ("sync", "0006_asked_again"),
    ]

    operations = [migrations.RunSQL(FILL, migrations.RunSQL.noop)]
