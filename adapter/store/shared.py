"""Transactions of several threads that reach the disk together: whoever waits for its turn joins the one before.

A commit costs more than what is written in it. Nobody goes on before the commit that holds what it wrote; alone, a
writer commits at once and nothing here costs anything.
"""

from __future__ import annotations

import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from adapter.errors import StoreError

MOST = 16
"""Writers of one commit, so that the file's lock is not held for longer than other processes can wait."""
RESCUE_SECONDS = 0.05
"""How long a writer relies on those who were to write after it: they may have given up."""


class _Together:
    """What is committed at once: how many have written, and what came of it for all of them."""

    __slots__ = ("at_once", "done", "error", "writers")

    def __init__(self, *, at_once: bool) -> None:
        self.at_once = at_once
        self.writers = 0
        self.done = threading.Event()
        self.error: sqlite3.Error | None = None


class Turns:
    """The turns of this process's threads at one connection."""

    def __init__(self, begin: Callable[[sqlite3.Connection, bool], None], *, patience: float) -> None:
        self._begin = begin
        self._patience = patience
        self._turn = threading.Lock()
        self._waiting: deque[None] = deque()
        self._open: _Together | None = None
        self._connection: sqlite3.Connection | None = None

    @contextmanager
    def taken(self, connect: Callable[[], sqlite3.Connection], *, at_once: bool) -> Iterator[None]:
        """Write within the block; raises `StoreError` when it was not one's turn in time, and sqlite3's errors.

        What the block raises undoes what was written in it, and nothing of what others wrote.
        """
        self._await_turn()
        try:
            opened = self._connection = self._connection or connect()
            mine = self._joined(opened, at_once=at_once)
            end = self._undo
            try:
                yield
                end = self._written
            finally:
                end(opened, mine)
        finally:
            self._turn.release()
        self._settled(mine)

    def _await_turn(self) -> None:
        self._waiting.append(None)
        try:
            if not self._turn.acquire(timeout=self._patience):
                raise StoreError("the store is busy")
        finally:
            self._waiting.pop()

    def _joined(self, opened: sqlite3.Connection, *, at_once: bool) -> _Together:
        """The transaction that is open, if this block may be part of it, or a new one."""
        if self._open and at_once and not self._open.at_once:
            self._commit(opened, self._open)
        if self._open:
            opened.execute("SAVEPOINT block").close()
            return self._open
        self._begin(opened, at_once)
        self._open = _Together(at_once=at_once)
        return self._open

    def _written(self, opened: sqlite3.Connection, mine: _Together) -> None:
        if mine.writers:
            self._said(opened, mine, "RELEASE block")
        mine.writers += 1
        if not self._waiting or mine.writers >= MOST:
            self._commit(opened, mine)

    def _undo(self, opened: sqlite3.Connection, mine: _Together) -> None:
        if not opened.in_transaction:
            self._commit(opened, mine)
        elif not mine.writers:
            opened.rollback()
            self._end(mine)
        else:
            self._said(opened, mine, "ROLLBACK TO block")
            self._said(opened, mine, "RELEASE block")
            if not self._waiting:
                self._commit(opened, mine)

    def _said(self, opened: sqlite3.Connection, mine: _Together, words: str) -> None:
        """Say it; what cannot be told apart from the others' writes must not be committed with them."""
        try:
            opened.execute(words).close()
        except sqlite3.Error as exc:
            self._fail(opened, mine, exc)
            raise

    def _commit(self, opened: sqlite3.Connection, mine: _Together) -> None:
        try:
            if not opened.in_transaction:  # SQLite has undone it by itself, and would commit nothing without a word
                raise sqlite3.OperationalError("the disk is full or broken: everything was undone")
            opened.commit()
        except sqlite3.Error as exc:
            self._fail(opened, mine, exc)
        else:
            self._end(mine)

    def _fail(self, opened: sqlite3.Connection, mine: _Together, exc: sqlite3.Error) -> None:
        """Undo everything: each of its writers hears why."""
        mine.error = exc
        try:
            if opened.in_transaction:
                opened.rollback()
        finally:
            self._end(mine)

    def _end(self, mine: _Together) -> None:
        self._open = None
        mine.done.set()

    def _settled(self, mine: _Together) -> None:
        """Wait until everything is committed; when nobody comes to do it, do it."""
        while not mine.done.wait(RESCUE_SECONDS):
            if self._turn.acquire(blocking=False):
                try:
                    if self._open is mine and self._connection:
                        self._commit(self._connection, mine)
                finally:
                    self._turn.release()
        if mine.error:
            raise sqlite3.OperationalError(str(mine.error)) from mine.error

    def close(self, forgotten: Callable[[], None] = lambda: None) -> None:
        """Commit what is open, and forget the connection; `forgotten` is called before anybody can make another."""
        with self._turn:
            if self._open and self._connection:
                self._commit(self._connection, self._open)
            self._connection = None
            forgotten()
