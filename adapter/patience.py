"""A gunicorn worker that a slow client cannot hold: threads are for requests that are there.

gunicorn's own waits in a thread for the first byte, and for ever for the rest of a request: as many silent
connections as there are threads keep everybody else out.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import selectors
import signal
import socket
import time
from functools import partial
from queue import SimpleQueue
from typing import Any

from gunicorn import util
from gunicorn.http import wsgi as answers
from gunicorn.http.body import LengthReader
from gunicorn.http.errors import LimitRequestHeaders, LimitRequestLine, ParseException
from gunicorn.http.message import Request
from gunicorn.workers.gthread import TConn, ThreadWorker

from adapter import metrics
from adapter.logs import event
from adapter.web.protection import HEADERS

SILENT_SECONDS = 10.0
"""How long a new connection may say nothing; it waits without a thread."""
STOP_SECONDS = 2.0
"""The same while the worker stops."""
READ_SECONDS = 15.0
"""How long a request may take from its first byte to the last of its body."""


class PatientWorker(ThreadWorker):
    """Threads, each for a request that has begun to come and has to be there in time.

    What is not HTTP is refused in our shape, and its text is not repeated in log or answer.
    """

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        vars(answers)["SERVER"] = "adapter"  # what the Server header says: no product, no version
        self._begun: dict[TConn, tuple[float, Request | None]] = {}
        self.told_before: SimpleQueue[int] = SimpleQueue()

    def init_signals(self) -> None:
        """Called by gunicorn when signals are this worker's; until then they went to its copy of the master's queue.

        One that is told to stop so early would not hear it, and be killed when its grace is over.
        """
        super().init_signals()
        while not self.told_before.empty():
            if self.told_before.get() == signal.SIGTERM:
                self.alive = False

    def enqueue_req(self, conn: TConn) -> None:
        """Called by gunicorn for a new connection, and for one from which something can be read."""
        if conn.initialized or conn.data_ready:
            super().enqueue_req(conn)
            return
        conn.timeout = time.monotonic() + SILENT_SECONDS
        self.pending_conns.append(conn)
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(self.on_pending_socket_readable, conn))

    def handle(self, conn: TConn) -> Any:
        """Called by gunicorn in a thread, for one request."""
        self._begun[conn] = (time.monotonic(), None)
        try:
            return super().handle(conn)
        finally:
            del self._begun[conn]

    def handle_request(self, req: Request, conn: TConn) -> Any:
        """Called by gunicorn in the same thread when the headers are there."""
        self._begun[conn] = (self._begun[conn][0], req)
        return super().handle_request(req, conn)

    def murder_pending(self) -> None:
        """Called by gunicorn every second: end the waiting for what does not come."""
        now = time.monotonic()
        if not self.alive:  # it stops, and waits for every connection; one may just be about to speak
            for conn in self.pending_conns:
                conn.timeout = min(conn.timeout or now, now + STOP_SECONDS)
        super().murder_pending()
        for conn, (begun, request) in list(self._begun.items()):
            if now - begun > READ_SECONDS and not _is_read(request):
                with contextlib.suppress(OSError):
                    conn.sock.shutdown(socket.SHUT_RD)  # whoever reads finds the end

    def handle_error(self, req: Any, client: socket.socket, addr: Any, exc: BaseException) -> None:
        """Called by gunicorn for what its parser refuses, and for bugs of its own."""
        if not isinstance(exc, ParseException):
            super().handle_error(req, client, addr, exc)
            return
        request_id = secrets.token_hex(8)
        event("request.malformed", request=request_id, reason=type(exc).__name__)
        metrics.REQUESTS.labels("", str(MALFORMED.get(type(exc), BAD)[0])).inc()
        with contextlib.suppress(OSError):  # whoever does not speak HTTP may not listen either
            util.write_nonblock(client, malformed(exc, request_id))


def _is_read(request: Request | None) -> bool:
    """Whether the request is there as a whole, so that it is we who take the time."""
    if request is None or request.body is None:
        return False
    reader = request.body.reader
    return reader.length == 0 if isinstance(reader, LengthReader) else not getattr(reader, "parser", None)


BAD = (400, "bad_request")
MALFORMED = {LimitRequestLine: (414, "uri_too_long"), LimitRequestHeaders: (431, "headers_too_large")}


def malformed(exc: ParseException, request_id: str) -> bytes:
    """The whole answer to what is not HTTP."""
    status, code = MALFORMED.get(type(exc), BAD)
    message = "This is not HTTP as the adapter understands it."
    body = json.dumps({"error": {"code": code, "message": message}})
    head = (
        f"HTTP/1.1 {status} {code.replace('_', ' ').title()}",
        "Connection: close",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        f"X-Request-Id: {request_id}",
        *(f"{name}: {text}" for name, text in HEADERS.items()),
    )
    return "\r\n".join((*head, "", body)).encode()
