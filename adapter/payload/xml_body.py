"""XML bodies by expat alone: no DOCTYPE, so no entities of the sender's, and bounds that hold while it reads.

An element with children is a group, one without is its text, `xsi:nil="true"` is None. A repeated child is a
list. An attribute stands beside its element as `name@attribute`, so it never changes the element's shape.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from xml.parsers import expat

from adapter.errors import PayloadError
from adapter.payload.namespaces import Hidden, Name, Scope, not_xml
from adapter.payload.tree import CHARSETS, MAX_DEPTH, MAX_NODES, add

_SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
_ENVELOPE, _BODY = (_SOAP, "Envelope"), (_SOAP, "Body")
_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_NIL = (_XSI, "nil")


def parse_xml(body: bytes) -> dict[str, Any]:
    """Return name of the root element -> its content, without namespaces; raise `PayloadError`."""
    return _read(body).tree


def parse_soap(body: bytes) -> dict[str, Any]:
    """Return the content of the Body of a SOAP 1.1 Envelope; raise `PayloadError`."""
    content = _read(body).message
    if content is None:
        raise PayloadError("the body is not a SOAP 1.1 message with content")
    return content


def parse_message(body: bytes) -> dict[str, Any]:
    """Return what `parse_soap` would, or for any other XML what `parse_xml` would; raise `PayloadError`."""
    found = _read(body)
    return found.tree if found.message is None else found.message


@dataclass(kw_only=True, slots=True)
class _Open:
    """An element that is not closed yet."""

    name: Name
    is_nil: bool = False
    hidden: Hidden = field(default_factory=list)
    children: dict[str, Any] = field(default_factory=dict)
    text: list[str] = field(default_factory=list)

    def content(self) -> Any:
        if self.is_nil:
            return None
        return self.children or "".join(self.text).strip()


@dataclass(kw_only=True, slots=True)
class _Reader:
    """Hears expat's events and builds the tree; the first of the open elements stands for the document."""

    scope: Scope
    open: list[_Open] = field(default_factory=lambda: [_Open(name=("", ""))])
    bodies: list[Any] = field(default_factory=list)
    nodes: int = 0

    @property
    def tree(self) -> dict[str, Any]:
        return self.open[0].children

    @property
    def message(self) -> dict[str, Any] | None:
        """What the one Body of a SOAP envelope holds."""
        return self.bodies[0] if len(self.bodies) == 1 and isinstance(self.bodies[0], dict) else None

    def declaration(self, _version: str, encoding: str | None, _standalone: int) -> None:
        if encoding is not None and encoding.lower() not in CHARSETS:
            raise PayloadError("the XML is written in an encoding that cannot be read")

    def doctype(self, *_: object) -> None:
        raise PayloadError("the XML has a DOCTYPE, which is not read")

    def start(self, name: str, attributes: dict[str, str]) -> None:
        hidden = self.scope.enter(attributes) if attributes else []
        self.nodes += 1 + len(attributes)
        if self.nodes > MAX_NODES:
            raise PayloadError(f"the body holds more than {MAX_NODES} values")
        if len(self.open) > MAX_DEPTH:
            raise PayloadError(f"the body is nested deeper than {MAX_DEPTH} levels")
        element = _Open(name=self.scope.element(name), hidden=hidden)
        if attributes:
            self.describe(element, self.scope.attributes(attributes))
        self.open.append(element)

    def describe(self, element: _Open, attributes: dict[Name, str]) -> None:
        element.is_nil = attributes.get(_NIL) in ("true", "1")
        for (namespace, own), value in attributes.items():
            if namespace != _XSI:
                add(self.open[-1].children, f"{element.name[1]}@{own}", value)

    def end(self, _name: str) -> None:
        element = self.open.pop()
        content = element.content()
        add(self.open[-1].children, element.name[1], content)
        if len(self.open) == 2 and (self.open[1].name, element.name) == (_ENVELOPE, _BODY):
            self.bodies.append(content)
        if element.hidden:
            self.scope.leave(element.hidden)

    def characters(self, text: str) -> None:
        self.open[-1].text.append(text)


def _read(body: bytes) -> _Reader:
    parser = expat.ParserCreate()
    reader = _Reader(scope=Scope(parser=parser))
    parser.buffer_text = True
    parser.XmlDeclHandler = reader.declaration
    parser.StartDoctypeDeclHandler = reader.doctype
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.characters
    try:
        parser.Parse(body, True)
    except expat.ExpatError as exc:
        raise PayloadError(not_xml(expat.ErrorString(exc.code), exc.lineno, exc.offset)) from exc
    except (LookupError, ValueError) as exc:  # pyexpat cannot read encodings of more than one byte a letter
        raise PayloadError("the XML is written in an encoding that cannot be read") from exc
    finally:
        del reader.scope  # it knows the parser, and that the reader: all would stay until a collection
    return reader
