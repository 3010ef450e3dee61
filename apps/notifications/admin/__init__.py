"""The office's pages of messages: what was written and answered, and how a depot writes."""

from apps.notifications.admin.messages import ConsentPage, MessagePage, ReplyPage
from apps.notifications.admin.wording import PolicyPage, TemplatePage

__all__ = ["ConsentPage", "MessagePage", "PolicyPage", "ReplyPage", "TemplatePage"]
