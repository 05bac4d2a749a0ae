"""The certificate: a signed statement of what a market owes and what it has.

It is one JSON object in canonical form with a digest over all of it and the market's ed25519
signature over that. Per asset it says

    balances, claims, debts     the sums of the tree's root, over all accounts
    cash                        the pool's tokens
    lent, borrowed              the pool's own totals, of which claims and debts are the parts
    kept                        what of the cash is fees and residue, and belongs to no lender
    deficit                     what lenders of the pool have lost so far
    fund                        what of the balances is the backstop fund's
    deposited, withdrawn        what came in and left since the certificate before

and names that one by its digest, and the journal by its hash after so many commands, so that
certificates of one market are a chain that can be replayed. `problems` says what in it does not add
up; whatever the operator signed, an honest reader needs nothing else.
"""

from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any, NamedTuple

from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey

from solvent.domain.codec.canonical import DIGEST_FIELD, Json, canonical, digest_of, strict_json
from solvent.domain.errors import InputError
from solvent.solvency.statements import KINDS
from solvent.solvency.sum_tree import HASH_BYTES, Node, SumError, check_sums

FORMAT = "solvent certificate"
VERSION = 1
_SIGNED = "signature"


@dataclass(frozen=True, slots=True)
class AssetStatement:
    """One asset, in atoms; see the module."""

    symbol: str
    decimals: int
    balances: int
    claims: int
    debts: int
    cash: int
    lent: int
    borrowed: int
    kept: int
    deficit: int
    fund: int
    deposited: int
    withdrawn: int


@dataclass(frozen=True, slots=True)
class Certificate:
    """One certificate. `number` counts from 1; `previous` is the digest of the one before, or "".

    `time` is microseconds UTC, `commands` how many the market had carried out, `journal` the hash
    of their events, `root` and `nonce` those of the tree, `parts` the leaves of an account.
    """

    market: str
    number: int
    time: int
    commands: int
    journal: str
    previous: str
    nonce: str
    parts: int
    root: str
    assets: tuple[AssetStatement, ...]
    key: str = ""
    digest: str = ""
    signature: str = ""

    @property
    def root_node(self) -> Node:
        """The root of the tree that the certificate stands for."""
        rows = ((each.balances, each.claims, each.debts) for each in self.assets)
        sums = tuple(number for row in rows for number in row)
        return Node(bytes.fromhex(self.root), check_sums(sums, KINDS * len(self.assets)))


class Problem(NamedTuple):
    """What does not add up: which asset ("" for the whole), and why, in a sentence."""

    asset: str
    reason: str


def sign(certificate: Certificate, secret: SigningKey) -> Certificate:
    """The certificate with its digest and the market's signature."""
    fields = _fields(certificate) | {"key": b64encode(bytes(secret.verify_key)).decode()}
    digest = digest_of({key: value for key, value in fields.items() if key != _SIGNED})
    signature = b64encode(secret.sign(digest.encode()).signature).decode()
    return _certificate(fields | {DIGEST_FIELD: digest, _SIGNED: signature})


def to_text(certificate: Certificate) -> str:
    """The one text of a certificate."""
    head: dict[str, Json] = {"format": FORMAT, "version": VERSION}
    return canonical(head | _fields(certificate)) + "\n"


def from_text(name: str, text: str) -> Certificate:
    """The certificate in a text, whether or not it adds up. InputError where it is none."""
    try:
        document = strict_json(text)
    except (ValueError, RecursionError) as error:
        raise InputError(name, "file", f"is no certificate: {error}") from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise InputError(name, "format", f"is no {FORMAT}; name the file that `certify` wrote")
    if document.get("version") != VERSION:
        raise InputError(name, "version", f"is not {VERSION}, which is read here")
    fields = {key: value for key, value in document.items() if key not in ("format", "version")}
    try:
        return _certificate(fields)
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(name, "file", f"is no certificate: {error}") from None


