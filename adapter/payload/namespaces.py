"""Which namespace a name of an XML body is in, without ever writing the two beside each other.

Expat can do this, but then hands over each name with its namespace in front of it. A namespace may be as long as a
body, so that every element would cost another body. Here a namespace is one text, however many names are in it.
https://www.w3.org/TR/xml-names/ has the rules; what breaks them is refused in expat's words.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import NoReturn
from xml.parsers import expat

from adapter.errors import PayloadError
from adapter.payload.tree import MAX_NODES

MAX_NAME = 256
"""Letters of a name with its prefix: an attribute is kept under both its element's name and its own."""

Name = tuple[str, str]
"""Namespace, empty where there is none, and the name without its prefix."""
Hidden = list[tuple[str, str | None]]
"""Prefixes that an element declares, with what each of them meant outside."""

_XML = "http://www.w3.org/XML/1998/namespace"
_XMLNS = "http://www.w3.org/2000/xmlns/"
_NAME = re.compile(r"(?:([^:]+):)?([^:\d.-][^:]*)")


def local(name: str) -> str:
    """A name without its prefix."""
    return name.rpartition(":")[2]


@dataclass(kw_only=True, slots=True)
class Scope:
    """What the prefixes mean at the place where expat is: only an element that declares some changes it."""

    parser: expat.XMLParserType
    bound: dict[str, str] = field(default_factory=lambda: {"": "", "xml": _XML})
    split: dict[str, tuple[str, str]] = field(default_factory=dict)
    declared: int = 0

    def enter(self, attributes: dict[str, str]) -> Hidden:
        """Take its declarations from an element's attributes, until `leave` gets what comes back."""
        declarations = [name for name in attributes if name[:6] in ("xmlns", "xmlns:")]
        self.declared += len(declarations)
        if self.declared > MAX_NODES:
            raise PayloadError(f"the XML declares more than {MAX_NODES} namespaces")
        return [self._declare(name, attributes.pop(name)) for name in declarations]

    def leave(self, hidden: Hidden) -> None:
        """Forget the declarations of an element that is closed."""
        for prefix, before in hidden:
            if before is None:
                del self.bound[prefix]
            else:
                self.bound[prefix] = before

    def element(self, name: str) -> Name:
        """The name of an element, of which one without a prefix is in the default namespace."""
        prefix, own = self.split.get(name) or self._split(name)
        namespace = self.bound.get(prefix)
        if namespace is None:
            self._refuse(expat.errors.XML_ERROR_UNBOUND_PREFIX)
        return namespace, own

    def attributes(self, attributes: dict[str, str]) -> dict[Name, str]:
        """An element's attributes, of which one without a prefix is in no namespace."""
        named = {self._attribute(name): value for name, value in attributes.items()}
        if len(named) < len(attributes):
            self._refuse(expat.errors.XML_ERROR_DUPLICATE_ATTRIBUTE)
        return named

    def _attribute(self, name: str) -> Name:
        return self.element(name) if ":" in name else ("", (self.split.get(name) or self._split(name))[1])

    def _declare(self, name: str, namespace: str) -> tuple[str, str | None]:
        word, own = self._split(name)
        prefix = own if word else ""
        if prefix and not namespace:
            self._refuse(expat.errors.XML_ERROR_UNDECLARING_PREFIX)
        if prefix == "xmlns":
            self._refuse(expat.errors.XML_ERROR_RESERVED_PREFIX_XMLNS)
        if prefix == "xml" and namespace != _XML:
            self._refuse(expat.errors.XML_ERROR_RESERVED_PREFIX_XML)
        if namespace == _XMLNS or (namespace == _XML and prefix != "xml"):
            self._refuse(expat.errors.XML_ERROR_RESERVED_NAMESPACE_URI)
        before = self.bound.get(prefix)
        self.bound[prefix] = namespace
        return prefix, before

    def _split(self, name: str) -> tuple[str, str]:
        """Prefix, empty where there is none, and the rest; a name that comes again is not looked at again."""
        if len(name) > MAX_NAME:
            raise PayloadError(f"the XML has a name of more than {MAX_NAME} letters")
        found = _NAME.fullmatch(name)
        if not found:
            self._refuse(expat.errors.XML_ERROR_INVALID_TOKEN)
        self.split[name] = (found[1] or "", found[2])
        return self.split[name]

    def _refuse(self, words: str) -> NoReturn:
        raise PayloadError(not_xml(words, self.parser.CurrentLineNumber, self.parser.CurrentColumnNumber))


def not_xml(words: str, line: int, column: int) -> str:
    """Why bytes are no XML, in expat's words; it counts columns from 0."""
    return f"the body is not XML: {words} at line {line} column {column + 1}"
