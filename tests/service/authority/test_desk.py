"""The desk: every act by every role in every state, against a table written by hand."""

from typing import NamedTuple

import pytest
from nacl.signing import SigningKey

from solvent.domain import commands as c
from solvent.domain.units import PRICE_SCALE, SECOND
from solvent.engine.engine import FastEngine
from solvent.service.api.objects.governance import ProposalState
from solvent.service.authority.acts import (
    AdmitKey,
    AnyAct,
    Approve,
    BookDeposit,
    Carry,
    ChangeParameter,
    CollectFees,
    HaltPrice,
    OpenAccount,
    PaceReplay,
    Reject,
    RemoveKey,
    RotateKey,
    encode_act,
)
from solvent.service.authority.model import CLOCK, HOUR, HOUSE, RULES, Terms
from solvent.service.core.keys import Role
from solvent.service.core.market import FirstKey, Market, Outcome, encode_head
from solvent.service.core.records import Record, RecordKind, commands_record
from solvent.service.limits import PROPOSAL_SECONDS, PROPOSALS, PROPOSALS_OF_KEY
from tests.proof import proves
from tests.tables.market import plain_parameters

PEOPLE = [
    *(("operator", Role.OPERATOR), ("operator", Role.OPERATOR)),
    *(("risk", Role.RISK_ADMIN), ("risk", Role.RISK_ADMIN)),
    *(("funder", Role.FUNDER), ("funder", Role.FUNDER)),
    *(("oracle", Role.ORACLE), ("auditor", Role.AUDITOR), ("user", Role.USER), ("blp", Role.BLP)),
]
"""Who acts, by key number from 1 on."""
OPERATOR, OPERATOR_2, RISK, RISK_2, FUNDER, FUNDER_2, ORACLE, AUDITOR, USER, BLP = range(1, 11)
DELAY = 100
LIMIT = 1_000
UNIT = 10**6
NEW = bytes(SigningKey(b"n" * 32).verify_key)
OTHER = bytes(SigningKey(b"p" * 32).verify_key)
FEE = ChangeParameter(c.encode_command(c.ChangeParameter(1, c.ParameterField.POOL_FEE, 5)))
IMPOSSIBLE = ChangeParameter(
    c.encode_command(c.ChangeParameter(1, c.ParameterField.POOL_FEE, 2**62))
)


def key(number: int) -> bytes:
    """The key of a person."""
    return bytes(SigningKey(bytes([number]) * 32).verify_key)


class Office:
    """A market with two accounts, prices and one or two people of each role."""

    def __init__(self, terms: Terms = Terms(2, DELAY, LIMIT)) -> None:  # noqa: B008
        accounts = {Role.USER: 2, Role.BLP: 3}
        keys = [
            FirstKey(key(number), role, accounts.get(role, -1))
            for number, (_, role) in enumerate(PEOPLE, 1)
        ]
        self.market = Market(encode_head(plain_parameters(), terms, keys), FastEngine)
        sources = range(len(self.market.parameters.assets[1].price.source_weights))
        price = 100 * PRICE_SCALE
        commands: list[c.Command] = [
            c.UpdatePrice(1, each, price, price, price) for each in sources
        ]
        commands += [c.TimeStep(SECOND), c.OpenAccount(2), c.OpenAccount(3)]
        self.market.carry_out([commands_record(0, commands, is_batch=True)])
        self.time = SECOND

    def act(self, act: AnyAct, actor: int, time: int | None = None) -> Outcome:
        """One act at its place."""
        at = self.time if time is None else time
        record = Record(RecordKind.ACT, at, body=encode_act(act), actor=actor)
        return self.market.carry_out([record])[0]

    def said(self, act: AnyAct, actor: int, time: int | None = None) -> tuple[int, str]:
        """Status and what the audit log says."""
        outcome = self.act(act, actor, time)
        assert outcome.entry is not None
        return outcome.answer.status, outcome.entry.outcome

    def state(self, number: int) -> ProposalState:
        """What became of a proposal."""
        found = {each.number: each for each in self.market.desk.all()}
        return found[number].state


class Line(NamedTuple):
    """Who may ask for an act alone, and who may propose it."""

    act: AnyAct
    alone: set[Role]
    proposes: set[Role]


