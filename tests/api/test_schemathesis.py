"""A running adapter does what its description says, and nothing else: Schemathesis asks, with every check it has."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import requests
from running import Adapter, running

from adapter.sandbox import Sandbox
from api.asking import add_key, bearer

CONFIG = Path(__file__).with_name("schemathesis.toml")
TENANTS = "default:\n  phones:\n    region: US\n"
REAL = """
[[operations]]
include-path = "{path}"

[operations.parameters]
"path.delivery_id" = "{delivery_id}"
"""


def config(adapter: Adapter, token: str, home: Path) -> Path:
    """The configuration, with deliveries that are there, one for each operation that wants one."""
    text = CONFIG.read_text(encoding="utf-8")
    for number, path in enumerate(("/api/deliveries/{delivery_id}", "/deliveries/{delivery_id}")):
        body = {"skill": "Sales", "number": f"+1 801 555 010{number}"}
        made = requests.post(f"{adapter.url}/api/callback", json=body, headers=bearer(token), timeout=30).json()
        text += REAL.format(path=path, delivery_id=made["id"])
    (link,) = parse_qs(urlsplit(made["status_url"]).query)["token"]
    text += f'"query.token" = "{link}"\n'
    file = home / "schemathesis.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_running_adapter_is_as_it_is_described(tmp_path: Path, sandbox: Sandbox) -> None:
    (tmp_path / "mappings").mkdir()
    (tmp_path / "mappings/tenants.yaml").write_text(TENANTS, encoding="utf-8")
    with running(tmp_path, sandbox.url, ADAPTER_MAPPING_LIMIT="0") as adapter:
        store = adapter.store()
        token = add_key(store)
        store.close()
        given = ["--config-file", str(config(adapter, token, tmp_path)), "--no-color", "run"]
        asked = [f"{adapter.url}/api/openapi.json", "--header", f"Authorization: Bearer {token}"]
        how = ["--checks", "all", "--max-examples", "5", "--seed", "1", "--generation-database", "none"]
        command = [sys.executable, "-m", "schemathesis.cli", *given, *asked, *how]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=1200, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "Traceback" not in adapter.log()
        assert token not in adapter.log()
