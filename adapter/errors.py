"""Everything the adapter refuses, in one tree.

AdapterError
├── SettingsError      the environment is wrong; every problem at once
├── MappingError       a mapping file is wrong; every problem at once
├── TextError          a path, a duration or a template is written wrongly, at an offset in its text
├── SchemeError        a signature scheme is described wrongly
├── SignatureError     401  the sender did not prove who it is
├── Forbidden          403  it did, and may not do this
├── UnknownMapping     404
├── UnknownDelivery    404
├── UnknownAgent       404
├── PayloadError       400  the body cannot be read
│   ├── BodyTooLarge   413
│   └── UnsupportedBody 415
├── Unusable           422  it can be read, and cannot be done
├── Conflict           409  the delivery is past the point where this could be done
├── TooMany            429  more than is let in; nothing was kept
└── Unavailable        503  nothing was kept; the sender should try again
    └── StoreError          the store cannot be read or written

`status` belongs to the class, `code` is the word in an error answer, `reason` says in few words why this one
was refused: it is a log field and a metric label, so it holds no data of the request. `more` is what a program is
told beside it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any


class AdapterError(Exception):
    """The root; raised only as one of its children."""

    status = 500
    code = "internal_error"
    retry_after = 0
    """Seconds after which the sender should try again; 0: that would not help."""

    def __init__(self, reason: str, **more: Any) -> None:
        super().__init__(reason)
        self.reason = reason
        self.more = more


class SettingsError(AdapterError):
    """The environment holds wrong settings; `problems` names each with its remedy."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class MappingError(AdapterError):
    """A mapping cannot be used; `problems` holds every `mapping.problems.Problem`, in file order."""

    def __init__(self, problems: Sequence[object]) -> None:
        super().__init__("; ".join(str(problem) for problem in problems))
        self.problems = problems


class TextError(AdapterError):
    """A path, a duration or a template is written wrongly at `offset` (characters) of its text."""

    def __init__(self, reason: str, offset: int = 0) -> None:
        super().__init__(reason)
        self.offset = offset


class SchemeError(AdapterError):
    """A signature scheme is described wrongly; `key` is the part that is at fault."""

    def __init__(self, key: str, reason: str) -> None:
        super().__init__(f"{key}: {reason}" if key else reason)
        self.key = key


class SignatureError(AdapterError):
    """The sender did not prove who it is."""

    status = 401
    code = "unauthorized"


class Forbidden(AdapterError):
    """Who asks is known, and may not do this."""

    status = 403
    code = "forbidden"


class UnknownMapping(AdapterError):
    """No mapping has this name."""

    status = 404
    code = "not_found"


class UnknownDelivery(AdapterError):
    """No delivery has this id, or it was removed when its retention ended."""

    status = 404
    code = "not_found"


class UnknownAgent(AdapterError):
    """Xima knows no agent with this extension."""

    status = 404
    code = "not_found"


class PayloadError(AdapterError):
    """The body is not what it claims to be, or breaks a limit."""

    status = 400
    code = "bad_request"


class BodyTooLarge(PayloadError):
    """The body has more bytes than ADAPTER_MAX_BODY allows."""

    status = 413
    code = "body_too_large"


class UnsupportedBody(PayloadError):
    """The content type is not one this mapping can read."""

    status = 415
    code = "unsupported_body"


class Unusable(AdapterError):
    """The request is written as it should be, and yet cannot be done."""

    status = 422
    code = "unusable"


class Conflict(AdapterError):
    """The delivery's state does not allow what was asked."""

    status = 409
    code = "conflict"


class TooMany(AdapterError):
    """More came than is let in; nothing was kept, and the sender should try again in `retry_after` seconds."""

    status = 429
    code = "too_many_requests"

    def __init__(self, reason: str, *, retry_after: float) -> None:
        super().__init__(reason)
        self.retry_after = math.ceil(retry_after)


class Unavailable(AdapterError):
    """Nothing was kept; the sender should try again."""

    status = 503
    code = "unavailable"
    retry_after = 5


class StoreError(Unavailable):
    """The store cannot be read or written."""
