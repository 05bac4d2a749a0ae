"""A new key shows that its owner has it, for this role, account and market and nothing else."""

import base64
from pathlib import Path

import pytest

from solvent.service.authority.possession import possession_text
from solvent.service.core.keys import Role, parse_public_key
from tests.service.harness import House, with_house


def _proof(house: House, wrong: str) -> str:
    """What the new key would have to sign, with one part of it that is another's."""
    new, market = house.client("new"), house.node.market.identity
    role = Role.ORACLE if wrong == "role" else Role.AUDITOR
    signer = house.ann if wrong == "key" else new
    text = possession_text(
        "f" * len(market) if wrong == "market" else market,
        house.ann.public if wrong == "public key" else new.public,
        role,
        2 if wrong == "account" else -1,
    )
    if wrong == "form":
        return base64.b64encode(b"no signature").decode()
    return base64.b64encode(signer.signing.sign(text).signature).decode()


@pytest.mark.parametrize("wrong", ["key", "public key", "role", "account", "market", "form"])
def test_a_key_is_admitted_by_its_own_signature_alone(tmp_path: Path, wrong: str) -> None:
    """S01: whoever knew a public key could have it let in."""

    async def story(house: House) -> None:
        new = house.client("new")
        fields = {"role": "auditor", "publicKey": new.public, "proof": _proof(house, wrong)}
        path = "/solvent/v1/admin/keys"
        reply = await house.operator.send_digest(path, "adminKey", fields)
        assert (reply.status_code, reply.json()["code"]) == (400, "INVALID_SIGNATURE")
        assert house.node.market.keys.find(parse_public_key(new.public)) is None
        good = fields | {"proof": _proof(house, "")}
        reply = await house.operator.send_digest(path, "adminKey", good)
        assert reply.is_success, reply.text

    with_house(tmp_path, story)
