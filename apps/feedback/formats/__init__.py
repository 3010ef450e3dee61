"""Answers as Qualtrics, SurveyMonkey and Zigpoll write them: read, and written. Pure.

What names a person (addresses, names, places) is left behind when a file is read.
"""

from collections.abc import Mapping
from typing import Final

from apps.feedback.formats import qualtrics, surveymonkey, zigpoll
from apps.feedback.formats.base import Format

FORMATS: Final[Mapping[str, Format]] = {
    "qualtrics": qualtrics.FORMAT,
    "surveymonkey": surveymonkey.FORMAT,
    "zigpoll": zigpoll.FORMAT,
}
