"""The outbox: messages, attempts, replies, consent, and how a depot wants it."""

from datetime import time

from django.db import models
from django.db.models import Q

from apps.core.ids import uuid7
from apps.depots.models import Depot
from apps.notifications import kinds
from apps.notifications.states import AttemptState, MessageState

KIND_CHOICES = [(code, kind.title) for code, kind in kinds.KINDS.items()]
PURPOSE_CHOICES = list(kinds.PURPOSES.items())
CHANNEL_CHOICES = list(kinds.CHANNELS.items())
LANGUAGE_CHOICES = list(kinds.LANGUAGES.items())


def first_channels() -> list[str]:
    """Return the channels in the order in which a person is tried."""
    return [kinds.SMS, kinds.EMAIL]


def first_urgent() -> list[str]:
    """Return the kinds that are sent in quiet hours too, unless a depot decides."""
    return list(kinds.URGENT)


class Message(models.Model):
    """One message to one person for one reason; what it is about it knows by id alone."""

    class Encoding(models.TextChoices):
        """How an SMS carries the text."""

        GSM7 = "gsm7", "GSM-7"
        UCS2 = "ucs2", "UCS-2"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    depot = models.ForeignKey(Depot, on_delete=models.PROTECT, related_name="messages")
    kind = models.CharField(max_length=20, choices=KIND_CHOICES)
    purpose = models.CharField(max_length=12, choices=PURPOSE_CHOICES)
    subject_type = models.CharField(max_length=40, blank=True)
    subject_id = models.CharField(max_length=64, blank=True)
    subject_label = models.CharField(
        max_length=80,
        blank=True,
        help_text="What people call it: an order's reference.",
    )
    reason = models.CharField(
        max_length=120, help_text="The one thing that is said once: planned/<order>."
    )
    number = models.PositiveSmallIntegerField(
        default=1, help_text="2, 3… where the time that was told has moved."
    )
    told_at = models.DateTimeField(
        null=True, blank=True, help_text="The instant that the text tells."
    )
    told_until = models.DateTimeField(
        null=True, blank=True, help_text="The end of what it promises."
    )
    language = models.CharField(max_length=8, choices=LANGUAGE_CHOICES)
    title = models.CharField(max_length=120, blank=True, help_text="Of an email.")
    text = models.TextField()
    encoding = models.CharField(max_length=4, choices=Encoding.choices)
    segments = models.PositiveSmallIntegerField(help_text="As an SMS.")
    ways = models.JSONField(
        default=list, help_text="[[channel, address]], in the order they are tried."
    )
    channel = models.CharField(max_length=10, choices=CHANNEL_CHOICES, blank=True)
    address = models.CharField(
        max_length=254, blank=True, help_text="Phone (E.164), email, or push token."
    )
    time_zone = models.CharField(
        max_length=64, blank=True, help_text="The person's own; empty: the depot's."
    )
    is_urgent = models.BooleanField(default=False)
    state = models.CharField(
        max_length=10, choices=MessageState.choices, default=MessageState.QUEUED
    )
    code = models.CharField(
        max_length=40, blank=True, help_text="Why it is held back, or could not go."
    )
    detail = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=100)
    due_at = models.DateTimeField(help_text="Not before: quiet hours, a pause.")
    expires_at = models.DateTimeField(
        null=True, blank=True, help_text="After this nobody wants to hear it."
    )
    handed_at = models.DateTimeField(
        null=True, blank=True, help_text="When the queue was last given it."
    )
    claimed_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    delivered_at = models.DateTimeField(null=True, blank=True)
    resent_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="When the office had it sent: tries count anew.",
    )
    resent_by = models.CharField(max_length=100, blank=True)

    class Meta:
        """Newest first; one a reason and number."""

        ordering = ["-id"]
        indexes = [
            models.Index(fields=["state", "due_at"]),
            models.Index(fields=["subject_type", "subject_id"]),
            models.Index(fields=["depot", "subject_label"]),
            models.Index(fields=["address", "created_at"]),
            models.Index(fields=["depot", "created_at"]),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["depot", "reason", "number"], name="one_message_a_reason"
            ),
            models.CheckConstraint(
                condition=~Q(state=MessageState.BLOCKED) | ~Q(code=""),
                name="blocked_message_says_why",
            ),
        ]

    def __str__(self) -> str:
        """Return the kind and what it is about."""
        kind = str(self.get_kind_display())
        return f"{kind}: {self.subject_label}" if self.subject_label else kind


