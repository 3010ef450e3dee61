"""Pages: by cursor everywhere, since offsets skip rows that move."""

from rest_framework.pagination import CursorPagination as DRFCursorPagination


class CursorPagination(DRFCursorPagination):
    """Newest first (ids are UUIDv7), 100 a page unless asked, 500 at the most."""

    ordering = "-id"
    page_size = 100
    page_size_query_param = "limit"
    max_page_size = 500


class PaginationByCode(CursorPagination):
    """By code, where that is the row's id."""

    ordering = "code"
