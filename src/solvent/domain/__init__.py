"""The words of Solvent: units, parameters, commands, events, rejections.

Nothing here does anything to an account. The domain imports nothing of ours, performs no I/O and
holds no state; both engines, the journal, the views and the service speak in these terms.
"""
