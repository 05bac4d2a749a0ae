"""Standby in kernels: who takes, for a premium, what ADL would pay others in kind."""
