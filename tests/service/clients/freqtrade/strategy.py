"""A strategy for freqtrade that is always in the market: it buys at once and sells at once."""

from typing import Any, ClassVar

from freqtrade.strategy import IStrategy  # type: ignore[import-not-found]
from pandas import DataFrame  # type: ignore[import-untyped]


class InAndOut(IStrategy):  # type: ignore[misc]
    """Buys whenever it has nothing, and sells whatever it has at any profit or loss."""

    INTERFACE_VERSION = 3
    timeframe = "1m"
    minimal_roi: ClassVar[dict[str, float]] = {"0": -1}
    stoploss = -0.9
    startup_candle_count = 0
    process_only_new_candles = False

    def populate_indicators(self, dataframe: DataFrame, _: dict[str, Any]) -> DataFrame:
        """None."""
        return dataframe

    def populate_entry_trend(self, dataframe: DataFrame, _: dict[str, Any]) -> DataFrame:
        """Always."""
        dataframe["enter_long"] = 1
        return dataframe

    def populate_exit_trend(self, dataframe: DataFrame, _: dict[str, Any]) -> DataFrame:
        """Never by a signal, for beside one nothing is bought."""
        dataframe["exit_long"] = 0
        return dataframe
