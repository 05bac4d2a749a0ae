"""The kernel language and its compiler: a small typed part of Python, compiled to machine code.

`language` is what kernels are written in, `compiler` turns them into one LLVM module, `machine`
keeps the code on disk and calls it. Nothing here knows what the kernels of a program are about.
"""
