"""A gunicorn worker that a slow client cannot hold: threads are for requests that are there.

gunicorn's own waits in a thread for the first byte, and for ever for the rest of a request: as many silent
connections as there are threads keep everybody else out.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import time
from functools import partial
from typing import Any

from gunicorn.http.body import LengthReader
from gunicorn.http.message import Request
from gunicorn.workers.gthread import TConn, ThreadWorker

SILENT_SECONDS = 10.0
"""How long a new connection may say nothing; it waits without a thread."""
STOP_SECONDS = 2.0
"""The same while the worker stops."""
READ_SECONDS = 15.0
"""How long a request may take from its first byte to the last of its body."""


class PatientWorker(ThreadWorker):
    """Threads, each for a request that has begun to come and has to be there in time."""

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        self._begun: dict[TConn, tuple[float, Request | None]] = {}

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


def _is_read(request: Request | None) -> bool:
    """Whether the request is there as a whole, so that it is we who take the time."""
    if request is None or request.body is None:
        return False
    reader = request.body.reader
    return reader.length == 0 if isinstance(reader, LengthReader) else not getattr(reader, "parser", None)
