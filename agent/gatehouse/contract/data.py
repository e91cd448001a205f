"""What all events' data is made of.

A field is required where the gateway always sends it. One that it does not send is left out, and
``None`` only where that says something. Fields that are not known here may come too: of a newer
gateway.
"""

from typing import Annotated, Final

import msgspec

TIME: Final = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?Z$"
"""RFC 3339 in UTC, as every document of Gatehouse writes it."""
UUID: Final = "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
UUID7: Final = "^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"
SEQUENCE: Final = r"^[0-9]{8}\.[0-9]{10}$"
SHA256: Final = "^[0-9a-f]{64}$"
NAME: Final = "^[a-z0-9-]{1,32}$"
"""Of a button or a camera."""

Time = Annotated[str, msgspec.Meta(pattern=TIME)]
EventId = Annotated[str, msgspec.Meta(pattern=UUID7)]
Sequence = Annotated[str, msgspec.Meta(pattern=SEQUENCE)]
Sha256 = Annotated[str, msgspec.Meta(pattern=SHA256)]
Name = Annotated[str, msgspec.Meta(pattern=NAME)]
Count = Annotated[int, msgspec.Meta(ge=0)]
Length = Annotated[float, msgspec.Meta(ge=0)]


class Data(msgspec.Struct, frozen=True, kw_only=True):
    """The data of one type of event."""
