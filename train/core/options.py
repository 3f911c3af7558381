"""The command line of a training script: an option for each field of the session and each number of the recipe."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from dataclasses import MISSING, fields
from typing import Annotated, Any, get_type_hints

import typer

from inpaint_core.errors import InpaintError
from inpaint_core.masks.generators import GENERATORS
from train.core.engine import NonFiniteLoss
from train.core.session import Session, Training, run


def parse_masks(words: Iterable[str]) -> tuple[tuple[str, float], ...]:
    """Words such as "box=0.7" as a recipe has them; one without a number has the weight 1.

    Raises:
        InpaintError: there is no such kind, or the weight is no number.
    """
    found = []
    for word in words:
        kind, _, share = word.partition("=")
        if kind not in GENERATORS:
            raise InpaintError(f'There are no "{kind}" masks; choose of {", ".join(GENERATORS)}.')
        try:
            found.append((kind, float(share or 1)))
        except ValueError as error:
            raise InpaintError(f"Write the weight of {kind} masks as a number, such as {kind}=0.5.") from error
    return tuple(found)


def command(
    make: Callable[[Any], Training], recipe: type, session: type = Session, run: Callable[[Any, Any], object] = run
) -> Callable[..., None]:
    """A command line function whose options are the fields of `session` and the numbers and words of `recipe`."""

    def main(**options: Any) -> None:
        own = {each.name: options.pop(each.name) for each in fields(recipe) if each.name in options}
        words = own.pop("masks", None)
        if words:
            own["masks"] = parse_masks(words)
        run(make(recipe(**own)), session(**options))

    parameters = []
    for source in (session, recipe):
        hints = get_type_hints(source)
        for each in fields(source):
            kind, default, about = hints[each.name], each.default, each.metadata.get("help")
            if source is recipe and each.name == "masks":
                kind, default, about = list[str] | None, None, "a kind of hole and its weight, box=0.7; repeat"
            elif source is recipe and kind not in (int, float, str, bool):
                continue
            annotation: Any = Annotated[kind, typer.Option(help=about)]  # type: ignore
            default = inspect.Parameter.empty if default is MISSING else default
            parameters.append(
                inspect.Parameter(each.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
            )
    main.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    main.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    main.__doc__ = inspect.getdoc(inspect.getmodule(recipe))
    return main


def start(main: Callable[..., None]) -> None:
    """Run a command; what its user can mend is one sentence and exit status 2."""
    try:
        typer.run(main)
    except (InpaintError, FileNotFoundError, NonFiniteLoss) as error:
        typer.echo(str(error), err=True)
        raise SystemExit(2) from error