class Attempt(models.Model):
    """One try to hand a message to one provider, written before it is made."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    message = models.ForeignKey(
        Message, on_delete=models.CASCADE, related_name="attempts"
    )
    number = models.PositiveSmallIntegerField()
    channel = models.CharField(max_length=10, choices=CHANNEL_CHOICES)
    address = models.CharField(max_length=254)
    provider = models.CharField(max_length=20)
    state = models.CharField(
        max_length=12, choices=AttemptState.choices, default=AttemptState.STARTED
    )
    provider_id = models.CharField(max_length=80, blank=True)
    code = models.CharField(max_length=40, blank=True)
    detail = models.CharField(max_length=300, blank=True)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    receipt = models.CharField(
        max_length=20, blank=True, help_text="What the provider last said of it."
    )
    receipt_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """In their order; a provider's id is its own."""

        ordering = ["message", "number"]
        constraints = [
            models.UniqueConstraint(
                fields=["message", "number"], name="one_attempt_a_number"
            ),
            models.UniqueConstraint(
                fields=["provider", "provider_id"],
                condition=~Q(provider_id=""),
                name="one_attempt_a_provider_id",
            ),
            models.UniqueConstraint(
                fields=["message"],
                condition=Q(state=AttemptState.STARTED),
                name="one_open_attempt_a_message",
            ),
        ]

    def __str__(self) -> str:
        """Return number, channel and provider."""
        return f"{self.number}. {self.channel} by {self.provider} ({self.state})"


class Reply(models.Model):
    """What a person wrote back, once a provider's id."""

    class Intent(models.TextChoices):
        """What the words mean to us."""

        STOP = "stop", "Wants no more messages"
        START = "start", "Wants messages again"
        HELP = "help", "Asks for help"
        WHERE = "where", "Asks where the order is"
        OTHER = "other", "Something else"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    depot = models.ForeignKey(
        Depot,
        on_delete=models.PROTECT,
        related_name="replies",
        null=True,
        blank=True,
        help_text="Of the message that it answers; empty where we never wrote.",
    )
    message = models.ForeignKey(
        Message,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="replies",
    )
    provider = models.CharField(max_length=20)
    provider_id = models.CharField(max_length=80)
    channel = models.CharField(max_length=10, choices=CHANNEL_CHOICES)
    address = models.CharField(max_length=254)
    text = models.TextField(blank=True)
    intent = models.CharField(max_length=8, choices=Intent.choices)
    received_at = models.DateTimeField()

    class Meta:
        """Newest first; a provider that calls twice is heard once."""

        ordering = ["-id"]
        verbose_name_plural = "replies"
        indexes = [models.Index(fields=["depot", "intent", "received_at"])]
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "provider_id"], name="one_reply_a_provider_id"
            )
        ]

    def __str__(self) -> str:
        """Return what it means."""
        return str(self.get_intent_display())


class Consent(models.Model):
    """A person's yes or no for a purpose: a fact; the newest of an address holds.

    It holds for every depot: who writes STOP means the sender, not one of its houses.
    The depot says whose people may see the row.
    """

    class Source(models.TextChoices):
        """How we know."""

        REPLY = "reply", "The person's reply"
        PROVIDER = "provider", "The provider's refusal"
        OFFICE = "office", "Told to the office"
        PAGE = "page", "The person's own page"
        SHOP = "shop", "The shop's data"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    depot = models.ForeignKey(
        Depot,
        on_delete=models.PROTECT,
        related_name="consents",
        null=True,
        blank=True,
        help_text="Empty where somebody wrote whom no depot had written to.",
    )
    address = models.CharField(max_length=254)
    purpose = models.CharField(max_length=12, choices=PURPOSE_CHOICES)
    is_given = models.BooleanField("allowed")
    source = models.CharField(max_length=10, choices=Source.choices)
    note = models.CharField(max_length=200, blank=True)
    given_at = models.DateTimeField()
    given_by = models.CharField(max_length=100)

    class Meta:
        """Newest first."""

        ordering = ["-id"]
        indexes = [models.Index(fields=["address", "purpose", "id"])]

    def __str__(self) -> str:
        """Return purpose and answer."""
        said = "yes" if self.is_given else "no"
        return f"{self.get_purpose_display()}: {said}"