STAFF = set(Role)
LINES = {
    "parameter": Line(FEE, set(), {Role.RISK_ADMIN}),
    "key": Line(AdmitKey(NEW, Role.AUDITOR), set(), {Role.OPERATOR}),
    "another's key": Line(AdmitKey(NEW, Role.USER, 2), set(), {Role.OPERATOR}),
    "removal": Line(RemoveKey(key(AUDITOR)), {Role.OPERATOR}, set()),
    "rotation": Line(RotateKey(NEW), STAFF, set()),
    "account": Line(OpenAccount(NEW, Role.USER), {Role.OPERATOR}, set()),
    "deposit": Line(BookDeposit(2, 0, LIMIT * UNIT), {Role.FUNDER}, set()),
    "large deposit": Line(BookDeposit(2, 0, LIMIT * UNIT + 1), set(), {Role.FUNDER}),
    "deposit without a price": Line(BookDeposit(2, 2, 1), set(), {Role.FUNDER}),
    "halt": Line(HaltPrice(1, True), {Role.ORACLE}, set()),
    "pace": Line(PaceReplay(60_000, True), {Role.OPERATOR}, set()),
}


def test_the_lines_name_every_act() -> None:
    named = {type(line.act) for line in LINES.values()} | {CollectFees}
    assert named == set(RULES)


@proves("I37")
@pytest.mark.parametrize("name", LINES)
@pytest.mark.parametrize("state", ["acts", "removed", "rotated"])
def test_an_act_by_every_role_in_every_state(name: str, state: str) -> None:
    """As the table says; of a removed key nothing; after a rotation the same person acts."""
    line = LINES[name]
    for number, (_, role) in enumerate(PEOPLE, 1):
        office = Office()
        if state == "removed":
            office.act(RemoveKey(key(number)), HOUSE)
        elif state == "rotated":
            office.act(RotateKey(OTHER), number)
        if line.act == RemoveKey(key(AUDITOR)) and number == AUDITOR:
            continue
        before = office.market.engine.state_hash(), office.market.keys.encode()
        status, outcome = office.said(line.act, number)
        if state == "removed":
            expected = (401, "refused: The key may not act")
        elif role in line.alone:
            expected = (200, "done")
        elif role in line.proposes:
            expected = (200, "waits")
        else:
            expected = (403, "refused: the key's role may not do this")
        assert (status, outcome) == expected, (role, name)
        after = office.market.engine.state_hash(), office.market.keys.encode()
        changes = outcome == "done" and not isinstance(line.act, PaceReplay)
        assert (after != before) == changes


PROPOSED: dict[str, tuple[AnyAct, int, set[int], int]] = {
    "parameter": (FEE, RISK, {RISK_2}, DELAY),
    "key": (AdmitKey(NEW, Role.ORACLE), OPERATOR, {OPERATOR_2}, DELAY),
    "deposit": (BookDeposit(2, 0, 10**12), FUNDER, {FUNDER_2, OPERATOR, OPERATOR_2}, 0),
}
"""What is proposed by whom, who else may agree, and after how long it is made."""


@pytest.mark.parametrize("name", PROPOSED)
def test_a_proposal_is_made_by_two_and_after_its_time(name: str) -> None:
    """S08."""
    act, proposer, others, delay = PROPOSED[name]
    for number in range(1, len(PEOPLE) + 1):
        office = Office()
        office.act(act, proposer)
        status, _ = office.said(Approve(1), number)
        if number not in others:
            assert status == (400 if number == proposer else 403)
            assert office.said(Carry(1), CLOCK, office.time + delay) == (200, "waits")
            assert office.state(1) is ProposalState.WAITING
            continue
        assert status == 200
        if delay:
            assert office.said(Carry(1), CLOCK, office.time + delay - 1) == (200, "waits")
            assert list(office.market.desk.due(office.time + delay, office.market)) == [1]
            assert office.said(Carry(1), CLOCK, office.time + delay) == (200, "made")
        assert office.state(1) is ProposalState.MADE
        assert office.said(Carry(1), CLOCK, office.time + delay)[0] == 400


@pytest.mark.parametrize("name", PROPOSED)
def test_who_may_end_a_proposal(name: str) -> None:
    act, proposer, others, _ = PROPOSED[name]
    for number in [HOUSE, *range(1, len(PEOPLE) + 1)]:
        office = Office()
        office.act(act, proposer)
        status, outcome = office.said(Reject(1), number)
        if number == proposer:
            assert (status, outcome) == (200, "withdrawn")
        elif number in others or number == HOUSE:
            assert (status, outcome) == (200, "rejected")
        else:
            assert status == 403
            assert office.state(1) is ProposalState.WAITING


