"""Changes of parameters in a file: TOML, a [[change]] table each."""

import tomllib
from pathlib import Path

from solvent.domain import commands as c
from solvent.domain.errors import InputError
from solvent.domain.parameter_changes import changed_parameters
from solvent.domain.parameters import USDC, EngineParameters, ParameterError

_FIELDS = {"asset", "field", "value", "index"}


def read_changes(path: Path, parameters: EngineParameters) -> list[c.ChangeParameter]:
    """The changes of a file: [[change]] tables with field, value, and asset and index if any.

    InputError where it is none, or where the parameters that would result are not valid.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(str(path), "file", f"cannot be read: {error}") from None
    tables = document.get("change")
    if set(document) != {"change"} or not isinstance(tables, list) or not tables:
        raise InputError(str(path), "change", "is missing; write [[change]] tables alone")
    found = []
    for number, table in enumerate(tables, 1):
        change = _change(f"{path}", f"change {number}", table, parameters)
        try:
            parameters = changed_parameters(parameters, change)
        except ParameterError as error:
            raise InputError(str(path), f"change {number}", str(error)) from None
        found.append(change)
    return found


def _change(
    file: str, field: str, table: object, parameters: EngineParameters
) -> c.ChangeParameter:
    if not isinstance(table, dict) or not {"field", "value"} <= set(table) <= _FIELDS:
        raise InputError(file, field, "has field and value, and asset and index where they apply")
    symbols = [about.symbol for about in parameters.assets]
    symbol = table.get("asset", symbols[USDC])
    if symbol not in symbols:
        raise InputError(file, field, f"asset is not one of {', '.join(symbols)}")
    names = c.ParameterField.__members__
    if table["field"] not in names:
        raise InputError(file, field, f"field is not one of {', '.join(names)}")
    numbers = (table["value"], table.get("index", 0))
    if any(not isinstance(each, int) or isinstance(each, bool) for each in numbers):
        raise InputError(file, field, "value and index are whole numbers")
    return c.ChangeParameter(symbols.index(symbol), names[table["field"]], *numbers)
