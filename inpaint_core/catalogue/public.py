"""Methods with public weights, `METHOD@WEIGHTS`, as records like any other."""

from __future__ import annotations

from dataclasses import replace

from inpaint_core import weights as checkpoints
from inpaint_core.catalogue.method import Method
from inpaint_core.errors import InpaintError
from inpaint_core.weights.public import registry, store


def with_weights(method: Method, name: str) -> Method:
    """The record of a method with one set of public weights.

    Args:
        method: the record of the method alone.
        name: of the set, such as `lama@big`: of the table, here or not, or one that was imported.

    Raises:
        InpaintError: there is no such set; the sentence lists those of the method.
    """
    row = next((row for row in registry.rows() if row.name == name), None)
    if row is not None:
        title, licence = row.title, row.licence
    else:
        imported = store.record_of(name)
        if imported is None:
            known = [each for each in names() if each.partition("@")[0] == method.name]
            advice = f"choose one of {', '.join(known)}" if known else f"take {method.name} itself"
            raise InpaintError(f"There are no weights {name!r}; {advice}.")
        title, licence = str(imported.extra.get("title", "imported")), imported.licence
    return replace(
        method,
        name=name,
        title=f"{method.title}, {title}",
        licence=licence,
        parameters=None,  # the published network may have another width
        group="large holes",
        advice="",
        accepts_sketch=False,  # none of the published networks was trained with sketches
        trained_here=False,
        folder=store.folder_of(name),
    )


def with_default(method: Method) -> Method:
    """The method itself or, where it has no checkpoint of its own, the same with the first public set that is here."""
    if not method.needs_weights:
        return method
    try:
        if method.name in checkpoints.records():
            return method
    except InpaintError:  # a damaged manifest is for the method itself to report
        return method
    name = store.default_of(method.name)
    if name is None:
        return method
    return replace(method, licence=with_weights(method, name).licence, folder=store.folder_of(name))


def names() -> list[str]:
    """Every set there is: those of the table, here or not, then those imported."""
    return list(dict.fromkeys([*(row.name for row in registry.rows()), *store.names()]))