def problems(certificate: Certificate, key: str | None = None) -> list[Problem]:
    """What does not add up in a certificate by itself, signature included.

    `key` is the market's key as the reader knows it; without one any key may have signed.
    """
    found = [Problem("", reason) for reason in _signature_problems(certificate, key)]
    for each in certificate.assets:
        found += [Problem(each.symbol, reason) for reason in _asset_problems(each)]
    return found


def _signature_problems(certificate: Certificate, key: str | None) -> list[str]:
    if key is not None and certificate.key != key:
        return ["another key signed it than the market's"]
    fields = {name: value for name, value in _fields(certificate).items() if name != _SIGNED}
    if digest_of(fields) != certificate.digest:
        return ["its digest is not that of its content: it was altered"]
    try:
        secret = VerifyKey(b64decode(certificate.key, validate=True))
        signature = b64decode(certificate.signature, validate=True)
        secret.verify(certificate.digest.encode(), signature)
    except (BadSignatureError, Base64Error, TypeError, ValueError):
        return ["its signature is not that of the key that it names"]
    return []


def _asset_problems(each: AssetStatement) -> list[str]:
    found = []
    if min(each.cash, each.lent, each.borrowed, each.deficit, each.fund) < 0:
        found.append("a total is negative")
    if each.cash != each.lent - each.borrowed + each.kept:
        found.append("cash is not lent less borrowed plus what the pool keeps")
    if each.claims > each.lent:
        found.append("accounts claim more than the pool was lent")
    if each.debts < each.borrowed:
        found.append("accounts owe less than the pool lent out: a debt is nobody's")
    if each.claims > each.cash + each.debts:
        found.append("claims exceed cash and debts: lenders cannot all be paid")
    if each.fund > each.balances:
        found.append("the fund has more than all accounts have")
    return found


def chain_problems(chain: Sequence[Certificate]) -> list[Problem]:
    """What does not follow from one certificate to the next of a market."""
    found = []
    for before, after in pairwise(chain):
        if after.market != before.market or after.key != before.key:
            found.append(Problem("", f"certificate {after.number} is another market's or key's"))
        if after.number != before.number + 1 or after.previous != before.digest:
            found.append(Problem("", f"certificate {after.number} does not follow {before.number}"))
        if after.time <= before.time or after.commands < before.commands:
            found.append(Problem("", f"certificate {after.number} goes back in time"))
        if [each.symbol for each in after.assets] != [each.symbol for each in before.assets]:
            found.append(Problem("", f"certificate {after.number} is of other assets"))
            continue
        for old, new in zip(before.assets, after.assets, strict=True):
            kept = old.balances + old.cash + new.deposited - new.withdrawn
            if new.balances + new.cash != kept:
                reason = f"tokens of certificate {after.number} are not those before plus flows"
                found.append(Problem(new.symbol, reason))
    return found


def contradict(one: Certificate, other: Certificate) -> bool:
    """Whether two certificates, each rightly signed, say different things of one moment."""
    same = (one.market, one.key, one.number) == (other.market, other.key, other.number)
    signed = not (_signature_problems(one, None) or _signature_problems(other, None))
    return same and one.digest != other.digest and signed


def _fields(certificate: Certificate) -> dict[str, Any]:
    return asdict(certificate)


def _certificate(fields: Mapping[str, Any]) -> Certificate:
    assets = tuple(AssetStatement(**each) for each in fields["assets"])
    certificate = Certificate(**{**fields, "assets": assets})
    for each in assets:
        numbers = (value for name, value in asdict(each).items() if name != "symbol")
        if any(isinstance(number, bool) or not isinstance(number, int) for number in numbers):
            raise TypeError(f"{each.symbol} has a sum that is no whole number")
    texts = (certificate.market, certificate.journal, certificate.previous, certificate.root)
    if any(not isinstance(text, str) for text in (*texts, certificate.nonce, certificate.key)):
        raise TypeError("a hash, a key or a name is no text")
    if len(bytes.fromhex(certificate.root)) != HASH_BYTES:
        raise ValueError("the root has another length than a hash")
    try:
        certificate.root_node.sums  # noqa: B018
    except SumError as error:
        raise ValueError(str(error)) from None
    return certificate
