"""The office's forms for drivers, vehicles and shifts."""

from datetime import date, datetime, time, timedelta
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django import forms
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.validators import RegexValidator
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminPasswordWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from apps.core.office import VerbForm
from apps.drivers.models import Driver, Shift, Vehicle, VehicleType
from apps.drivers.services import BreakTime, ShiftTimes

E164 = RegexValidator(
    r"^\+[1-9]\d{6,14}$", "Write the number with its country, as +49912312345."
)
BREAKS = (1, 2)
"""How many breaks the form of a shift has room for."""


class WordsField(forms.CharField):
    """Skills or capabilities: words, separated by commas."""

    widget = UnfoldAdminTextInputWidget

    def prepare_value(self, value: Any) -> Any:
        """Return the words as one line."""
        return ", ".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        """Return the words, each once."""
        text = super().to_python(value) or ""
        return list(
            dict.fromkeys(word.strip() for word in text.split(",") if word.strip())
        )

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare the words, not the line."""
        words: list[str] = self.to_python(data)
        return (initial or []) != words


class DriverForm(VerbForm):
    """A driver's data; a new one gets a log-in as well."""

    username = forms.CharField(
        max_length=150,
        widget=UnfoldAdminTextInputWidget,
        help_text="To sign in with on a device that another driver uses.",
    )
    password = forms.CharField(
        required=False,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
        help_text="May stay empty: then only an enrolment code opens a device.",
    )
    phone = forms.CharField(
        required=False,
        max_length=20,
        validators=[E164],
        widget=UnfoldAdminTextInputWidget(attrs={"type": "tel"}),
    )
    language = forms.ChoiceField(
        required=False,
        choices=[("", "The device's own"), *settings.LANGUAGES],
        widget=UnfoldAdminSelectWidget,
        help_text="In which the device speaks to the driver.",
    )
    skills = WordsField(required=False, help_text="Separated by commas.")

    class Meta:
        """All that the office keeps of a driver."""

        model = Driver
        fields: ClassVar = ["depot", "name", "phone", "language", "skills", "is_active"]

    def clean_password(self) -> str:
        """Refuse a weak password."""
        password: str = self.cleaned_data["password"]
        if password:
            validate_password(password)
        return password


class VehicleForm(VerbForm):
    """A vehicle's room, abilities and cost."""

    capabilities = WordsField(
        required=False,
        help_text="Beyond those of its type; separated by commas, such as fridge, lift.",
    )
    lacks = WordsField(
        required=False,
        help_text="What its type can, and this one cannot; separated by commas.",
    )

    class Meta:
        """All but the version."""

        model = Vehicle
        fields: ClassVar = [
            "depot",
            "name",
            "type",
            "capacity_g",
            "capacity_ml",
            "capacity_pieces",
            "capabilities",
            "lacks",
            "cost_per_km_minor",
            "cost_per_hour_minor",
            "speed_percent",
            "is_active",
        ]


class VehicleTypeForm(VerbForm):
    """What every vehicle of a type can."""

    capabilities = WordsField(
        required=False,
        help_text="Separated by commas, such as proof-signature, cash, upstairs.",
    )

    class Meta:
        """All but the version."""

        model = VehicleType
        fields: ClassVar = [
            "code",
            "name",
            "capabilities",
            "is_crewed",
            "speed_percent",
            "is_active",
        ]


def _time_field(label: str, *, required: bool, help_text: str = "") -> forms.TimeField:
    return forms.TimeField(
        label=label,
        required=required,
        help_text=help_text,
        widget=UnfoldAdminTextInputWidget(attrs={"type": "time"}),
    )


def _minutes_field(label: str) -> forms.IntegerField:
    return forms.IntegerField(
        label=label,
        required=False,
        min_value=5,
        max_value=240,
        widget=UnfoldAdminIntegerFieldWidget,
    )


class ShiftForm(VerbForm):
    """A shift by the clock of its depot, with room for two breaks."""

    starts = _time_field("Starts at", required=True, help_text="By the depot's clock.")
    ends = _time_field(
        "Ends at", required=True, help_text="Before the start: on the next day."
    )
    max_overtime_min = forms.IntegerField(
        label="Overtime, at most",
        min_value=0,
        max_value=1440,
        initial=0,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text="Minutes.",
    )
    break_1_opens = _time_field("First break, not before", required=False)
    break_1_closes = _time_field("First break, begun by", required=False)
    break_1_min = _minutes_field("First break, minutes")
    break_2_opens = _time_field("Second break, not before", required=False)
    break_2_closes = _time_field("Second break, begun by", required=False)
    break_2_min = _minutes_field("Second break, minutes")

    class Meta:
        """Who drives what, and on which day; the times are fields of the form."""

        model = Shift
        fields: ClassVar = ["driver", "vehicle", "service_date"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Show the times that the shift has, by the depot's clock."""
        shift: Shift | None = kwargs.get("instance")
        if shift is not None and shift.pk and not shift._state.adding:
            kwargs["initial"] = {**shown_times(shift), **(kwargs.get("initial") or {})}
        super().__init__(*args, **kwargs)

    def clean(self) -> dict[str, Any] | None:
        """Turn clock times into the shift's times."""
        fields = super().clean() or self.cleaned_data
        for number in BREAKS:
            given = [
                fields.get(f"break_{number}_{part}")
                for part in ("opens", "closes", "min")
            ]
            if any(part is not None for part in given) and None in given:
                self.add_error(
                    f"break_{number}_opens",
                    "A break has a begin, a latest begin and a length.",
                )
        if not self.errors:
            fields["times"] = self._times(fields)
        return fields

    def _times(self, fields: dict[str, Any]) -> ShiftTimes:
        driver = fields.get("driver") or self.instance.driver
        zone = ZoneInfo(driver.depot.time_zone)
        day = fields.get("service_date") or self.instance.service_date
        starts_at = datetime.combine(day, fields["starts"], tzinfo=zone)

        def after(clock_time: time) -> datetime:
            return _next(starts_at, clock_time, day)

        return ShiftTimes(
            starts_at=starts_at,
            ends_at=after(fields["ends"]),
            max_overtime_s=fields["max_overtime_min"] * 60,
            breaks=tuple(
                BreakTime(
                    opens_at=after(fields[f"break_{number}_opens"]),
                    closes_at=after(fields[f"break_{number}_closes"]),
                    duration_s=fields[f"break_{number}_min"] * 60,
                )
                for number in BREAKS
                if fields.get(f"break_{number}_min") is not None
            ),
        )


def _next(starts_at: datetime, clock_time: time, day: date) -> datetime:
    """Return when the clock shows this time next, from the shift's start on."""
    at = datetime.combine(day, clock_time, tzinfo=starts_at.tzinfo)
    return at if at >= starts_at else at + timedelta(days=1)


def shown_times(shift: Shift) -> dict[str, Any]:
    """Return a shift's times as the form shows them."""
    zone = ZoneInfo(shift.depot.time_zone)

    def shown(at: datetime) -> time:
        return at.astimezone(zone).time()

    times: dict[str, Any] = {
        "starts": shown(shift.starts_at),
        "ends": shown(shift.ends_at),
        "max_overtime_min": shift.max_overtime_s // 60,
    }
    for number, rest in zip(BREAKS, shift.breaks.all(), strict=False):
        times[f"break_{number}_opens"] = shown(rest.opens_at)
        times[f"break_{number}_closes"] = shown(rest.closes_at)
        times[f"break_{number}_min"] = rest.duration_s // 60
    return times
