"""The adapter under gunicorn as deploy/gunicorn.conf.py starts it, and proxies before it as deploy/ describes them."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from running import Adapter, free_port, until
from web.wire import Answer, ask, ask_encrypted

ROOT = Path(__file__).parent.parent.parent
DEPLOY = ROOT / "deploy"
HOST = "hooks.example.com"
PUBLIC = f"https://{HOST}"
UNPACKED = ROOT / ".venv/proxies/usr"
"""Where tests/install-proxies puts what is not installed."""
BESIDES = ("/usr/sbin", "/usr/local/sbin", f"{UNPACKED}/sbin", f"{UNPACKED}/bin")


def program(name: str) -> str | None:
    """Where a program is, if it is installed."""
    return shutil.which(name, path=os.pathsep.join((os.environ.get("PATH", os.defpath), *BESIDES)))


@dataclass(frozen=True, kw_only=True)
class Proxy:
    """A running proxy and what it logs."""

    port: int
    plain_port: int
    home: Path

    def ask(self, request: bytes) -> Answer:
        """What comes back over https."""
        return ask_encrypted(self.port, request, host=HOST)

    def ask_in_the_clear(self, request: bytes) -> Answer:
        """What comes back over http."""
        return ask(self.plain_port, request)

    def log(self) -> str:
        """Everything the proxy wrote, its access log too."""
        return "".join(path.read_text(errors="replace") for path in sorted(self.home.glob("*.log")))


def changed(text: str, changes: Mapping[str, str]) -> str:
    """The text with each of these replaced; all of them must be there."""
    for old, new in changes.items():
        assert old in text, f"{old} is gone from the file"
        text = text.replace(old, new)
    return text


def start_gunicorn(adapter: Adapter) -> None:
    """The adapter's web half by a gunicorn of one's own, with the configuration that is shipped."""
    adapter.store().upgrade()
    config = ["--config", str(DEPLOY / "gunicorn.conf.py"), "--bind", f"127.0.0.1:{adapter.port}"]
    log = (adapter.home / "gunicorn.log").open("wb")
    process = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", *config], env={**os.environ, **adapter.environ}, stdout=log, stderr=log
    )
    log.close()
    adapter.processes.append(process)
    until(lambda: process.poll() is not None or adapter.is_ready())
    assert process.poll() is None, adapter.log()


@contextlib.contextmanager
def nginx(home: Path, upstream: int, changes: Mapping[str, str] | None = None) -> Iterator[Proxy]:
    """deploy/nginx.conf on free ports, with a certificate of its own."""
    proxy = Proxy(port=free_port(), plain_port=free_port(), home=home)
    (home / "nginx.conf").write_text(changed(nginx_text(proxy, upstream), changes or {}), encoding="utf-8")
    write_certificate(home)
    command = [program("nginx") or "nginx", "-p", str(home), "-c", "nginx.conf", "-e", "error.log"]
    with _running(proxy, command, {}):
        yield proxy


def nginx_text(proxy: Proxy, upstream: int) -> str:
    """deploy/nginx.conf within a main file that needs no rights of this machine."""
    site = changed(
        (DEPLOY / "nginx.conf").read_text(encoding="utf-8"),
        {
            "listen 443 ssl;": f"listen 127.0.0.1:{proxy.port} ssl;",
            "listen 80;": f"listen 127.0.0.1:{proxy.plain_port};",
            "    listen [::]:443 ssl;\n": "",
            "    listen [::]:80;\n": "",
            "server 127.0.0.1:8000;": f"server 127.0.0.1:{upstream};",
            "/etc/letsencrypt/live/hooks.example.com": str(proxy.home),
            "/var/log/nginx/xima-adapter.log": "access.log",
            "/var/log/nginx/error.log": "error.log",
        },
    )
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    paths = "\n".join(f"{kind}_temp_path {kind};" for kind in kinds)
    user = "user root;\n" if os.geteuid() == 0 else ""
    main = f"{user}daemon off;\nmaster_process on;\nworker_processes 1;\npid nginx.pid;\nevents {{}}\n"
    return f"{main}http {{\n{paths}\n{site}\n}}\n"


@contextlib.contextmanager
def caddy(home: Path, upstream: int) -> Iterator[Proxy]:
    """deploy/Caddyfile on free ports, with certificates of Caddy's own authority."""
    proxy = Proxy(port=free_port(), plain_port=free_port(), home=home)
    ours = f"local_certs\n\tskip_install_trust\n\thttp_port {proxy.plain_port}\n\thttps_port {proxy.port}\n"
    text = _of_its_version((DEPLOY / "Caddyfile").read_text(encoding="utf-8"))
    path = home / "Caddyfile"
    path.write_text(changed(text, {"\tadmin off\n": f"\tadmin off\n\t{ours}"}), encoding="utf-8")
    environ = {
        "ADAPTER_HOST": HOST,
        "ADAPTER_UPSTREAM": f"127.0.0.1:{upstream}",
        **dict.fromkeys(("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"), str(home)),
    }
    command = [program("caddy") or "caddy", "run", "--config", str(path), "--adapter", "caddyfile"]
    with _running(proxy, command, environ):
        yield proxy


def _of_its_version(text: str) -> str:
    """The Caddyfile as an old Caddy wants it, which is what its comment says."""
    said = subprocess.run([program("caddy") or "caddy", "version"], capture_output=True, text=True, check=True).stdout
    if tuple(map(int, re.findall(r"\d+", said)[:3])) > (2, 6, 2):
        return text
    return changed(text, {"\trequest_buffers 1048576\n": "\tbuffer_requests\n\t\t\tmax_buffer_size 1048576\n"})


@contextlib.contextmanager
def _running(proxy: Proxy, command: list[str], environ: Mapping[str, str]) -> Iterator[None]:
    with (proxy.home / "said.log").open("wb") as log:
        process = subprocess.Popen(command, env={**os.environ, **environ}, stdout=log, stderr=log)
    try:
        until(lambda: process.poll() is not None or _listens(proxy))
        assert process.poll() is None, proxy.log()
        yield
    finally:
        process.terminate()
        process.wait(60)


def _listens(proxy: Proxy) -> bool:
    asked = b"GET / HTTP/1.1\r\nHost: hooks.example.com\r\nConnection: close\r\n\r\n"
    with contextlib.suppress(OSError):
        return None not in (proxy.ask(asked).status, proxy.ask_in_the_clear(asked).status)
    return False


def write_certificate(home: Path) -> None:
    """A certificate for the host name, signed by itself, where deploy/nginx.conf looks for it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    (home / "fullchain.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (home / "privkey.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
