"""PostgreSQL: any number of machines share one database, its clock, and a bell that wakes their dispatchers."""

from __future__ import annotations

import select
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from logging import WARNING
from typing import Any, cast

import psycopg
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import Connection, create_engine, event, text
from sqlalchemy.exc import InvalidatePoolError

from adapter import logs
from adapter.errors import StoreError
from adapter.store.clock import SharedClock
from adapter.store.dialect import Clock
from adapter.store.kinds import EPOCH
from adapter.store.location import shown
from adapter.store.notices import Listener, Ringer

CONNECTIONS = 10
"""At most, for each process, made when they are needed and then kept. A transaction takes milliseconds."""
WAIT_SECONDS = 5
CONNECTING = {
    "connect_timeout": WAIT_SECONDS,
    "application_name": "xima-adapter",
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
"""How a connection is made unless its address says otherwise: a server that was cut off is noticed within seconds."""

ENCODING = "UTF8"

SESSION = """
    SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'
    UNION ALL SELECT set_config('default_transaction_isolation', 'read committed', false)
    UNION ALL SELECT set_config('lock_timeout', '5s', false)
    UNION ALL SELECT set_config('idle_in_transaction_session_timeout', '10s', false)
"""
"""A commit is on disk before it is reported, whatever the role's default; and a process that was stopped in the
midst of a transaction does not keep its rows locked for longer than others can wait."""
UNSAFE = "SELECT name FROM pg_settings WHERE name IN ('fsync', 'full_page_writes') AND setting = 'off' ORDER BY name"
CLOCK = text("SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint)")
LOCKS = {"upgrade": 1, "purge": 2, "outcomes": 3}
LOCK_SPACE = 0x78696D61
"""`xima` in ASCII: our advisory locks, apart from those of others in the same database."""


class PostgreSQL:
    """A database on a server; see `dialect.Database`."""

    errors: tuple[type[Exception], ...] = (psycopg.Error,)
    far = True
    pauses = 2.0  # nobody waits for the rows of a purge; only processor and disk are shared
    outrun: tuple[type[Exception], ...] = (psycopg.errors.DivisionByZero,)

    def __init__(self, url: str) -> None:
        self._connecting = _understood(url)
        self._told: list[str] | None = None
        self.engine = create_engine(
            "postgresql+psycopg://",
            creator=self._connect,
            paramstyle="numeric_dollar",  # the server's own, with `RawCursor`: the driver reads no statement anew
            pool_size=CONNECTIONS,
            max_overflow=0,  # to make a connection, with its password's proof, costs more than a hundred deliveries
            pool_timeout=WAIT_SECONDS,
            pool_use_lifo=True,
            use_native_hstore=False,
            isolation_level="AUTOCOMMIT",  # transactions are begun by `writing`
            skip_autocommit_rollback=True,
        )
        event.listen(self.engine, "checkout", _check_lives)
        self._ringer = Ringer(self.notify)

    def _connect(self) -> psycopg.Connection[Any]:
        connection = psycopg.connect(**self._connecting, autocommit=True, cursor_factory=psycopg.RawCursor)
        _check_holds_every_name(connection)
        connection.execute(SESSION)
        if self._told is None:
            self._told = [name for (name,) in connection.execute(UNSAFE)]
            for name in self._told:
                reason = f"{name} is off at the database server: a power cut can lose what senders were promised"
                logs.event("store.unsafe", level=WARNING, reason=reason)
        return connection

    @contextmanager
    def writing(self, *, at_once: bool = True) -> Iterator[Connection]:
        """One transaction, always on disk at once.

        Pipelined, its statements would wait less for a server far away, but cost this process more than they save:
        two of them 80 us of processor time instead of 68. What every request does is one statement, see `swift`.
        """
        with self.engine.connect() as connection, _watched(connection) as own, own.transaction():
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Statements of which each is a transaction by itself."""
        with self.engine.connect() as connection, _watched(connection):
            yield connection

    def touch(self, connection: Connection) -> None:
        """Nothing: a server that runs out of room ends, or refuses to write by itself."""

    def alone(self, connection: Connection, work: str, *, wait: bool = False) -> bool:
        """By an advisory lock that ends with the transaction; who waits does so as long as it takes."""
        given = {"space": LOCK_SPACE, "work": LOCKS[work]}
        if wait:
            connection.execute(text("SET LOCAL lock_timeout = 0"))
            connection.execute(text("SELECT pg_advisory_xact_lock(:space, :work)"), given)
            return True
        return bool(connection.execute(text("SELECT pg_try_advisory_xact_lock(:space, :work)"), given).scalar())

    def unsafe(self, connection: Connection) -> list[str]:
        """The server's own settings, and what it makes of ours."""
        own = connection.execute(text("SHOW synchronous_commit")).scalar()
        said = [f"{name} is off at the server" for name in connection.execute(text(UNSAFE)).scalars()]
        return said + (["synchronous_commit is off"] if own == "off" else [])

    def overwrite(self, connection: Connection) -> None:
        """VACUUM does so later, and cannot be hurried in a transaction."""

    def clock(self, clock: Clock) -> Clock:
        """The database's: machines' own may differ by seconds, and leases are compared between machines."""
        return SharedClock(clock, self._time)

    def _time(self) -> datetime:
        with self.reading() as connection:
            return EPOCH + timedelta(microseconds=int(connection.execute(CLOCK).scalar_one()))

    def bell(self) -> Listener:
        """A bell on a connection of its own."""
        return Listener(lambda: psycopg.connect(**self._connecting, autocommit=True))

    def ring(self) -> None:
        """Ring a moment later, by a thread: nobody waits for it, and many rings become one."""
        self._ringer.ring()

    def notify(self, statement: str) -> None:
        """Run the statement that rings; outside of every transaction, for commits that ring wait for each other."""
        with self.reading() as connection:
            connection.execute(text(statement))

    def close(self) -> None:
        """Give all connections back."""
        self._ringer.close()
        self.engine.dispose()


def _understood(url: str) -> dict[str, Any]:
    """What an address says; raises `StoreError`, without the words of libpq, which may hold the password."""
    try:
        return {**CONNECTING, **conninfo_to_dict(url), "client_encoding": ENCODING}
    except psycopg.Error:
        reason = f"the address {shown(url)} is not one that PostgreSQL understands: see its parameters after the ?"
        raise StoreError(reason) from None


def _check_holds_every_name(connection: psycopg.Connection[Any]) -> None:
    """Raises `StoreError` when a text that somebody sends could be one that the database cannot hold."""
    encoding = connection.info.parameter_status("server_encoding")
    if encoding not in (ENCODING, None):  # a pooler may not tell
        connection.close()
        reason = f"the database keeps text as {encoding}, which cannot hold every name"
        raise StoreError(f"{reason}: make one with ENCODING '{ENCODING}' (docs/operations.md)")


@contextmanager
def _watched(connection: Connection) -> Iterator[psycopg.Connection[Any]]:
    """The driver's own connection; when it breaks in what SQLAlchemy does not see, it is not used again."""
    own = cast("psycopg.Connection[Any]", connection.connection.driver_connection)
    try:
        yield own
    except psycopg.Error as exc:
        if own.closed:
            connection.invalidate(exc)
        raise


def _check_lives(connection: psycopg.Connection[Any], record: Any, proxy: Any) -> None:
    """Before use, at the price of one system call: an idle server has nothing to say but that it ends."""
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    if poll.poll(0):
        raise InvalidatePoolError
