"""Surveys by version, who was asked, what was answered, and how it came in."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from apps.core.ids import uuid7
from apps.depots.models import Depot
from apps.drivers.models import Driver
from apps.feedback.states import SurveyState
from apps.orders.models import Order


class Survey(models.Model):
    """One version of a survey: its questions never change once it is live."""

    class Audience(models.TextChoices):
        """Who is asked."""

        CUSTOMERS = "customers", "Customers"
        DRIVERS = "drivers", "Drivers"
        OFFICE = "office", "Office"
        FRONTLINE = "frontline", "Drivers and office"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    key = models.SlugField(max_length=40, help_text="The same for all its versions.")
    version = models.PositiveIntegerField()
    audience = models.CharField(max_length=10, choices=Audience.choices)
    title = models.JSONField(help_text="Language → text.")
    questions = models.JSONField(help_text="Typed, in their order.")
    is_pulse = models.BooleanField(
        "pulse",
        default=False,
        help_text="Its trend by role shows how confident we are.",
    )
    trigger = models.CharField(
        max_length=60,
        blank=True,
        help_text="The event after which it is asked; empty: by link, or by hand.",
    )
    cap_days = models.PositiveSmallIntegerField(
        default=7, help_text="Nobody is asked it again within so many days."
    )
    open_days = models.PositiveSmallIntegerField(
        default=3, help_text="So long it waits for an answer."
    )
    least_answers = models.PositiveSmallIntegerField(
        default=5, help_text="Fewer answers than this are shown to nobody."
    )
    status = models.CharField(
        max_length=8, choices=SurveyState.choices, default=SurveyState.DRAFT
    )
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=100)
    live_at = models.DateTimeField(null=True, blank=True)
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """By key, newest version first; one version of a key is live."""

        ordering = ["key", "-version"]
        constraints = [
            models.UniqueConstraint(
                fields=["key", "version"], name="one_survey_a_version"
            ),
            models.UniqueConstraint(
                fields=["key"],
                condition=Q(status="live"),
                name="one_live_version_a_survey",
            ),
            models.CheckConstraint(
                condition=Q(least_answers__gte=1), name="survey_hides_the_few"
            ),
        ]

    def __str__(self) -> str:
        """Return title and version."""
        title = self.title.get("en") or next(iter(self.title.values()), self.key)
        return f"{title} v{self.version}"


class SurveyImport(models.Model):
    """One file of answers that came from elsewhere, with what became of its rows."""

    class Format(models.TextChoices):
        """Whose file it is."""

        QUALTRICS = "qualtrics", "Qualtrics"
        SURVEYMONKEY = "surveymonkey", "SurveyMonkey"
        ZIGPOLL = "zigpoll", "Zigpoll"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    survey = models.ForeignKey(Survey, on_delete=models.PROTECT, related_name="imports")
    depot = models.ForeignKey(
        Depot,
        on_delete=models.PROTECT,
        related_name="survey_imports",
        help_text="Whose customers or people answered.",
    )
    format = models.CharField(max_length=12, choices=Format.choices)
    file_name = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64)
    columns = models.JSONField(
        default=list, help_text="The file's own header rows, for writing it back."
    )
    stored = models.PositiveIntegerField(default=0)
    known = models.PositiveIntegerField(
        default=0, help_text="Rows that had come before: nothing changed."
    )
    quarantined = models.PositiveIntegerField(default=0)
    imported_at = models.DateTimeField()
    imported_by = models.CharField(max_length=100)

    class Meta:
        """Newest first."""

        ordering = ["-id"]

    def __str__(self) -> str:
        """Return format and file."""
        return f"{self.get_format_display()}: {self.file_name}"


class Response(models.Model):
    """One person's answers to one version of a survey."""

    class Source(models.TextChoices):
        """How the answers came."""

        DEVICE = "device", "Device"
        LINK = "link", "Link"
        OFFICE = "office", "Office"
        QUALTRICS = "qualtrics", "Qualtrics"
        SURVEYMONKEY = "surveymonkey", "SurveyMonkey"
        ZIGPOLL = "zigpoll", "Zigpoll"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    survey = models.ForeignKey(
        Survey, on_delete=models.PROTECT, related_name="responses"
    )
    depot = models.ForeignKey(Depot, on_delete=models.PROTECT, related_name="responses")
    source = models.CharField(max_length=12, choices=Source.choices)
    source_key = models.CharField(
        max_length=200,
        unique=True,
        help_text="What lets it count once: the link, the event, the row's own id.",
    )
    answers = models.JSONField(help_text="Question → answer.")
    respondent = models.CharField(
        max_length=100, blank=True, help_text="As the journal names people, or empty."
    )
    role = models.CharField(max_length=40)
    driver = models.ForeignKey(
        Driver, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    order = models.ForeignKey(
        Order,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="survey_responses",
    )
    run = models.ForeignKey(
        SurveyImport,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="responses",
    )
    language = models.CharField(max_length=8, blank=True)
    answered_at = models.DateTimeField(db_index=True)
    received_at = models.DateTimeField()
    foreign = models.JSONField(
        default=dict, help_text="What else stood in the row that it came from."
    )

    class Meta:
        """Newest first."""

        ordering = ["-id"]
        indexes = [models.Index(fields=["survey", "answered_at"])]

    def __str__(self) -> str:
        """Return survey and instant."""
        return f"{self.survey_id} at {self.answered_at:%Y-%m-%d %H:%M}"


class SurveyAsk(models.Model):
    """A survey put before one person: when, after what, and whether it was answered."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    survey = models.ForeignKey(Survey, on_delete=models.PROTECT, related_name="asks")
    depot = models.ForeignKey(
        Depot, on_delete=models.PROTECT, related_name="survey_asks"
    )
    driver = models.ForeignKey(
        Driver, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
    )
    because = models.CharField(max_length=60, help_text="The event that gave cause.")
    about = models.CharField(
        max_length=100, blank=True, help_text="The event's subject."
    )
    asked_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)
    closed_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="Answered, put off, or its time was over.",
    )
    response = models.OneToOneField(
        Response, on_delete=models.SET_NULL, null=True, blank=True, related_name="ask"
    )

    class Meta:
        """Newest first; a person has one open ask a survey."""

        ordering = ["-id"]
        indexes = [models.Index(fields=["driver", "asked_at"])]
        constraints = [
            models.CheckConstraint(
                condition=Q(driver__isnull=False, user=None)
                | Q(driver=None, user__isnull=False),
                name="an_ask_has_one_person",
            ),
            models.UniqueConstraint(
                fields=["survey", "driver"],
                condition=Q(closed_at=None, driver__isnull=False),
                name="one_open_ask_a_driver",
            ),
            models.UniqueConstraint(
                fields=["survey", "user"],
                condition=Q(closed_at=None, user__isnull=False),
                name="one_open_ask_a_user",
            ),
        ]

    def __str__(self) -> str:
        """Return survey and instant."""
        return f"{self.survey_id} asked {self.asked_at:%Y-%m-%d %H:%M}"


class QuarantinedResponse(models.Model):
    """A row of answers that could not be taken: kept as it came, with its faults."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    survey = models.ForeignKey(
        Survey, on_delete=models.PROTECT, related_name="quarantined"
    )
    depot = models.ForeignKey(
        Depot, on_delete=models.PROTECT, related_name="quarantined_responses"
    )
    run = models.ForeignKey(
        SurveyImport,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="quarantine",
    )
    line = models.PositiveIntegerField(
        default=0, help_text="Of the file; 0: a webhook."
    )
    raw = models.JSONField()
    raw_hash = models.CharField(max_length=64)
    faults = models.JSONField(default=list, help_text="[{column, code, detail}]")
    received_at = models.DateTimeField()

    class Meta:
        """Newest first; the same row is kept once."""

        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["survey", "raw_hash"], name="one_quarantined_row_a_survey"
            )
        ]

    def __str__(self) -> str:
        """Return where it stood."""
        return f"Line {self.line}" if self.line else "By webhook"


class SurveyHook(models.Model):
    """A door for one tool's webhook: whose answers come in by it, and its secret."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    survey = models.ForeignKey(Survey, on_delete=models.PROTECT, related_name="hooks")
    depot = models.ForeignKey(
        Depot, on_delete=models.PROTECT, related_name="survey_hooks"
    )
    format = models.CharField(max_length=12, choices=SurveyImport.Format.choices)
    secret = models.CharField(max_length=64, help_text="Signs every call (HMAC).")
    is_open = models.BooleanField(default=True)
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=100)

    class Meta:
        """Newest first."""

        verbose_name = "webhook door"
        ordering = ["-id"]

    def __str__(self) -> str:
        """Return format and survey."""
        return f"{self.get_format_display()} for {self.survey_id}"
