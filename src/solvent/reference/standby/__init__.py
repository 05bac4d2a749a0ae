"""Standby: accounts that take, for a premium, what ADL would pay others in kind."""
