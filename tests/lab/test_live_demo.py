"""What a demo plays: a filled book, trades, keys, and accounts that can be used at once."""

import base64

from nacl.signing import SigningKey

from solvent.domain.codec.events import kind_number
from solvent.domain.commands import Borrow, Lend, PlaceOrder, Side, TimeInForce
from solvent.domain.decimals import Units
from solvent.domain.events import Borrowed, Filled, Lent, Refused
from solvent.lab.live.driver import DEMO_STEP, DEMO_TRADERS
from solvent.lab.live.keys import ACCOUNTS, demo_accounts, demo_keys
from solvent.lab.scenario.catalog import load_scenario
from tests.lab.live_helpers import DAY, agents_of, market, played


class TestDemo:
    """The packaged demo."""

    def test_book_and_trades(self) -> None:
        scenario = load_scenario("demo-market")
        agents, engine = played(
            scenario,
            60,
            DAY * 20_000,
            step=DEMO_STEP,
            traders=DEMO_TRADERS,
            first_account=2,
            follows_wall=True,
        )
        queries = engine.queries
        assert scenario.accounts == 200
        assert queries.accounts() == agents.next_account == 2 + 3 + 2 + 200 + DEMO_TRADERS
        traded = {
            event.asset for _, _, events in engine.said for event in events if type(event) is Filled
        }
        for asset in range(1, len(engine.parameters.assets)):
            bids, asks = queries.depth(asset, 10)
            assert len(bids) == len(asks) == 5
            assert bids[0][0] < asks[0][0]
        assert traded == {1, 2, 3}
        moved = [
            (command, events)
            for _, command, events in engine.said
            if isinstance(command, Lend | Borrow) and command.account >= 207
        ]
        assert moved

    def test_traders_say_the_same_for_the_same_seed(self) -> None:
        scenario = load_scenario("demo-market")
        hashes = {
            played(scenario, 30, DAY * 20_000, step=DEMO_STEP, traders=3)[1].state_hash()
            for _ in range(2)
        }
        assert len(hashes) == 1

    def test_keys_are_the_seed_s(self) -> None:
        keys = demo_keys(1, b"of a market")
        assert keys == demo_keys(1, b"of a market")
        others = {key.public for key in demo_keys(1, b"of another")}
        assert all((key.public not in others) == key.staff for key in keys)
        assert demo_keys(1) == [key for key in keys if not key.staff]
        assert {key.role for key in keys if not key.staff} == {"user", "blp", "auditor"}
        assert not {key.public for key in keys} & {key.public for key in demo_keys(2)}
        assert len({key.public for key in keys}) == len(keys)
        roles = {key.role for key in keys}
        assert roles == {"user", "blp", "oracle", "risk_admin", "operator", "funder", "auditor"}
        for name, seed, public, secret in keys:
            assert base64.b64decode(secret) == seed
            signer = SigningKey(seed)
            assert base64.b64decode(public) == bytes(signer.verify_key), name
        assert [key.account(2) for key in keys if key.account(2) is not None] == [2, 3, 4]
        assert [key.role for key in keys if key.account(2) == 4] == ["blp"]

    def test_a_demo_user_can_lend_borrow_and_trade_at_once(self) -> None:
        scenario = load_scenario("demo-market")
        engine = market(scenario, DAY * 20_000, 10)
        answers = engine.apply(demo_accounts(2, engine.parameters))
        assert kind_number(Refused) not in answers.present
        agents = agents_of(scenario, engine, first_account=2 + ACCOUNTS)
        agents.set_up()
        sol = Units(engine.parameters).number("SOL")
        price = engine.prices(sol)[0]
        lent, borrowed, bought = engine.apply(
            [
                Lend(2, sol, 10**9),
                Borrow(2, 0, 5 * 10**6),
                PlaceOrder(
                    2,
                    sol,
                    Side.BID,
                    time_in_force=TimeInForce.IOC,
                    price=price * 101 // 100 // 10**8 * 10**8,
                    quantity=10**9,
                ),
            ]
        )
        assert isinstance(lent.events[0], Lent)
        assert isinstance(borrowed.events[0], Borrowed)
        assert any(isinstance(event, Filled) for event in bought.events)
