"""The fuzzer: seeded random commands, checked after each and compared between the engines."""
