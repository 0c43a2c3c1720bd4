"""The digest of a session: SHA-256 over what was played, without labels, notes and exclusions."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from recorder.store.schema import ANNOTATION_COLUMNS
from recorder.store.untrusted import METADATA

_ANNOTATIONS = tuple(f"episodes/{name}/" for name in ANNOTATION_COLUMNS)


def digest_of(attributes: Mapping[str, Any], hashes: Iterable[tuple[str, str]], known: str | None) -> str:
    """The digest of a session with these attributes and files, as hex.

    `hashes` are names and SHA-256 hashes of its files, in the order of the names. The simulator's versions are not part
    of the digest. In earlier versions they were: if the digest that includes them equals `known` (by default the stored
    digest), it is returned.
    """
    files = [
        f"{name} {content}\n".encode()
        for name, content in hashes
        if name != METADATA and not name.startswith(_ANNOTATIONS)
    ]
    env = attributes.get("env")
    played = {name: value for name, value in env.items() if name != "versions"} if isinstance(env, dict) else env
    with_versions = _hash(attributes, env, files)
    return with_versions if with_versions == (known or attributes.get("digest")) else _hash(attributes, played, files)


def _hash(attributes: Mapping[str, Any], env: Any, files: Sequence[bytes]) -> str:
    hashed = hashlib.sha256()
    told = {**attributes, "env": env}
    for key in ("version", "ticks", "env", "player", "seed", "palette"):
        hashed.update(json.dumps([key, told.get(key)], sort_keys=True).encode())
    for line in files:
        hashed.update(line)
    return hashed.hexdigest()
