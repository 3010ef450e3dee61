"""Where the room's doors are."""

from django.urls import URLPattern, URLResolver
from rest_framework.routers import SimpleRouter

from apps.orders.api import ImportViewSet, OrderViewSet

app_name = "orders"
router = SimpleRouter(trailing_slash=False)
router.register("orders", OrderViewSet, basename="order")
router.register("imports", ImportViewSet, basename="import")
urlpatterns: list[URLPattern | URLResolver] = router.urls
