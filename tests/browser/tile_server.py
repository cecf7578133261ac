"""A tile server on loopback: what a street map requests, and what happens if it gets nothing."""

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from PIL import Image

_TILE_PX = 256
PARK = (173, 209, 158)
_PATH = "/{z}/{x}/{y}.png"


class TileServer:
    """Answers every request with the same tile; one that refuses sends it too, as a picture that says no.

    Attributes:
        template: the URL template of its tiles.
        referers: the header of each request so far.
        refuses: whether it answers 403, like a server that blocks a site.
    """

    def __init__(self, address: str) -> None:
        self.template = address + _PATH
        self.referers: list[str | None] = []
        self.refuses = False


@contextmanager
def tile_server() -> Iterator[TileServer]:
    """Run one on a free port."""
    tile = io.BytesIO()
    Image.new("RGB", (_TILE_PX, _TILE_PX), PARK).save(tile, "PNG")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found.referers.append(self.headers["Referer"])
            self.send_response(403 if found.refuses else 200)
            self.send_header("Content-Type", "image/png")
            self.send_header("Cache-Control", "no-store")
            self.send_header("Access-Control-Allow-Origin", "*")
            self.end_headers()
            self.wfile.write(tile.getvalue())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        found = TileServer(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield found
        server.shutdown()
        thread.join()
