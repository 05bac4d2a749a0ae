"""Certificates of a served market: each holds, follows the one before, and counts everybody."""

import asyncio
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from solvent.domain import commands as c
from solvent.domain.parameters import USDC
from solvent.domain.units import HOUR
from solvent.engine.engine import FastEngine
from solvent.journal.durable import Journal
from solvent.reference.engine import ReferenceEngine
from solvent.service.core.node import wall_clock
from solvent.service.core.records import commands_record
from solvent.service.core.sequencer import recover
from solvent.solvency.certificate import Certificate, chain_problems, contradict, problems, sign
from solvent.solvency.certificate import from_text as certificate_of
from solvent.solvency.files import read_secret
from solvent.solvency.proofs import from_text as proof_of
from solvent.solvency.proofs import proof_problems
from solvent.solvency.survey import holdings
from tests.proof import proves
from tests.service.harness import Client, House, opened, with_house

CERTIFICATES = "/solvent/v1/certificates"
PROOF = "/solvent/v1/certificates/proof"


async def issued(house: House) -> Certificate:
    """A certificate that an auditor asks for."""
    reply = await house.client("auditor").send("POST", CERTIFICATES, "certificateExecute")
    assert reply.status_code == 200, reply.text
    return certificate_of("reply", reply.text)


async def shown(house: House, **fields: Any) -> Certificate:
    """A certificate as anybody sees it."""
    reply = await house.http.get(CERTIFICATES, params=fields)
    assert reply.status_code == 200, reply.text
    return certificate_of("reply", reply.text)


async def proves_to(house: House, who: Client, certificate: Certificate) -> list[str]:
    """What an account's owner finds wrong with the proof that he gets."""
    reply = await who.get(PROOF, "certificateProofQuery")
    assert reply.status_code == 200, reply.text
    own = house.accounts[who.public]
    sums = holdings(house.node.market.queries).of(own).sums
    found = proof_problems(proof_of("reply", reply.text), certificate, sums)
    return [each.reason for each in found]


@proves("I1", "I37")
@pytest.mark.parametrize("engines", [FastEngine, ReferenceEngine])
def test_certificates_hold_follow_and_count_everybody(
    tmp_path: Path, engines: type[FastEngine] | type[ReferenceEngine]
) -> None:
    async def story() -> None:
        house = await opened(tmp_path, engines=engines)
        try:
            await house.start()
            assert (await house.http.get(CERTIFICATES)).status_code == 404
            assert (await house.ann.get(PROOF, "certificateProofQuery")).status_code == 404
            before = await issued(house)
            assert before.journal == house.node.sequencer.journal.digest.hex()
            await house.give(house.bob, SOL="7")
            ann = house.accounts[house.ann.public]
            await house.node.command(c.Lend(ann, USDC, 10**9), c.Withdraw(ann, USDC, 5 * 10**6))
            after = await issued(house)
            for each in (before, after):
                assert problems(each, before.key) == []
                assert await shown(house, number=each.number) == each
            assert await shown(house) == after
            assert chain_problems([before, after]) == []
            flows = {each.symbol: (each.deposited, each.withdrawn) for each in after.assets}
            assert flows == {"USDC": (0, 5 * 10**6), "BTC": (0, 0), "SOL": (7 * 10**9, 0)}
            for who in (house.ann, house.bob):
                assert await proves_to(house, who, after) == []
            assert await proves_to(house, house.ann, before) != []
            assert (await house.http.get(CERTIFICATES, params={"number": 9})).status_code == 404
        finally:
            await house.http.aclose()
            await house.node.close()

    asyncio.run(story())


