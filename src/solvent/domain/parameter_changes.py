"""Changes of parameters while the engine runs: what `ChangeParameter` makes of those in force."""

from collections.abc import Callable
from dataclasses import fields, replace

from solvent.domain.commands import ChangeParameter, ParameterField
from solvent.domain.parameters import (
    AssetParameters,
    Curve,
    EngineParameters,
    ParameterError,
    Policy,
    PoolState,
    Record,
)

_POOL_FIELDS = {
    ParameterField.POOL_STATE: "state",
    ParameterField.OPEN_BORROW_LEND_LIMIT: "open_borrow_lend_limit",
    ParameterField.MAX_UTILIZATION: "max_utilization",
    ParameterField.THROTTLE_THRESHOLD: "throttle_threshold",
    ParameterField.THROTTLE_UPDATE_FRACTION: "throttle_update_fraction",
    ParameterField.POOL_FEE: "fee",
}
_HAIRCUT_FIELDS = {
    ParameterField.COLLATERAL_WEIGHT: "weight",
    ParameterField.COLLATERAL_BASE: "base",
    ParameterField.COLLATERAL_PENALTY: "penalty",
}
_MARGIN_FIELDS = {
    ParameterField.INITIAL_BASE: ("initial", "base"),
    ParameterField.INITIAL_FACTOR: ("initial", "factor"),
    ParameterField.MAINTENANCE_BASE: ("maintenance", "base"),
    ParameterField.MAINTENANCE_FACTOR: ("maintenance", "factor"),
}
_WATERFALL_FIELDS = {
    ParameterField.BOOK_FRACTION: "book_fraction",
    ParameterField.BOOK_PROBABILITY: "book_probability",
    ParameterField.BOOK_LIMIT: "book_limit",
    ParameterField.TARGET_BUFFER: "target_buffer",
    ParameterField.MAX_DISCOUNT: "max_discount",
    ParameterField.LENDER_POLICY: "lender_policy",
    ParameterField.DEFAULT_POLICY: "default_policy",
    ParameterField.PATIENCE: "patience",
    ParameterField.COMMITMENT_NOTICE: "commitment_notice",
}
_ENUM_FIELDS = {
    ParameterField.POOL_STATE: PoolState,
    ParameterField.LENDER_POLICY: Policy,
    ParameterField.DEFAULT_POLICY: Policy,
}


def changed_parameters(parameters: EngineParameters, change: ChangeParameter) -> EngineParameters:
    """`parameters` with one field changed and everything validated again.

    Raises ParameterError when the new value, or the whole that results, is not valid.
    """
    value = change.value
    if change.field in _ENUM_FIELDS:
        try:
            value = _ENUM_FIELDS[change.field](value)
        except ValueError as error:
            raise ParameterError(change.field.name.lower(), str(error)) from error
    if change.field in _WATERFALL_FIELDS:
        name = _WATERFALL_FIELDS[change.field]
        return replace(parameters, waterfall=_with(parameters.waterfall, name, value))
    if not 0 <= change.asset < len(parameters.assets):
        raise ParameterError("asset", f"there is no asset {change.asset}")
    changed = _changed_asset(parameters.assets[change.asset], change, value)
    assets = list(parameters.assets)
    assets[change.asset] = changed
    return replace(parameters, assets=tuple(assets))


def _with(record: Record, name: str, value: object) -> Record:
    """`record` with the field called `name` set to `value`, validated again."""
    build: Callable[..., Record] = type(record)
    values = {each.name: getattr(record, each.name) for each in fields(record)}
    return build(**(values | {name: value}))


def _changed_asset(asset: AssetParameters, change: ChangeParameter, value: int) -> AssetParameters:
    if change.field in _POOL_FIELDS:
        return replace(asset, pool=_with(asset.pool, _POOL_FIELDS[change.field], value))
    if change.field in _HAIRCUT_FIELDS:
        name = _HAIRCUT_FIELDS[change.field]
        return replace(asset, haircut=_with(asset.haircut, name, value))
    if change.field in _MARGIN_FIELDS:
        function, name = _MARGIN_FIELDS[change.field]
        return _with(asset, function, _with(getattr(asset, function), name, value))
    if change.field is ParameterField.PRICE_MAX_AGE:
        return replace(asset, price=replace(asset.price, max_age=value))
    points = list(asset.pool.curve.points)
    if not 0 <= change.index < len(points):
        raise ParameterError("index", f"the curve has no point {change.index}")
    utilization, rate = points[change.index]
    if change.field is ParameterField.CURVE_UTILIZATION:
        points[change.index] = (value, rate)
    else:
        points[change.index] = (utilization, value)
    return replace(asset, pool=replace(asset.pool, curve=Curve(tuple(points))))
