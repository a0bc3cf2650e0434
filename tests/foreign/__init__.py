"""Senders that are not ours: official packages and a real SOAP client."""
