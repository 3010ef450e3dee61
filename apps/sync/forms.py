"""Forms of the office for what devices sent and could not be taken."""

import json
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import msgspec
from django import forms
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
)

from apps.core.problems import Problem
from apps.sync.inbox import keepable
from apps.sync.kinds import PAYLOADS
from apps.sync.models import QuarantinedEvent
from apps.sync.services.mending import Mended
from apps.sync.vocabulary import VALUES, value_of

Choices = Sequence[tuple[str, str]]


def _in_words(kind: str) -> str:
    """Return a kind as it is chosen: `stop.failed (not delivered)`."""
    value = value_of(kind)
    return f"{kind} ({VALUES[value]})" if value else kind


class MendForm(forms.Form):
    """An event as it should have come."""

    kind = forms.ChoiceField(
        label="What is reported",
        choices=[("", "Choose")] + [(kind, _in_words(kind)) for kind in PAYLOADS],
        widget=UnfoldAdminSelectWidget,
    )
    stop_id = forms.CharField(
        label="Stop",
        required=False,
        max_length=64,
        help_text="A stop that the driver had; a kind that begins with “stop.” needs it.",
        widget=UnfoldAdminSelectWidget,
    )
    payload = forms.CharField(
        label="What it says",
        required=False,
        help_text="A JSON object, in the shape of its kind.",
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 12, "spellcheck": "false"}),
    )

    def __init__(self, *given: Any, stops: Choices, **named: Any) -> None:
        """Offer the driver's stops, and the one that came, whosever it is."""
        super().__init__(*given, **named)
        came = str(self["stop_id"].value() or "")
        is_foreign = came and all(stop_id != came for stop_id, _ in stops)
        foreign = [(came, f"Never this driver's: {came}")] if is_foreign else []
        widget: Any = self.fields["stop_id"].widget
        widget.choices = [("", "No stop"), *stops, *foreign]

    def clean_payload(self) -> dict[str, Any]:
        """Return the object that the text is."""
        try:
            read = msgspec.json.decode(self.cleaned_data["payload"] or "{}")
        except (msgspec.MsgspecError, RecursionError) as fault:
            raise forms.ValidationError(f"This is no JSON: {fault}") from fault
        if not isinstance(read, dict) or keepable(read) is not read:
            raise forms.ValidationError("It must be a JSON object of plain text.")
        return read

    def mended(self) -> Mended:
        """Return the event that the clean fields describe."""
        fields = self.cleaned_data
        return Mended(fields["kind"], fields["stop_id"], fields["payload"])

    def refuse(self, problem: Problem) -> None:
        """Say what the verb refused, beside its field where it names one."""
        if not problem.errors:
            self.add_error(None, problem.detail)
        for fault in problem.errors:
            self.add_error(fault.pointer.strip("/"), fault.detail)


def draft_of(row: QuarantinedEvent) -> dict[str, str]:
    """Return what a form begins with: the body, as far as it can be read."""
    body = row.body if isinstance(row.body, dict) else {}
    payload = body.get("payload", {})
    if isinstance(payload, str):
        try:
            payload = msgspec.json.decode(payload) if payload else {}
        except msgspec.MsgspecError:
            return {**_words(body), "payload": payload}
    shown = json.dumps(payload, indent=2, ensure_ascii=False)
    return {**_words(body), "payload": shown}


def readable(body: Any) -> str:
    """Return a body for a person to read; the JSON within its payload is unpacked."""
    if isinstance(body, dict) and isinstance(body.get("payload"), str):
        # What is no JSON is read as it is.
        with suppress(msgspec.MsgspecError, RecursionError):
            body = {**body, "payload": msgspec.json.decode(body["payload"])}
    return json.dumps(body, indent=1, ensure_ascii=False)


def _words(body: dict[str, Any]) -> dict[str, str]:
    kind, stop_id = body.get("kind"), body.get("stop_id")
    return {
        "kind": kind if isinstance(kind, str) and kind in PAYLOADS else "",
        "stop_id": stop_id if isinstance(stop_id, str) else "",
    }


def shape_of(kind: str) -> list[tuple[str, str, bool]]:
    """Return the fields of a kind's payload: name, type in words, whether needed."""
    shape = PAYLOADS.get(kind)
    if shape is None:
        return []
    schema = msgspec.json.schema(shape)
    found = schema["$defs"][shape.__name__]
    needed = set(found.get("required", ()))
    return [
        (name, _type(field), name in needed)
        for name, field in found["properties"].items()
    ]


def _type(field: dict[str, Any]) -> str:
    if "enum" in field:
        return " | ".join(str(value) for value in field["enum"] if value is not None)
    if "anyOf" in field:
        parts = [_type(each) for each in field["anyOf"]]
        return " or ".join(part for part in parts if part != "null")
    return {"array": "list", "integer": "whole number"}.get(
        field.get("type", ""), str(field.get("type", "object"))
    )
