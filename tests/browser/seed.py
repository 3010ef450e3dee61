"""Fill a new database for the browser: `python -m tests.browser.seed`."""

import os
from datetime import timedelta


def main() -> None:
    """Make an office with one route and one plan that is being made."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django  # noqa: PLC0415  settings come from this process's environment

    django.setup()
    from django.core.management import call_command  # noqa: PLC0415

    call_command("migrate", verbosity=0)
    from apps.core.roles import SUPERVISOR  # noqa: PLC0415
    from apps.routes.models import Plan  # noqa: PLC0415
    from apps.routes.states import PlanState  # noqa: PLC0415
    from tests.factories import NOW, SERVICE_DATE, OrderFactory  # noqa: PLC0415
    from tests.office import make_office, make_user, publish  # noqa: PLC0415

    office = make_office(name="Lauf")
    publish(office)
    user = make_user(SUPERVISOR, office.depot)
    user.username = "supervisor"
    user.save()
    tomorrow = SERVICE_DATE + timedelta(days=1)
    OrderFactory(depot=office.depot, service_date=tomorrow)
    Plan.objects.create(
        depot=office.depot,
        service_date=tomorrow,
        kind=Plan.Kind.DAY,
        number=1,
        status=PlanState.SOLVING,
        progress_percent=37,
        requested_by="user:1",
        requested_at=NOW,
    )


if __name__ == "__main__":
    main()
