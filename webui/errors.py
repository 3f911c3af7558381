"""What a visitor sees when something cannot be done: the one sentence of an `InpaintError`, and nothing is lost."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

import gradio as gr

from inpaint_core import InpaintError


def in_one_sentence(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same function or generator, whose `InpaintError` becomes a message on the page, or the API's error."""
    if inspect.isgeneratorfunction(function):

        @functools.wraps(function)
        def generator(*arguments: Any, **named: Any) -> Any:
            try:
                yield from function(*arguments, **named)
            except InpaintError as error:
                raise _shown(error) from error

        return generator

    @functools.wraps(function)
    def plain(*arguments: Any, **named: Any) -> Any:
        try:
            return function(*arguments, **named)
        except InpaintError as error:
            raise _shown(error) from error

    return plain


def _shown(error: InpaintError) -> gr.Error:
    return gr.Error(str(error), title="That did not work", duration=12, print_exception=False)
