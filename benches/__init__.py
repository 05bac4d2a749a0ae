"""Benches: how fast the fast engine is, each figure beside a peer's or a limit's of the same run.

A bench gives the same answer as its peer or fails: a fast answer that is wrong is an error.
`registry` lists the benches; in `common`, `measure` times and `rows` says what a figure is and what
it should be.
"""
