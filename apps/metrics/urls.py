"""Under the admin's address: the board's moving part, and the history of any object.

They stand before the admin's own addresses, so that Django's log gives way to the journal.
"""

from django.urls import path

from apps.metrics.admin.board import panel_view
from apps.metrics.admin.history import history_view

urlpatterns = [
    path("board/", panel_view, name="board"),
    path(
        "<slug:app_label>/<slug:model_name>/<path:object_id>/history/",
        history_view,
        name="object_history",
    ),
]
