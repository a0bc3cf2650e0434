"""How a signature stands in its header: alone behind a prefix, or among items such as `t=1,v1=ab`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from adapter.errors import SchemeError, SignatureError
from adapter.signature.description import Description


@dataclass(frozen=True, kw_only=True, slots=True)
class Plain:
    """`sha256=ab`: one signature behind a prefix, which may be empty."""

    prefix: bytes

    def signatures(self, text: bytes) -> list[bytes]:
        """The one signature in it; raise `SignatureError` when the prefix is not there."""
        if not text.startswith(self.prefix):
            raise SignatureError("prefix missing")
        return [text.removeprefix(self.prefix)]

    def write(self, signature: bytes, timestamp: bytes) -> bytes:
        """The header's value; the timestamp has a header of its own."""
        return self.prefix + signature


@dataclass(frozen=True, kw_only=True, slots=True)
class Items:
    """`t=1,v1=ab,v1=cd` or `v1,ab v1,cd`: items of a key and a value; other keys are passed over."""

    item_sep: bytes
    key_sep: bytes
    sig_key: bytes
    ts_key: bytes = b""

    def signatures(self, text: bytes) -> list[bytes]:
        """Every signature of the configured version, at least one, or `SignatureError`."""
        found = self._values(text, self.sig_key)
        if not found:
            raise SignatureError(f"no signature of version {self.sig_key.decode()}")
        return found

    def timestamp(self, text: bytes) -> bytes:
        """The one timestamp in it; raise `SignatureError` for none or several."""
        found = self._values(text, self.ts_key)
        if len(found) != 1:
            raise SignatureError("timestamp given twice" if found else "missing timestamp")
        return found[0]

    def write(self, signature: bytes, timestamp: bytes) -> bytes:
        """The header's value."""
        items = [(self.ts_key, timestamp), (self.sig_key, signature)]
        return self.item_sep.join(key + self.key_sep + value for key, value in items if key)

    def _values(self, text: bytes, key: bytes) -> list[bytes]:
        pairs = [item.lstrip(b" ").partition(self.key_sep) for item in text.split(self.item_sep)]
        # Strict, or base64 with a separator in place of its padding would pass.
        if not all(name and sep for name, sep, _ in pairs):
            raise SignatureError("malformed signature header")
        return [value for name, _, value in pairs if name == key]


Layout = Plain | Items


def _kv(description: Description) -> Items:
    description.only("type", "pair_sep", "sig_key", "ts_key")
    return Items(
        item_sep=description.text("pair_sep", ",").encode(),
        key_sep=b"=",
        sig_key=description.text("sig_key").encode(),
        ts_key=description.optional("ts_key").encode(),
    )


def _list(description: Description) -> Items:
    description.only("type", "item_sep", "version_sep", "version")
    return Items(
        item_sep=description.text("item_sep", " ").encode(),
        key_sep=description.text("version_sep", ",").encode(),
        sig_key=description.text("version").encode(),
    )


_ITEMS: Mapping[str, Callable[[Description], Items]] = {"kv": _kv, "list": _list}


def layout(description: Description) -> Layout:
    """What `prefix` and `header_format` say; raise `SchemeError`."""
    shape = description.group("header_format") or Description(keys={"type": "plain"})
    kind = shape.word("type", ("plain", *_ITEMS))
    prefix = description.optional("prefix").encode()
    if kind == "plain":
        shape.only("type")
        return Plain(prefix=prefix)
    if prefix:
        raise SchemeError(description.name("prefix"), "goes with header_format plain only; take it out")
    return _ITEMS[kind](shape)
