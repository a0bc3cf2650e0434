"""The bell of PostgreSQL: LISTEN in dispatchers, NOTIFY by whoever puts work into the queue."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import psycopg
from sqlalchemy.exc import SQLAlchemyError

from adapter.store.dialect import Bell

CHANNEL = "xima_adapter"
PATIENCE_SECONDS = 0.5
"""How often a dispatcher looks without having been called: for what became due by time, and for lost rings."""
HEAR_SECONDS = 0.5
AGAIN_SECONDS = 1.0
GATHER_SECONDS = 0.02
"""Rings that come so close together are one."""


class Listener(Bell):
    """Rings when the database notifies; a thread listens, from the first wait until `close`."""

    def __init__(self, connect: Callable[[], psycopg.Connection[Any]]) -> None:
        super().__init__()
        self._connect = connect
        self._stop = threading.Event()
        self._hears = False
        self._thread: threading.Thread | None = None

    def wait(self, seconds: float) -> None:
        """Wait for a ring; longer than `seconds` as long as rings are heard."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._listen, name="listen", daemon=True)
            self._thread.start()
        super().wait(max(seconds, PATIENCE_SECONDS) if self._hears else seconds)

    def _listen(self) -> None:
        while not self._stop.is_set():
            try:
                with self._connect() as connection:
                    self._hear(connection)
            except psycopg.Error:  # whoever claims will say what is wrong with the store
                self._stop.wait(AGAIN_SECONDS)
            finally:
                self._hears = False

    def _hear(self, connection: psycopg.Connection[Any]) -> None:
        connection.execute(f"LISTEN {CHANNEL}")
        self._hears = True
        self.ring()  # for what was put in while nobody listened
        while not self._stop.is_set():
            for _ in connection.notifies(timeout=HEAR_SECONDS, stop_after=1):
                self.ring()

    def close(self) -> None:
        """Stop listening."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()


class Ringer:
    """Notifies from a thread of its own, which is started by the first ring."""

    def __init__(self, notify: Callable[[str], None]) -> None:
        self._notify = notify
        self._turn = threading.Lock()
        self._wanted = threading.Event()
        self._closed = False
        self._thread: threading.Thread | None = None

    def ring(self) -> None:
        """Have every listener called within moments."""
        self._wanted.set()
        if self._thread is None:
            with self._turn:
                if self._thread is None:
                    self._thread = threading.Thread(target=self._run, name="ring", daemon=True)
                    self._thread.start()

    def _run(self) -> None:
        while self._wanted.wait() and not self._closed:
            self._wanted.clear()
            try:
                self._notify(f"NOTIFY {CHANNEL}")
            except (SQLAlchemyError, psycopg.Error):  # dispatchers look by themselves a moment later
                time.sleep(AGAIN_SECONDS)
            time.sleep(GATHER_SECONDS)

    def close(self) -> None:
        """Ring no more."""
        self._closed = True
        self._wanted.set()
        if self._thread is not None:
            self._thread.join()
