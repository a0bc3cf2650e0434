"""A receiver of reports for tests: a real HTTP server that does to each post what it is told to do."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from standardwebhooks.webhooks import Webhook

CERTIFICATE = Path(__file__).parent / "data" / "loopback.pem"
"""Key and self-signed certificate for localhost and 127.0.0.1."""
WHSEC = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@dataclass
class Receiver:
    """What it heard, and what it answers: the statuses in turn, then 204; `hangs` makes it answer nothing."""

    port: int = 0
    statuses: list[int] = field(default_factory=list)
    headers: Mapping[str, str] = field(default_factory=dict)
    heard: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    hangs: bool = False
    tls: bool = False
    stopping: threading.Event = field(default_factory=threading.Event)

    @property
    def origin(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    @property
    def ids(self) -> list[str]:
        """The ids of the reports that were heard, in order."""
        return [headers["webhook-id"] for headers, _ in self.heard]

    def verified(self, secret: str = WHSEC) -> list[Any]:
        """What was heard, each judged by a receiver's own library; raises when a signature is not right."""
        return [Webhook(secret).verify(body, headers) for headers, body in self.heard]


@contextmanager
def receiving(port: int = 0, **given: Any) -> Iterator[Receiver]:
    """A receiver on a port of this machine."""
    receiver = Receiver(**given)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.heard.append(({name.lower(): value for name, value in self.headers.items()}, body))
            if receiver.hangs:
                receiver.stopping.wait(300)
                return
            self.send_response(receiver.statuses.pop(0) if receiver.statuses else 204)
            for name, value in receiver.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    receiver.port = server.server_port
    if receiver.tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(CERTIFICATE)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield receiver
    finally:
        receiver.stopping.set()
        server.shutdown()
        thread.join()
        server.server_close()
