"""Where the adapter lives: how its store is kept, the room it has, the way that senders take to it."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import requests

from adapter import tenants, wsgi
from adapter.cli.finding import Finding, Findings
from adapter.cli.rules import numbers
from adapter.cli.shown import setting, spoken_count
from adapter.store import health, location
from adapter.units import spoken

LEAST_FREE = 1024**3
SLACK = timedelta(days=1)
"""The purge goes in small bites, and not while the dispatcher is stopped."""
ASK_SECONDS = 5


def keeping() -> Findings:
    """What a power cut could undo, what should be gone, whom the do-not-call list misses, what nobody sends."""
    found = health.look(setting("ADAPTER_DATABASE_URL"), numbers().key_ids())
    for said in found.unsafe:
        yield Finding(
            "durability", False, f"{said}: a power cut can lose what senders were promised", "see docs/operations.md"
        )
    if not found.unsafe:
        yield Finding("durability", True, "what is taken has reached the disk before a sender hears 200")
    retention: timedelta = setting("ADAPTER_RETENTION")
    age = wsgi.clock() - found.oldest if found.oldest else timedelta()
    if age > retention + SLACK:
        said = f"there is a request from {spoken(age)} ago, and ADAPTER_RETENTION is {spoken(retention)}"
        yield Finding("retention", False, said, "let the dispatcher run: it removes what is older")
    else:
        yield Finding("retention", True, f"no request is older than {spoken(retention)}")
    if found.unreadable:
        entries = spoken_count(found.unreadable, "entry", "entries")
        said = f"{entries} made with a key that is not in ADAPTER_SECRET_KEY, so that nobody is recognised by it"
        yield Finding("do-not-call list", False, said, "put that key back at the end of ADAPTER_SECRET_KEY")
    for tenant in sorted(found.waiting.keys() - tenants.dialling(setting("ADAPTER_MAPPINGS")).keys()):
        said = f"{spoken_count(found.waiting[tenant], 'delivery', 'deliveries')} of {tenant} wait, which is no tenant"
        remedy = f"put it back into {tenants.FILE} and restart, or xima-adapter deliveries cancel ID"
        yield Finding("waiting", False, said, remedy)


def room() -> Findings:
    """The disk below an SQLite file, and who may read it."""
    url: str = setting("ADAPTER_DATABASE_URL")
    file = Path(url.removeprefix("sqlite:///"))
    if url.startswith(location.POSTGRES) or not file.is_file():
        return
    free = shutil.disk_usage(file.absolute().parent).free
    remedy = "" if free >= LEAST_FREE else "make room: on a full disk senders get 503"
    yield Finding("disk", free >= LEAST_FREE, f"{free / 1024**3:.1f} GB are free where the store is", remedy)
    yield from private(file, "the store")


def private(file: Path, what: str) -> Findings:
    """A file that others on this machine can read or write."""
    mode = file.stat().st_mode & 0o777
    if mode & 0o007:
        yield Finding(
            "files", False, f"everybody on this machine has access to {what} (mode {mode:o})", f"chmod o= {file}"
        )


def way_in() -> Findings:
    """Whether what senders call leads here, as far as this can be told from here."""
    url: str = setting("ADAPTER_PUBLIC_URL")
    if url.startswith("https://") and not setting("ADAPTER_TRUSTED_PROXIES"):
        said = "ADAPTER_TRUSTED_PROXIES is 0, but https ends at a proxy: all senders seem to have its address"
        yield Finding("proxies", False, said, "set it to the number of proxies in front")
    if not url:
        return
    outside = f"look from elsewhere: curl -I {url}/api/openapi.json"
    try:
        answer = _asked(f"{url}/api/openapi.json")
    except requests.exceptions.SSLError:
        yield Finding("way in", False, f"the certificate of {url} is not good", f"renew it; {outside}")
    except requests.RequestException as exc:
        yield Finding("way in", True, f"nobody can tell from here ({type(exc).__name__}); {outside}")
    else:
        yield _judged(answer, url)


def _asked(url: str) -> requests.Response:
    with requests.Session() as session:
        session.trust_env = False
        return session.get(url, timeout=ASK_SECONDS, allow_redirects=False)


def _judged(answer: requests.Response, url: str) -> Finding:
    """Every answer of ours has an id; another server's has not."""
    if answer.is_redirect:
        return Finding(
            "way in", False, f"{url} redirects, and senders do not follow", "have the proxy redirect nothing"
        )
    if "X-Request-Id" in answer.headers:
        return Finding("way in", True, f"{url} leads to an adapter")
    said = f"{url} answers {answer.status_code}, and it is not the adapter that does"
    return Finding("way in", False, said, "start the adapter, and look at the proxy's configuration")
