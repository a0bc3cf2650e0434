"""A PostgreSQL server of one's own, for tests and measurements: a temporary folder, a port of this machine only."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

PASSWORD = "an open secret"
MISSING = "no PostgreSQL here: neither initdb on the PATH nor /usr/lib/postgresql/*/bin (apt-get install postgresql)"
AS_ROOT = "PostgreSQL refuses to run as root, and there is no setpriv to run it as nobody"
FAST = ("fsync=off", "full_page_writes=off")


def programs() -> Path | None:
    """The folder of initdb and pg_ctl, the newest if there are several."""
    known = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    on_path = [Path(found).resolve() for found in (shutil.which("initdb"),) if found]
    return (on_path + known[::-1])[0].parent if on_path or known else None


def obstacle() -> str:
    """Why no server can be started here, or nothing."""
    if programs() is None:
        return MISSING
    return AS_ROOT if os.geteuid() == 0 and not shutil.which("setpriv") else ""


@dataclass(frozen=True, kw_only=True)
class Server:
    """A server; `restart` and `stop` are those of a crash."""

    home: Path
    port: int
    options: Sequence[str] = FAST

    def run(self, program: str, *arguments: str) -> None:
        """Run a program of PostgreSQL's; raises `CalledProcessError`."""
        found = programs()
        assert found
        with (self.home / "programs.log").open("ab") as log:
            command = [*_unprivileged(), str(found / program), *arguments]
            subprocess.run(command, cwd=self.home, stdout=log, stderr=log, check=True)

    def start(self) -> None:
        """Start it and wait until it answers."""
        given = (f"port={self.port}", "listen_addresses=127.0.0.1", "unix_socket_directories=''", "max_connections=200")
        options = " ".join(f"-c {one}" for one in (*given, *self.options))
        self.run("pg_ctl", "start", "-w", "-D", str(self.home / "data"), "-l", str(self.home / "log"), "-o", options)

    def stop(self) -> None:
        """As by a power cut, as far as a program can tell."""
        self.run("pg_ctl", "stop", "-w", "-D", str(self.home / "data"), "-m", "immediate")

    def url(self, database: str = "postgres") -> str:
        """The address of one of its databases."""
        return f"postgresql://adapter:{PASSWORD.replace(' ', '%20')}@127.0.0.1:{self.port}/{database}"

    def connect(self) -> psycopg.Connection[tuple[object, ...]]:
        """A connection for what is done to the server itself."""
        return psycopg.connect(self.url(), autocommit=True)

    def new_database(self) -> str:
        """The address of an empty database."""
        name = f"test_{secrets.token_hex(6)}"
        with self.connect() as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return self.url(name)

    def drop_database(self, url: str) -> None:
        """Remove a database, whoever still uses it."""
        with self.connect() as connection:
            connection.execute(f"DROP DATABASE {url.rpartition('/')[2]} WITH (FORCE)")


def _unprivileged() -> list[str]:
    if os.geteuid() != 0:
        return []
    nobody = pwd.getpwnam("nobody")
    return ["setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups"]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(options: Sequence[str] = FAST) -> Iterator[Server]:
    """A new server, stopped and removed at the end."""
    with tempfile.TemporaryDirectory(prefix="pg-") as made:
        home = Path(made)
        if os.geteuid() == 0:
            shutil.chown(home, "nobody")
        server = Server(home=home, port=_free_port(), options=options)
        (home / "password").write_text(PASSWORD)
        (home / "password").chmod(0o644)
        identity = ("-U", "adapter", "-A", "scram-sha-256", "--pwfile", str(home / "password"))
        server.run("initdb", "-D", str(home / "data"), "-E", "UTF8", "--locale=C.UTF-8", "--no-sync", *identity)
        server.start()
        try:
            yield server
        finally:
            server.stop()
