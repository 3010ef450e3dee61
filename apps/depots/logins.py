"""Log-ins and roles in the office's dress; both are the administrator's alone."""

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from apps.journal.admin import JournalledPage

admin.site.unregister(User)
admin.site.unregister(Group)


@admin.register(User)
class UserPage(JournalledPage, UserAdmin):  # type: ignore[type-arg]
    """Who can sign in, and with which role."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ["username", "is_staff", "is_active", "last_login"]


@admin.register(Group)
class GroupPage(JournalledPage, GroupAdmin):
    """Roles: the house's own, and those that a company adds."""
