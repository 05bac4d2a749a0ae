"""Streams of draws by key: what path 17 draws for a purpose hangs on nothing that was drawn before.

A key is made of the scenario's hash, the path's number and a purpose. So two points of a sweep see
the same weather, the same people and the same engine draws on path 17 (common random numbers), and
a path can be drawn again alone, in any order, by any worker.

Words come from NumPy's Philox, a counter-based generator whose stream NumPy keeps from version to
version (NEP 19); what is made of them here uses no other part of `numpy.random`.
"""

from dataclasses import dataclass
from hashlib import sha256

import numpy as np

from solvent.domain.units import INT64_MAX
from solvent.lab.paths.arithmetic import Numbers, normal_quantile

_KEY_BYTES = 16
_DROPPED, _GRID = 12, 2.0**-52


@dataclass(frozen=True, slots=True)
class Streams:
    """The streams of one path: `root` is the scenario's hash, `path` its number from 0.

    A `branch` of a path has streams of its own, by its name.
    """

    root: str
    path: int
    branch: str = ""

    def _key(self, purpose: str) -> int:
        branch = f"{self.branch}\n" if self.branch else ""
        named = f"{self.root}\n{self.path}\n{branch}{purpose}".encode()
        return int.from_bytes(sha256(named).digest()[:_KEY_BYTES], "little")

    def uniforms(self, purpose: str, count: int) -> Numbers:
        """Numbers in the middle of the 2^52 equal parts of (0, 1): neither end is ever drawn."""
        words = np.random.Philox(key=self._key(purpose)).random_raw(count)
        return (np.asarray(words >> np.uint64(_DROPPED), np.float64) + 0.5) * _GRID

    def normals(self, purpose: str, count: int) -> Numbers:
        """Standard normal numbers."""
        return normal_quantile(self.uniforms(purpose, count))

    def seed(self, purpose: str) -> int:
        """A seed for what draws whole numbers of its own: people, and the engine."""
        return self._key(purpose) & INT64_MAX