STEPS = ("proposed", "approved", "due")


@pytest.mark.parametrize("name", PROPOSED)
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("who", ["proposer", "other"])
def test_a_removal_in_the_middle(name: str, step: str, who: str) -> None:
    """S10: of the proposer: the proposal is void. Of who approved: another one has to."""
    act, proposer, others, delay = PROPOSED[name]
    other = min(others)
    office = Office()
    office.act(act, proposer)
    office.act(RemoveKey(key(proposer if who == "proposer" else other)), HOUSE)
    if who == "proposer":
        assert office.state(1) is ProposalState.VOID
    if step != "proposed":
        status, _ = office.said(Approve(1), other)
        assert status == (400 if who == "proposer" else 401)
    if step == "due":
        office.act(Carry(1), CLOCK, office.time + delay)
    assert office.state(1) is not ProposalState.MADE


def test_an_approval_does_not_outlive_its_key() -> None:
    """Nor does it come back with the key, nor count in another role."""
    office = Office()
    office.act(FEE, RISK)
    office.act(Approve(1), RISK_2)
    office.act(RemoveKey(key(RISK_2)), OPERATOR)
    assert office.said(Carry(1), CLOCK, office.time + DELAY) == (200, "waits")
    office.act(AdmitKey(key(RISK_2), Role.RISK_ADMIN), HOUSE)
    assert office.said(Carry(1), CLOCK, office.time + DELAY) == (200, "waits")
    assert office.said(Approve(1), RISK_2, office.time + DELAY) == (200, "made")


def test_who_changes_keys_is_still_one_person() -> None:
    office = Office()
    office.act(FEE, RISK)
    office.act(RotateKey(NEW), RISK)
    assert office.state(1) is ProposalState.WAITING
    assert office.said(Approve(1), RISK)[0] == 400
    office.act(RemoveKey(NEW), OPERATOR)
    assert office.state(1) is ProposalState.VOID


@pytest.mark.parametrize("holder", range(1, len(PEOPLE) + 1))
@pytest.mark.parametrize(
    "take",
    [
        lambda taken: (AdmitKey(taken, Role.ORACLE), OPERATOR),
        lambda taken: (AdmitKey(taken, Role.ORACLE), HOUSE),
        lambda taken: (OpenAccount(taken, Role.USER), OPERATOR),
        lambda taken: (RotateKey(taken), BLP),
    ],
    ids=["admit", "admit by the house", "open", "rotate"],
)
def test_a_key_in_use_is_never_taken(take, holder: int) -> None:  # type: ignore[no-untyped-def]
    office = Office()
    before = office.market.keys.encode()
    assert office.said(*take(key(holder)))[0] == 409
    assert office.market.keys.encode() == before
    office.act(RotateKey(NEW), AUDITOR)
    assert office.said(*take(key(AUDITOR)))[0] == 409, "a key that was replaced"


def test_a_key_that_came_into_use_while_it_was_proposed_is_not_taken() -> None:
    """S01."""
    office = Office()
    office.act(AdmitKey(NEW, Role.RISK_ADMIN), OPERATOR)
    office.act(OpenAccount(NEW, Role.USER), OPERATOR)
    assert office.said(Approve(1), OPERATOR_2, office.time + DELAY)[1].startswith("refused: ")
    assert office.state(1) is ProposalState.REFUSED
    found = office.market.keys.find(NEW)
    assert found is not None
    assert found.role is Role.USER


def test_the_last_operator_stays() -> None:
    """S12: whoever asks, also itself, also the house; a rotation leaves one."""
    office = Office()
    assert office.said(RemoveKey(key(OPERATOR_2)), OPERATOR) == (200, "done")
    for actor in (OPERATOR, HOUSE):
        status, outcome = office.said(RemoveKey(key(OPERATOR)), actor)
        assert (status, "last operator" in outcome) == (400, True)
    assert office.said(RotateKey(NEW), OPERATOR) == (200, "done")
    assert office.said(RemoveKey(NEW), OPERATOR)[0] == 400
    assert office.market.keys.count(Role.OPERATOR) == 1


def test_what_cannot_be_is_refused_when_it_is_proposed() -> None:
    """S10."""
    office = Office()
    status, outcome = office.said(IMPOSSIBLE, RISK)
    assert status == 400
    assert "no such change can be made" in outcome
    assert not office.market.desk.waiting


