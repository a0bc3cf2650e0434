"""Tell senders what became of their deliveries: signed posts to hosts the operator allows, tried for two days."""

from adapter.reporting.posting import Answer, Poster
from adapter.reporting.reporter import Reporter

__all__ = ["Answer", "Poster", "Reporter"]
