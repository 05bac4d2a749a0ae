"""What a risk desk watches is what the engine says, and an account is seen by who may see it."""

from pathlib import Path
from typing import Any

from solvent.domain import commands as c
from solvent.domain.parameters import USDC
from tests.proof import proves
from tests.service.ahead.test_service_what_if import owe_all_he_can
from tests.service.harness import House, with_house

WATCH = "/solvent/v1/watch"
NAMES = {"accounts": "Accounts", "account": "Account", "concentration": "Concentration"}


async def asked(house: House, what: str, who: str = "risk", **fields: Any) -> Any:
    """What somebody is answered."""
    name = NAMES.get(what, "Cover")
    reply = await house.client(who).get(f"{WATCH}/{what}", f"watch{name}Query", **fields)
    assert reply.status_code == 200, reply.text
    return reply.json()


@proves("A14", "I37")
def test_the_nearest_account_is_the_one_that_owes_most(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        bob = await owe_all_he_can(house)
        ann = house.accounts[house.ann.public]
        queries = house.node.market.queries
        await house.node.command(c.Borrow(ann, 2, 10**8))
        before = house.node.market.engine.state_hash()
        found = await asked(house, "accounts", limit="1")
        (first,) = found["accounts"]
        assert found["debtors"] == len(
            [one for one in range(queries.accounts()) if queries.health(one).debts_value]
        )
        assert (first["account"], first["owes"]) == (bob, "USDC")
        ratio = queries.fractions(bob).maintenance_ratio
        assert ratio is not None
        assert abs(float(first["marginRatio"]) - ratio / 1e9) < 1e-6
        seen = await asked(house, "account", account=str(bob))
        assert (seen["debts"], seen["liquidating"]) == (first["debts"], False)
        usdc = next(each for each in seen["balances"] if each["symbol"] == "USDC")
        assert int(usdc["owed"].replace(".", "")) > 0
        assert house.node.market.engine.state_hash() == before

    with_house(tmp_path, story)


def test_an_account_is_seen_by_its_owner_and_by_who_watches(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        ann, bob = (house.accounts[each.public] for each in (house.ann, house.bob))
        path, name = f"{WATCH}/account", "watchAccountQuery"
        own = await house.ann.get(path, name, account=str(ann))
        assert own.json()["account"] == ann
        other = await house.ann.get(path, name, account=str(bob))
        assert (other.status_code, other.json()["code"]) == (403, "FORBIDDEN")
        for who in ("risk", "auditor"):
            assert (await asked(house, "account", who, account=str(bob)))["account"] == bob
        missing = await house.client("risk").get(path, name, account="999999")
        assert missing.status_code == 404
        unsigned = await house.http.get(path, params={"account": ann})
        assert unsigned.status_code in (400, 401)

    with_house(tmp_path, story)


def test_concentration_and_cover(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        bob = await owe_all_he_can(house)
        pools = (await asked(house, "concentration"))["pools"]
        usdc = pools[USDC]
        assert (usdc["symbol"], usdc["lenders"], usdc["borrowers"]) == ("USDC", 1, 1)
        assert usdc["lentBy"] == usdc["owedBy"] == ["1", "1", "1"]
        calm = await asked(house, "cover", move="0")
        assert (calm["covered"], calm["lacking"], calm["accounts"]) == (True, "0", [])
        crash = await asked(house, "cover", move="-0.99", count="1")
        assert [each["account"] for each in crash["accounts"]] == [bob]
        assert float(crash["lacking"]) == float(crash["lackingInAll"]) > float(crash["fund"])
        assert not crash["covered"]
        both = await house.client("risk").get(
            f"{WATCH}/cover", "watchCoverQuery", move="0", moves="SOL:0.1"
        )
        assert both.status_code == 400

    with_house(tmp_path, story)


def test_the_oracle_says_who_spoke_and_whether_it_counts(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        found = (await house.http.get("/solvent/v1/oracle")).json()
        assert [each["symbol"] for each in found["prices"]] == ["BTC", "SOL"]
        for each in found["prices"]:
            assert each["fresh"] == sum(source["fresh"] for source in each["sources"])
            assert each["quorum"] <= len(each["sources"])
        reply = await house.client("oracle").send(
            "POST", "/solvent/v1/oracle/halt", "oracleHalt", symbol="SOL", halted=True
        )
        assert reply.status_code == 200
        sol = (await house.http.get("/solvent/v1/oracle")).json()["prices"][1]
        assert (sol["halted"], sol["stale"]) == (True, True)

    with_house(tmp_path, story)