def test_every_hour_brings_one_and_a_chain_goes_on_after_a_restart(tmp_path: Path) -> None:
    async def story() -> None:
        house = await opened(tmp_path)
        await house.start()
        first = await issued(house)
        now = wall_clock()
        for hour in (1, 2):
            record = commands_record(now + hour * HOUR, [])
            await asyncio.wrap_future(house.node.sequencer.submit(record))
        await house.node.close()
        await house.http.aclose()
        texts = sorted((tmp_path / "certificates").glob("*.json"))
        chain = [certificate_of(path.name, path.read_text()) for path in texts]
        assert chain[0] == first
        assert [each.time // HOUR - first.time // HOUR for each in chain[1:]] in ([1], [1, 2])
        assert chain_problems(chain) == []

    asyncio.run(story())


def test_a_restart_goes_on_with_the_chain(tmp_path: Path) -> None:
    async def story() -> None:
        chain = []
        for _ in range(3):
            house = await opened(tmp_path)
            if not house.node.market.commands:
                await house.start()
            chain.append(await issued(house))
            await house.node.close()
            await house.http.aclose()
        assert [each.number for each in chain] == [1, 2, 3]
        assert chain_problems(chain) == []

    asyncio.run(story())


def test_the_journal_that_a_certificate_names_leads_to_its_sums(tmp_path: Path) -> None:
    async def story(house: House) -> Certificate:
        return await issued(house)

    certificate = with_house(tmp_path, story)
    journal = Journal.open(tmp_path / "journal")
    try:
        queries = recover(journal, ReferenceEngine).queries
    finally:
        journal.close()
    rows = holdings(queries).sums.tolist()
    assert [sum(column) for column in zip(*rows, strict=True)] == [
        number for each in certificate.assets for number in (each.balances, each.claims, each.debts)
    ]


# Cheats.


def test_tokens_that_come_for_the_hour_are_a_deposit_and_without_it_the_chain_breaks(
    tmp_path: Path,
) -> None:
    async def story(house: House) -> None:
        before = await issued(house)
        await house.give(house.bob, BTC="100")
        rich = await issued(house)
        bob = house.accounts[house.bob.public]
        await house.node.command(c.Withdraw(bob, 1, 100 * 10**8))
        poor = await issued(house)
        assert chain_problems([before, rich, poor]) == []
        assert (rich.assets[1].deposited, poor.assets[1].withdrawn) == (10**10, 10**10)
        for name, chain in (("deposited", [before, rich]), ("withdrawn", [rich, poor])):
            found = chain_problems([chain[0], resigned(tmp_path, chain[1], name)])
            assert "tokens of certificate" in found[0].reason

    with_house(tmp_path, story)


def resigned(folder: Path, certificate: Certificate, name: str) -> Certificate:
    """The certificate without a flow of BTC, signed by the market itself all the same."""
    assets = tuple(
        replace(each, **{name: 0})  # type: ignore[arg-type]
        if each.symbol == "BTC"
        else each
        for each in certificate.assets
    )
    secret = read_secret(folder / "certificates" / "key")
    return sign(replace(certificate, assets=assets), secret)


def test_a_second_certificate_of_one_number_convicts_the_market(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.give(house.bob, BTC="1")
        told = await issued(house)
        other = resigned(tmp_path, told, "deposited")
        assert problems(other, told.key) == []
        assert contradict(told, other)
        assert not contradict(told, told)

    with_house(tmp_path, story)


def test_a_chain_whose_end_was_altered_is_not_gone_on_with(tmp_path: Path) -> None:
    async def story(house: House, *, first: bool) -> int:
        if first:
            return (await issued(house)).number
        auditor = house.client("auditor")
        return (await auditor.send("POST", CERTIFICATES, "certificateExecute")).status_code

    async def again() -> int:
        house = await opened(tmp_path)
        try:
            return await story(house, first=False)
        finally:
            await house.http.aclose()
            await house.node.close()

    assert with_house(tmp_path, lambda house: story(house, first=True)) == 1
    path = tmp_path / "certificates" / "00000001.json"
    path.write_text(path.read_text().replace('"fund":0', '"fund":1'))
    assert asyncio.run(again()) == 503
    assert not (tmp_path / "certificates" / "00000002.json").exists()


def test_a_process_that_is_ended_costs_proofs_until_the_next_certificate(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        first = await issued(house)
        apart = house.node.certificates._apart
        process = apart._process
        assert process is not None
        assert process.pid != os.getpid()
        process.kill()
        process.wait()
        reply = await house.ann.get(PROOF, "certificateProofQuery")
        assert reply.status_code == 404
        second = await issued(house)
        assert chain_problems([first, second]) == []
        assert await proves_to(house, house.ann, second) == []

    with_house(tmp_path, story)
