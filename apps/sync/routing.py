"""Where the sockets are."""

from typing import Any, cast

from django.urls import URLPattern, URLResolver, path

from apps.sync.consumers import PokeConsumer

websocket_urlpatterns: list[URLPattern | URLResolver] = [
    path("ws/sync/v1", cast("Any", PokeConsumer.as_asgi())),
]
