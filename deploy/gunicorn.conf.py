"""For those who start gunicorn themselves: `gunicorn --config deploy/gunicorn.conf.py`; settings from the environment.

The options are those of `xima-adapter web`, from the same place; one of the command line (`--workers`) wins. First run
`xima-adapter db upgrade`, and beside it `xima-adapter dispatch`.
"""

from __future__ import annotations

import sys

from adapter import logs, server, settings
from adapter.errors import SettingsError

wsgi_app = "adapter.wsgi:create()"

try:
    given = settings.load()
except SettingsError as exc:
    sys.exit("\n".join(exc.problems))

server.leave_no_core()
logs.set_up(given.secrets, form=given.log)
globals().update(server.options(given))
