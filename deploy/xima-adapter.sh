#!/bin/sh
# The adapter's commands with the settings of the service: copy to /usr/local/sbin/xima-adapter and run it as root.
# In adapter.env put values with other signs than letters, digits and .:/_- between single quotes.
set -a
ADAPTER_DATABASE_URL=sqlite:////var/lib/xima-adapter/adapter.db
ADAPTER_MAPPINGS=/etc/xima-adapter/mappings
. /etc/xima-adapter/adapter.env
exec /opt/xima-crm-adapter/.venv/bin/xima-adapter "$@"
