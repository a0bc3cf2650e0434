"""XML bodies by expat alone: no DOCTYPE, so no entities of the sender's, and bounds that hold while it reads.

An element with children is a group, one without is its text, `xsi:nil="true"` is None. A repeated child is a
list. An attribute stands beside its element as `name@attribute`, so it never changes the element's shape.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from xml.parsers import expat

from adapter.errors import PayloadError
from adapter.payload.tree import CHARSETS, MAX_DEPTH, MAX_NODES, add

_SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
_XSI = "http://www.w3.org/2001/XMLSchema-instance "  # expat writes namespace, blank, name
_NIL = f"{_XSI}nil"


def parse_xml(body: bytes) -> dict[str, Any]:
    """Return name of the root element -> its content, without namespaces; raise `PayloadError`."""
    return _read(body, _Reader())


def parse_soap(body: bytes) -> dict[str, Any]:
    """Return the content of the Body of a SOAP 1.1 Envelope; raise `PayloadError`."""
    envelope = _read(body, _Reader(prefixes={_SOAP: "soap:"})).get("soap:Envelope")
    content = envelope.get("soap:Body") if isinstance(envelope, dict) else None
    if not isinstance(content, dict):
        raise PayloadError("the body is not a SOAP 1.1 message with content")
    return content


@dataclass(kw_only=True, slots=True)
class _Open:
    """An element that is not closed yet."""

    name: str
    is_nil: bool = False
    children: dict[str, Any] = field(default_factory=dict)
    text: list[str] = field(default_factory=list)

    def content(self) -> Any:
        if self.is_nil:
            return None
        return self.children or "".join(self.text).strip()


@dataclass(kw_only=True, slots=True)
class _Reader:
    """Hears expat's events and builds the tree; `prefixes` mark the namespaces that matter to the caller."""

    prefixes: dict[str, str] = field(default_factory=dict)
    open: list[_Open] = field(default_factory=lambda: [_Open(name="")])
    nodes: int = 0

    def declaration(self, _version: str, encoding: str | None, _standalone: int) -> None:
        if encoding is not None and encoding.lower() not in CHARSETS:
            raise PayloadError("the XML is written in an encoding that cannot be read")

    def doctype(self, *_: object) -> None:
        raise PayloadError("the XML has a DOCTYPE, which is not read")

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.nodes += 1 + len(attributes)
        if self.nodes > MAX_NODES:
            raise PayloadError(f"the body holds more than {MAX_NODES} values")
        if len(self.open) > MAX_DEPTH:
            raise PayloadError(f"the body is nested deeper than {MAX_DEPTH} levels")
        local = self.local(name)
        for attribute, value in attributes.items():
            if not attribute.startswith(_XSI):
                add(self.open[-1].children, f"{local}@{self.local(attribute)}", value)
        self.open.append(_Open(name=local, is_nil=attributes.get(_NIL) in ("true", "1")))

    def end(self, _name: str) -> None:
        element = self.open.pop()
        add(self.open[-1].children, element.name, element.content())

    def characters(self, text: str) -> None:
        self.open[-1].text.append(text)

    def local(self, name: str) -> str:
        namespace, _, local = name.rpartition(" ")
        return self.prefixes.get(namespace, "") + local


def _read(body: bytes, reader: _Reader) -> dict[str, Any]:
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.XmlDeclHandler = reader.declaration
    parser.StartDoctypeDeclHandler = reader.doctype
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.characters
    try:
        parser.Parse(body, True)
    except expat.ExpatError as exc:
        reason = f"{expat.ErrorString(exc.code)} at line {exc.lineno} column {exc.offset + 1}"
        raise PayloadError(f"the body is not XML: {reason}") from exc
    except (LookupError, ValueError) as exc:  # pyexpat cannot read encodings of more than one byte a letter
        raise PayloadError("the XML is written in an encoding that cannot be read") from exc
    return reader.open[0].children
