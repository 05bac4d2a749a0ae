"""The manifest, run.json: what a run came to, and a digest of every file that belongs to it.

Its own digest covers all of it, so an edit shows. Hashes and counts can be recomputed from the logs
(`audit` does); `figures` is what the run reported, in its own words.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from solvent.domain.codec.canonical import DIGEST_FIELD, Json, canonical, digest_of, strict_json
from solvent.domain.codec.events import FORMAT_VERSION
from solvent.domain.errors import InputError

MANIFEST = "run.json"
FORMAT = "solvent run"
_KEYS = {
    "format": str,
    "version": int,
    "commands": int,
    "events": int,
    "state_hash": str,
    "event_hash": str,
    "files": dict,
    "figures": dict,
    DIGEST_FIELD: str,
}
_READ_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Manifest:
    """A run's counts, hashes, the files of its folder (name -> bytes and BLAKE2b), its figures."""

    commands: int
    events: int
    state_hash: str
    event_hash: str
    files: Mapping[str, Json]
    figures: Mapping[str, Json]


def write_manifest(directory: Path, manifest: Manifest) -> None:
    """Write run.json, with the digest over all of it."""
    document: dict[str, Json] = {
        "format": FORMAT,
        "version": FORMAT_VERSION,
        "commands": manifest.commands,
        "events": manifest.events,
        "state_hash": manifest.state_hash,
        "event_hash": manifest.event_hash,
        "files": manifest.files,
        "figures": manifest.figures,
    }
    document[DIGEST_FIELD] = digest_of(document)
    (directory / MANIFEST).write_text(canonical(document) + "\n", encoding="ascii")


def read_manifest(directory: Path) -> Manifest:
    """The manifest of a run's folder. Raises InputError when it is missing or was edited."""
    path = directory / MANIFEST
    try:
        text = path.read_bytes().decode("ascii")
        document = strict_json(text)
    except OSError as error:
        reason = f"cannot be read: {error.strerror}; point at the folder of a finished run"
        raise InputError(str(path), "file", reason) from error
    except (ValueError, RecursionError) as error:
        raise _edited(path, "file", f"is no manifest: {error}") from error
    if not isinstance(document, dict) or set(document) != set(_KEYS):
        raise _edited(path, "file", f"needs exactly the keys {', '.join(sorted(_KEYS))}")
    for key, kind in _KEYS.items():
        if type(document[key]) is not kind:
            raise _edited(path, key, "has the wrong type")
    if (document["format"], document["version"]) != (FORMAT, FORMAT_VERSION):
        raise _edited(
            path, "version", f"is not {FORMAT} version {FORMAT_VERSION}, which is read here"
        )
    if document[DIGEST_FIELD] != digest_of(document):
        raise _edited(path, DIGEST_FIELD, "does not fit the rest: the manifest was edited")
    if text != canonical(document) + "\n":
        raise _edited(path, "file", "is not written as a run writes it: the manifest was edited")
    values = {key: document[key] for key in _KEYS if key not in {"format", "version", DIGEST_FIELD}}
    return Manifest(**values)


def file_record(path: Path) -> Json:
    """Size and BLAKE2b of one file, as the manifest keeps them. Raises OSError."""
    digest = hashlib.blake2b(digest_size=32)
    with path.open("rb") as file:
        while part := file.read(_READ_BYTES):
            digest.update(part)
        return {"bytes": file.tell(), "blake2b": digest.hexdigest()}


def _edited(path: Path, field: str, reason: str) -> InputError:
    return InputError(str(path), field, f"{reason}; restore the file or run again")
