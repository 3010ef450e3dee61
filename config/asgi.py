"""Both doors in one process: HTTP through WSGI threads, sockets on the event loop.

Django's views are several times slower under ASGI than under WSGI; see ADR 0004.
"""

from typing import Any, cast

from config.wsgi import application as wsgi_application  # sets Django up first

from django.conf import settings  # isort: skip
from channels.routing import ProtocolTypeRouter, URLRouter  # isort: skip

from apps.sync.routing import websocket_urlpatterns  # isort: skip
from config.bridge import Bridge  # isort: skip
from config.collector import keep_start_apart  # isort: skip


async def lifespan(_scope: Any, receive: Any, send: Any) -> None:
    """Tell the server that start and end need nothing of us."""
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


application = ProtocolTypeRouter(
    {
        "http": Bridge(wsgi_application, workers=10, quick=tuple(settings.SHORT_WAYS)),
        "websocket": URLRouter(cast("Any", websocket_urlpatterns)),
        "lifespan": lifespan,
    }
)

keep_start_apart()
