"""Both doors in one process: HTTP through WSGI threads, sockets on the event loop.

Django's views are several times slower under ASGI than under WSGI; see ADR 0004.
"""

import gc
from typing import Any, cast

from config.wsgi import application as wsgi_application  # sets Django up first

from django.conf import settings  # isort: skip
from channels.routing import ProtocolTypeRouter, URLRouter  # isort: skip

from apps.sync.routing import websocket_urlpatterns  # isort: skip
from config.bridge import Bridge  # isort: skip


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

# What a start leaves stays for good: a full collection would look through all of it, for a
# tenth of a second, in the middle of somebody's request.
gc.collect()
gc.freeze()
# A page of a large day makes some 100,000 objects and drops them: to look for cycles after
# every 700 of them was up to half of its time.
gc.set_threshold(20_000, 20, 50)
