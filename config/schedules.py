"""The one table of what happens by the clock."""

from apps.core.schedules import Scheduled

SCHEDULES: tuple[Scheduled, ...] = (
    Scheduled(name="tidy", task="apps.core.tasks.tidy", every_minutes=60),
    Scheduled(
        name="expire_holds", task="apps.promises.tasks.expire_holds", every_minutes=1
    ),
    Scheduled(name="watch_days", task="apps.routes.tasks.watch_days", every_minutes=1),
    Scheduled(
        name="expire_uploads", task="apps.sync.tasks.expire_uploads", every_minutes=60
    ),
    Scheduled(
        name="release_held", task="apps.sync.tasks.release_held", every_minutes=1
    ),
    Scheduled(
        name="compact_feeds", task="apps.sync.tasks.compact_feeds", every_minutes=1440
    ),
    Scheduled(
        name="expire_conditions",
        task="apps.routes.tasks.expire_conditions",
        every_minutes=1,
    ),
    Scheduled(
        name="relearn_travel",
        task="apps.routes.tasks.relearn_travel",
        every_minutes=24 * 60,
    ),
    Scheduled(
        name="calibrate_etas",
        task="apps.routes.tasks.calibrate_etas",
        every_minutes=24 * 60,
    ),
    Scheduled(
        name="roll_up_days",
        task="apps.metrics.tasks.roll_up_days",
        every_minutes=24 * 60,
    ),
    Scheduled(
        name="watch_messages", task="apps.notifications.tasks.watch", every_minutes=1
    ),
    Scheduled(
        name="expire_recommendations",
        task="apps.recommendations.tasks.expire",
        every_minutes=5,
    ),
    Scheduled(
        name="audit_recommendations",
        task="apps.recommendations.tasks.audit",
        every_minutes=24 * 60,
    ),
    Scheduled(name="ask_office", task="apps.feedback.tasks.ask_due", every_minutes=60),
    Scheduled(
        name="expire_surveys",
        task="apps.feedback.tasks.expire_surveys",
        every_minutes=60,
    ),
    Scheduled(
        name="settle_recommendations",
        task="apps.routes.tasks.settle_recommendations",
        every_minutes=15,
    ),
    Scheduled(
        name="try_engines", task="apps.routes.tasks.try_engines", every_minutes=1
    ),
    Scheduled(
        name="watch_incidents", task="apps.incidents.tasks.watch", every_minutes=1
    ),
    Scheduled(
        name="watch_reliance",
        task="apps.incidents.tasks.watch_reliance",
        every_minutes=60,
    ),
    Scheduled(
        name="tell_near",
        task="apps.customers.tasks.tell_near",
        every_minutes=1,
    ),
    Scheduled(
        name="watch_overrides", task="apps.overrides.tasks.watch", every_minutes=1
    ),
    Scheduled(
        name="watch_changes",
        task="apps.tuning.tasks.watch",
        every_minutes=24 * 60,
    ),
    Scheduled(
        name="learn", task="apps.learning.tasks.learn_all", every_minutes=24 * 60
    ),
    Scheduled(
        name="judge_late", task="apps.verdicts.tasks.judge_late", every_minutes=60
    ),
    Scheduled(
        name="propose_rights",
        task="apps.verdicts.tasks.propose",
        every_minutes=7 * 24 * 60,
    ),
    Scheduled(name="seal", task="apps.journal.tasks.seal", every_minutes=1),
)
