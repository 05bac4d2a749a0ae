"""Rehearsals: what a change of a parameter would do, tried before it is proposed or beside it."""

from solvent.domain import commands as c
from solvent.domain.parameter_changes import changed_parameters
from solvent.domain.parameters import EngineParameters, ParameterError
from solvent.foresight.rehearsal import (
    HOURS,
    PATHS,
    AtOnce,
    Hours,
    Rehearsal,
    Standing,
    decode_at_once,
    decode_rehearsal,
)
from solvent.service.api.calls import Call, Reply, json_reply
from solvent.service.api.endpoints import Endpoint
from solvent.service.api.objects import rehearsals as o
from solvent.service.api.params import Params, bad_request
from solvent.service.api.shapes import price_text, ratio_text
from solvent.service.authority.proposals import Proposal
from solvent.service.core.keys import Role
from solvent.service.limits import PAGE_MOST, REHEARSAL_HOURS

TAG = "Solvent"
WATCHERS = frozenset({Role.RISK_ADMIN, Role.OPERATOR, Role.AUDITOR})
"""Roles that may see all accounts together."""


def asked_change(fields: Params) -> c.ChangeParameter:
    """The change that a request names."""
    name = fields.need("field")
    if name not in c.ParameterField.__members__:
        raise bad_request(f"field must be one of {', '.join(c.ParameterField.__members__)}")
    asset = fields.asset() if fields.has("symbol") else 0
    return c.ChangeParameter(
        asset,
        c.ParameterField[name],
        fields.integer("value", 0, 0, 2**63 - 1),
        fields.integer("index", 0, 0, o.MOST_INDEX),
    )


async def rehearse(call: Call) -> Reply:
    """Try another value of a parameter on a copy of the book; nothing is proposed."""
    parameters = call.node.market.parameters
    change = asked_change(call.params)
    try:
        changed_parameters(parameters, change)
    except ParameterError as error:
        raise bad_request(f"no such change can be made: {error}") from None
    hours = call.params.integer("hours", HOURS, 1, REHEARSAL_HOURS)
    found = await call.node.rehearsals.tried(c.encode_command(change), hours)
    return json_reply(shown(found))


def shown(found: Rehearsal) -> o.Rehearsal:
    """A rehearsal as an object."""
    return o.Rehearsal(
        at_once=_at_once(found.at_once),
        hours=found.hours,
        paths=[
            o.PathPlayed(
                path=name,
                move=("-" if PATHS[name] < 0 else "") + ratio_text(abs(PATHS[name])),
                without=_hours(without),
                with_change=_hours(changed),
            )
            for name, (without, changed) in found.paths.items()
        ],
    )


def rehearsal_of(proposal: Proposal) -> o.Rehearsal | None:
    """The rehearsal beside a proposal, if it is there."""
    document = proposal.rehearsal.document
    return shown(decode_rehearsal(document)) if document else None


def effect_of(parameters: EngineParameters, proposal: Proposal) -> o.ChangeEffect | None:
    """What a change did, against its rehearsal, if it is there."""
    document = proposal.effect.document
    if not document:
        return None
    rehearsed = decode_rehearsal(proposal.rehearsal.document).at_once
    actual = decode_at_once(document)
    foreseen, came = set(rehearsed.brought_in), set(actual.brought_in)
    marks = zip(parameters.assets, rehearsed.marks, actual.marks, strict=True)
    return o.ChangeEffect(
        at_once=_at_once(actual),
        as_rehearsed=len(foreseen & came),
        unforeseen=sorted(came - foreseen)[:PAGE_MOST],
        spared=sorted(foreseen - came)[:PAGE_MOST],
        marks=[
            o.MarkThen(symbol=about.symbol, rehearsed=price_text(then), actual=price_text(now))
            for about, then, now in marks
            if then != now
        ],
    )


def _at_once(found: AtOnce) -> o.ChangeAtOnce:
    return o.ChangeAtOnce(
        time=found.time,
        without=_standing(found.without),
        with_change=_standing(found.changed),
        account_ids=list(found.brought_in[:PAGE_MOST]),
    )


def _standing(found: Standing) -> o.BookStanding:
    return o.BookStanding(
        liquidating=found.liquidating,
        throttled=list(found.throttled),
        trapped=[
            o.TrappedLenders(symbol=symbol, lenders=count)
            for symbol, count in found.trapped.items()
        ],
    )


def _hours(found: Hours) -> o.HoursPlayed:
    return o.HoursPlayed(
        liquidated=found.liquidated,
        stages=[o.StageCleared(stage=name, value=value) for name, value in found.stages.items()],
        end=_standing(found.end),
    )


ENDPOINTS = [
    Endpoint(
        TAG,
        "GET",
        "/solvent/v1/risk/rehearsal",
        rehearse,
        "rehearsalQuery",
        query=o.RehearsalQuery,
        returns=o.Rehearsal,
        roles=WATCHERS,
    ),
]
