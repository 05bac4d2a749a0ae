"""The base of all objects, and the scalars of the wire: amounts, times and ids.

An amount is a decimal as a string, never a JSON number. An answer has all its fields, and one that
does not apply is null (`... | None`); a field that may be left out, of a request, a message of a
stream or an object of our own, has the type `Maybe[...]` and the value UNSET.
"""

from typing import Annotated, Any, TypeAlias, TypeVar, dataclass_transform

from msgspec import Meta, Struct, StructMeta, UnsetType, field

T = TypeVar("T")
Maybe: TypeAlias = T | UnsetType
"""A field that may be left out; UNSET leaves it out."""


class _Named(StructMeta):
    """Makes classes whose fields are given by name, so that they may stand in the wire's order."""

    def __new__(
        cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **settings: Any
    ) -> Any:
        return super().__new__(cls, name, bases, namespace, **{"kw_only": True, **settings})


@dataclass_transform(kw_only_default=True, field_specifiers=(field,))
class ApiObject(Struct, metaclass=_Named, rename="camel"):
    """An object of the wire: attributes are the fields' names in snake case."""


class Request(ApiObject, forbid_unknown_fields=True):
    """Fields of a query or a body; in a body any other field is refused."""


def says(sentence: str, example: object = None) -> Meta:
    """What a field is, in a sentence, with an example where the type's own would not do.

    A field that may be left out is in its object's example only if it has one here.
    """
    return Meta(description=sentence, examples=None if example is None else [example])


def _text(name: str, pattern: str) -> Meta:
    return Meta(pattern=pattern, extra_json_schema={"format": name})


Decimal = Annotated[str, _text("decimal", r"^[0-9]+(\.[0-9]+)?$")]
"""Zero or more, without trailing zeros, an exponent or a sign."""
SignedDecimal = Annotated[str, _text("signed-decimal", r"^-?[0-9]+(\.[0-9]+)?$")]
"""The same, with a minus where it is below zero."""
Amount = Annotated[str, _text("decimal", r"^[0-9]{1,20}(\.[0-9]{1,18})?$")]
"""A decimal of a request."""
AssetSymbol = Annotated[str, _text("asset", r"^[A-Za-z0-9]+$")]
"""An asset, like SOL."""
MarketSymbol = Annotated[str, _text("market", r"^[A-Za-z0-9]+_[A-Za-z0-9]+$")]
"""A market: base asset and quote asset, like SOL_USDC."""
NumberText = Annotated[str, _text("number", r"^[0-9]+$")]
"""A whole number as a string."""
NaiveTime = Annotated[str, _text("time-in-utc", r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{6})?$")]
"""A time in UTC that does not say so."""
ZonedTime = Annotated[str, _text("date-time", r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z$")]
"""A time in UTC that says so."""
PublicKey = Annotated[str, _text("base64", r"^[A-Za-z0-9+/]{43}=$")]
"""The 32 bytes of an ed25519 public key in base64."""
Signature = Annotated[str, _text("signature", r"^[A-Za-z0-9+/]{86}==$")]
"""The 64 bytes of an ed25519 signature in base64."""
U8 = Annotated[int, Meta(ge=0, le=2**8 - 1)]
U16 = Annotated[int, Meta(ge=0, le=2**16 - 1)]
I32 = Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)]
MOST_CLIENT_ID = 2**32 - 1
ClientId = Annotated[int, Meta(ge=0, le=MOST_CLIENT_ID)]
"""A client's own number of an order."""
U64 = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Milliseconds = Annotated[int, Meta(ge=0, le=2**53, extra_json_schema={"format": "milliseconds"})]
"""A time, milliseconds UTC."""
Microseconds = Annotated[
    int, Meta(ge=0, le=2**63 - 1, extra_json_schema={"format": "microseconds"})
]
"""A time, microseconds UTC."""
