"""What every event of the page shares: its inputs and outputs by component, and how it shows an `InpaintError`."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable
from typing import Any

import gradio as gr
from gradio.blocks import Block

from inpaint_core import InpaintError
from webui.files import all_visitors_folder

Values = dict[Block, Any]
"""The inputs of an event: the value of each component. Listeners declare a set, so that no order matters."""

Updates = dict[Block, Any]
"""The outputs of an event, by component: new values, or components with what changes; others stay as they are."""

PRIVATE: dict[str, Any] = {"api_visibility": "private"}
"""Settings of a listener that is no endpoint of the API."""

QUIET: dict[str, Any] = {**PRIVATE, "show_progress": "hidden"}
"""The same for one that is quick enough to show no progress."""


def connect_run(
    start: gr.Button,
    stop: gr.Button,
    run: Callable[..., Any],
    inputs: set[Block],
    outputs: list[Block],
    stopped: tuple[list[Block], Callable[[], Updates]],
    **settings: Any,
) -> Any:
    """Run a generator at the press of a button, with a Stop button that is shown as long as it runs.

    Args:
        start, stop: the buttons; `stop` is hidden at first.
        run: the generator; stopped, it ends where it yields next.
        inputs, outputs: of `run`.
        stopped: what changes when the visitor has stopped it, and the function that sets it.
        settings: more settings of the listener that runs.

    Returns:
        The event, which others can cancel.
    """
    # First of the three: the page sends a button's listeners one after the other, each when the one before has ended.
    start.click(lambda: gr.Button(visible=True), None, stop, queue=False, **QUIET)
    event: Any = start.click(run, inputs, outputs, **settings, **QUIET)
    event.then(lambda: gr.Button(visible=False), None, stop, queue=False, **QUIET)
    changed, after = stopped
    stop.click(
        lambda: {**after(), stop: gr.Button(visible=False)},
        None,
        [*changed, stop],
        cancels=[event],
        queue=False,
        **QUIET,
    )
    return event


def shows_errors(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same function or generator, whose `InpaintError` becomes a message on the page, or the API's error."""
    if inspect.isgeneratorfunction(function):

        @functools.wraps(function)
        def generator(*arguments: Any, **named: Any) -> Any:
            try:
                yield from function(*arguments, **named)
            except InpaintError as error:
                raise _message(error) from error

        return generator

    @functools.wraps(function)
    def plain(*arguments: Any, **named: Any) -> Any:
        try:
            return function(*arguments, **named)
        except InpaintError as error:
            raise _message(error) from error

    return plain


def _message(error: InpaintError) -> gr.Error:
    own = re.escape(str(all_visitors_folder()))
    sentence = re.sub(rf"{own}[^\s'\"]*/", "", str(error))  # a visitor knows the names of files, not our folders
    return gr.Error(sentence, title="That did not work", duration=12, print_exception=False)
