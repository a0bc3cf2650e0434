"""The adapter between any CRM or lead form and the Xima contact centre."""

__version__ = "0.1.0"
