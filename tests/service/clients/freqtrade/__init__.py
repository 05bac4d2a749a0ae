"""freqtrade in dry and in live mode; too large for the developers' set, so run by hand."""
