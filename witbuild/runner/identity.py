"""Identity: what a stage is made from, as JSON values that are hashed into its fingerprint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from witbuild.errors import RunMismatchError
from witbuild.io.manifest import Identity, digest_paths

if TYPE_CHECKING:
    from collections.abc import Mapping

    from witbuild.io.run import StageFolder
    from witbuild.stage import Stage


def parameters(stage: Stage) -> dict[str, Any]:
    """Return the parameters that can change the result; a file is stood for by its name and the hash of its content.

    Example:
        >>> from witbuild.stage import Stage, runtime
        >>> class Demo(Stage):
        ...     rows: int = 3
        ...     workers: int = runtime(1)
        >>> parameters(Demo(workers=8))
        {'rows': 3}
    """
    fields = type(stage).model_fields
    values = stage.model_dump(mode="json")
    marks = {
        name: field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
        for name, field in fields.items()
    }
    kept = {name: value for name, value in values.items() if not marks.get(name, {}).get("runtime")}
    return {name: _digested(value) if marks.get(name, {}).get("digested") else value for name, value in kept.items()}


def _digested(value: Any) -> Any:
    """Replace every string in a value by the names and digests of the files that it names."""
    if isinstance(value, str):
        return digest_paths(value)
    if isinstance(value, list):
        return [_digested(item) for item in value]
    if isinstance(value, dict):
        return {name: _digested(item) for name, item in value.items()}
    return value


def identify(stage: Stage, upstream: Mapping[str, str], round_number: int = 0) -> Identity:
    """Return the identity of a stage over what is upstream: kind of input -> fingerprint."""
    extra = {"round": round_number} if round_number else {}
    return Identity(
        name=stage.name,
        version=stage.version,
        parameters={**parameters(stage), **extra},
        upstream=dict(upstream),
    )


def begin(folder: StageFolder, identity: Identity) -> None:
    """Write the identity into a folder, or hold the folder to it.

    Raises:
        RunMismatchError: the folder was made from something else.
    """
    found = folder.identity()
    if found is None:
        folder.begin(identity)
    elif found.fingerprint != identity.fingerprint:
        raise RunMismatchError(
            f"{folder.path}: was made from other parameters\n"
            f"  found    {found.fingerprint}\n  expected {identity.fingerprint}\n"
            f"  differs  {'; '.join(differences(found, identity))}\n"
            f"use another --out, or --restart-from {found.name.split('.')[0]} to delete this stage and what follows it"
        )


def differences(found: Identity, expected: Identity) -> list[str]:
    """Say what differs between two identities.

    Example:
        >>> old = Identity(name="match", version=1, parameters={"a": 1}, upstream={"pairs": "x"})
        >>> differences(old, Identity(name="match", version=1, parameters={"a": 2}, upstream={"pairs": "x"}))
        ['a: found 1, expected 2']
    """
    out = []
    if (found.name, found.version) != (expected.name, expected.version):
        out.append(f"stage: found {found.name} {found.version}, expected {expected.name} {expected.version}")
    for name in sorted({*found.parameters, *expected.parameters}):
        old, new = found.parameters.get(name), expected.parameters.get(name)
        if old != new:
            out.append(f"{name}: found {_cut(old)}, expected {_cut(new)}")
    changed = [kind for kind in expected.upstream if found.upstream.get(kind) != expected.upstream[kind]]
    return out + [f"{kind}: comes from a stage that was made anew or otherwise" for kind in changed]


def _cut(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 200 else text[:200] + "..."