def test_proposals_are_bounded() -> None:
    """S10."""
    office = Office()
    for _ in range(PROPOSALS_OF_KEY):
        assert office.said(FEE, RISK) == (200, "waits")
    assert office.said(FEE, RISK)[0] == 409
    assert office.said(FEE, RISK_2) == (200, "waits"), "one person fills no one else's room"
    assert PROPOSALS >= 4 * PROPOSALS_OF_KEY
    office.act(Reject(1), RISK)
    assert office.said(FEE, RISK) == (200, "waits")


def test_a_proposal_expires() -> None:
    """S10."""
    office = Office()
    office.act(FEE, RISK)
    end = office.time + DELAY + PROPOSAL_SECONDS * SECOND
    assert list(office.market.desk.due(end - 1, office.market)) == []
    assert list(office.market.desk.due(end, office.market)) == [1]
    assert office.said(Carry(1), CLOCK, end) == (200, "expired")
    assert office.said(Approve(1), RISK_2, end)[0] == 400


def test_the_limit_of_funding_is_all_funders_and_an_hours() -> None:
    """S08: to the atom: of USDC by itself, of others by the higher of index and mark."""
    office = Office()
    assert office.said(BookDeposit(2, 0, 400 * UNIT), FUNDER) == (200, "done")
    sol = office.market.parameters.assets[1].decimals
    assert office.said(BookDeposit(2, 1, 5 * 10**sol), FUNDER_2) == (200, "done")
    assert office.said(BookDeposit(2, 0, 100 * UNIT + 1), FUNDER) == (200, "waits")
    assert office.said(BookDeposit(2, 0, 100 * UNIT), FUNDER) == (200, "done")
    assert office.said(BookDeposit(2, 0, 1), FUNDER_2) == (200, "waits")
    assert office.said(BookDeposit(2, 0, LIMIT * UNIT), FUNDER, HOUR) == (200, "done")
    assert office.said(BookDeposit(2, 0, 1), FUNDER, 2 * HOUR - 1) == (200, "waits")


def test_one_person_is_enough_where_the_market_says_so() -> None:
    office = Office(Terms(1, 0, 0))
    assert office.said(FEE, RISK) == (200, "made")
    assert office.said(AdmitKey(NEW, Role.ORACLE), OPERATOR) == (200, "made")
    assert office.said(BookDeposit(2, 0, 10**12), FUNDER) == (200, "done")


def test_the_clock_and_nobody_else_carries_out() -> None:
    office = Office()
    office.act(FEE, RISK)
    for number in range(len(PEOPLE) + 1):
        assert office.said(Carry(1), number)[0] == 403
    assert office.said(FEE, CLOCK)[0] == 403
    assert office.said(Approve(1), CLOCK)[0] == 403


def test_the_log_is_chained_and_goes_on_after_a_snapshot() -> None:
    office = Office()
    for act, actor in ((FEE, RISK), (FEE, USER), (Approve(1), RISK_2), (RemoveKey(NEW), OPERATOR)):
        office.act(act, actor)
    log = office.market.desk.audit
    entries = list(log.since(1))
    assert [each.number for each in entries] == [1, 2, 3, 4]
    assert [each.role for each in entries] == ["risk_admin", "user", "risk_admin", "operator"]
    chain = ""
    for entry in entries:
        assert entry.follows(chain)
        assert not entry.follows(chain + "x")
        chain = entry.hash
    shown = "".join(each.line().decode() for each in entries)
    assert NEW.hex() not in shown
    restored = Market(encode_head(plain_parameters(), Terms()), FastEngine, office.market.save())
    assert restored.desk.rows() == office.market.desk.rows()


@pytest.mark.parametrize("actor", [USER, BLP])
def test_commands_of_a_key_that_was_removed_meanwhile_do_nothing(actor: int) -> None:
    """They were signed before, and come after in the journal."""
    office = Office()
    account = {USER: 2, BLP: 3}[actor]
    lend = commands_record(
        office.time, [c.Lend(account, 0, 1)], account=account, digest=b"d" * 16, actor=actor
    )
    removal = Record(
        RecordKind.ACT, office.time, body=encode_act(RemoveKey(key(actor))), actor=OPERATOR
    )
    before = office.market.commands
    outcomes = office.market.carry_out([removal, lend, lend])
    assert [each.answer.status for each in outcomes] == [200, 401, 401]
    assert office.market.commands == before
