"""The fast engine: columns of integers and compiled kernels, equal to the reference to the bit.

Read `layout` for what is where, `language` for what kernels are written in, and then any mechanism
beside the module of the same name in `reference`: same names, same order, same rounding.
"""