class MessagePolicy(models.Model):
    """How a depot writes to people; a depot without a row goes by the first values."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    depot = models.OneToOneField(
        Depot, on_delete=models.CASCADE, related_name="message_policy"
    )
    sender = models.CharField(
        max_length=20,
        blank=True,
        help_text="How the texts name you; empty: the depot's name, cut to 20.",
    )
    language = models.CharField(
        max_length=8,
        choices=LANGUAGE_CHOICES,
        default="en",
        help_text="For people whose language is not known.",
    )
    channels = models.JSONField(
        default=first_channels,
        help_text="In the order in which a person is tried.",
    )
    kinds_off = models.JSONField(
        "switched off", default=list, blank=True, help_text="Kinds that are not sent."
    )
    kinds_urgent = models.JSONField(
        "urgent",
        default=first_urgent,
        blank=True,
        help_text="Kinds that are sent in quiet hours too.",
    )
    quiet_from = models.TimeField(default=time(20, 0))
    quiet_until = models.TimeField(
        default=time(8, 0), help_text="The same as the begin: no quiet hours."
    )
    eta_moved_min = models.PositiveSmallIntegerField(
        "tell again after",
        default=20,
        help_text="Minutes by which a told time must move to be told again.",
    )
    on_the_way_min = models.PositiveSmallIntegerField(
        "on the way",
        default=60,
        help_text="Minutes before the arrival at which “on the way” is said.",
    )
    late_min = models.PositiveSmallIntegerField(
        "late after",
        default=10,
        help_text="Minutes beyond what was promised from which it is said.",
    )
    countries = models.JSONField(
        "allowed countries",
        default=list,
        blank=True,
        help_text="ISO codes of phone numbers; empty: the depot's country alone.",
    )
    most_a_person = models.PositiveSmallIntegerField(
        "most a person", default=12, help_text="Messages to one phone in 24 hours."
    )
    most_a_prefix = models.PositiveSmallIntegerField(
        "most a block of numbers",
        default=100,
        help_text="Messages an hour to numbers that differ in the last three digits.",
    )
    most_a_depot = models.PositiveIntegerField(
        "most in all", default=6000, help_text="Messages by phone in an hour."
    )
    version = models.PositiveIntegerField(default=1)
    changed_at = models.DateTimeField()
    changed_by = models.CharField(max_length=100)

    class Meta:
        """By depot."""

        ordering = ["depot"]
        verbose_name = "message policy"
        verbose_name_plural = "message policies"

    def __str__(self) -> str:
        """Return whose it is."""
        return f"Messages of {self.depot}"


class MessageTemplate(models.Model):
    """A depot's own words for a kind in a language; else the first text is said."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    depot = models.ForeignKey(
        Depot, on_delete=models.CASCADE, related_name="message_templates"
    )
    kind = models.CharField(max_length=20, choices=KIND_CHOICES)
    language = models.CharField(max_length=8, choices=LANGUAGE_CHOICES)
    title = models.CharField(
        max_length=120, blank=True, help_text="Of an email; empty: the first one."
    )
    text = models.TextField(max_length=1000)
    version = models.PositiveIntegerField(default=1)
    changed_at = models.DateTimeField()
    changed_by = models.CharField(max_length=100)

    class Meta:
        """One a depot, kind and language."""

        ordering = ["depot", "kind", "language"]
        constraints = [
            models.UniqueConstraint(
                fields=["depot", "kind", "language"], name="one_template_a_language"
            )
        ]

    def __str__(self) -> str:
        """Return kind and language."""
        return f"{self.get_kind_display()} ({self.get_language_display()})"
