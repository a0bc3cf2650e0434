"""The pretend Xima on a port: in a thread for tests and the demo, or in the foreground."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler
from werkzeug.test import run_wsgi_app

from adapter.errors import SettingsError
from adapter.halt import told
from adapter.sandbox.app import create_app
from adapter.sandbox.world import World


class Handler(WSGIRequestHandler):
    """Answers the requests of one connection, silently, and keeps it open between them.

    Werkzeug's own `run_wsgi` closes a connection after each answer, as an app may leave a body unread; ours
    does not, or says `Connection: close`.
    """

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def run_wsgi(self) -> None:
        """Answer one request; a `ConnectionError` from the app ends the connection."""
        try:
            body, status, headers = run_wsgi_app(self.server.app, self.make_environ(), buffered=True)
            self.send_response(int(status.split()[0]))
            for name, value in headers:
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(b"".join(body))
        except ConnectionError:
            self.close_connection = True
        else:
            if headers.get("Connection") == "close":
                self.drain()

    def drain(self) -> None:
        """Take in what the client still sends, lest a reset overtake the answer (RFC 9112, section 9.6)."""
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_WR)
            self.connection.settimeout(1)
            while self.connection.recv(65536):
                pass

    def log(self, *_: Any, **__: Any) -> None:
        """The ledger is the log."""


class Server(ThreadedWSGIServer):
    """Listens from the moment it is made; closing it closes every connection and ends every thread."""

    def __init__(self, world: World, listening: socket.socket) -> None:
        self.open: dict[threading.Thread, socket.socket] = {}
        host, port = listening.getsockname()[:2]
        super().__init__(host, port, create_app(world), Handler, fd=listening.fileno())

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer a connection in a thread of its own."""
        self.open = {thread: kept for thread, kept in self.open.items() if thread.is_alive()}
        answering = threading.Thread(target=self.process_request_thread, args=(request, client_address), daemon=True)
        self.open[answering] = request
        answering.start()

    def server_close(self) -> None:
        """Stop listening, hang up on everybody, and wait until the last thread has noticed."""
        super().server_close()
        for thread, connection in self.open.items():
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            thread.join()


def serve(world: World, host: str, port: int) -> Server:
    """A server that listens and waits for `serve_forever`; raises `SettingsError` for a port in use."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family) as listening:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind((host, port))
            listening.listen(128)
            return Server(world, listening)
    except (OSError, OverflowError) as exc:
        reason = getattr(exc, "strerror", exc)
        raise SettingsError([f"cannot listen on {host}:{port} ({reason}): bind another host or port"]) from exc


class Sandbox:
    """A running pretend Xima; `with Sandbox.start() as xima:` stops it at the end."""

    def __init__(self, world: World, server: Server) -> None:
        self.world = world
        host = f"[{server.host}]" if ":" in server.host else server.host
        self.url = f"http://{host}:{server.port}"
        self._server = server
        self._thread = threading.Thread(
            target=server.serve_forever, kwargs={"poll_interval": 0.02}, name="sandbox", daemon=True
        )
        self._thread.start()

    @classmethod
    def start(cls, host: str = "127.0.0.1", port: int = 0, script: str | bytes | None = None) -> Self:
        """Listen and answer in the background; raises `SettingsError` for a wrong script or a port in use."""
        world = World(script)
        return cls(world, serve(world, host, port))

    def stop(self) -> None:
        """End every connection and thread; calls that were being delayed are cut without effect."""
        self.world.stopping.set()
        self._server.shutdown()
        self._thread.join()
        for one in self.world.telling:
            one.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def run(
    host: str,
    port: int,
    script: str | bytes | None = None,
    *,
    ready: Callable[[str], None] = lambda url: None,
) -> None:
    """Serve until SIGINT or SIGTERM, then return; `ready` is told the URL once the port is open.

    Must be called in the main thread. Raises `SettingsError` for a wrong script or a port in use.
    """
    with told() as halt, Sandbox.start(host, port, script) as sandbox:
        ready(sandbox.url)
        while not halt.wait(1.0):
            continue  # a signal that the kernel gave to another thread is handled when this one wakes up
