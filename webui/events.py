"""What every event of the page shares: its inputs and outputs by component, and how it shows an `InpaintError`."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Generator, Iterator
from typing import Any

import gradio as gr
from gradio.blocks import Block

from inpaint_core import InpaintError
from webui.files import all_visitors_folder
from webui.workers.visitors import Gone, Visitor, current

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
    run: Callable[[Values], Generator[Updates, None, None]],
    inputs: set[Block],
    outputs: list[Block],
    stopped: tuple[list[Block], Callable[[], Updates]],
    **settings: Any,
) -> Any:
    """Run a generator at the press of a button, with a Stop button that is shown as long as it runs.

    Args:
        start, stop: the buttons; `stop` is hidden at first.
        run: the generator; stopped, it ends where it yields next, or by `Gone` from what it waits for.
        inputs, outputs: of `run`.
        stopped: what changes when the visitor has stopped it, and the function that sets it.
        settings: more settings of the listener that runs.

    Returns:
        The event, which others can cancel.
    """
    changed, after = stopped
    calls: dict[str, Visitor] = {}  # what runs, by session

    @functools.wraps(run)
    def running(values: Values) -> Iterator[Updates]:
        visitor = calls[current().session] = current()
        updates = run(values)
        try:
            for update in updates:
                if visitor.has_given_up:
                    break
                yield update
            if visitor.has_given_up:  # last of all, and so no late news of the run can follow it on the page
                updates.close()
                yield after()
        finally:
            visitor.forget()
            calls.pop(visitor.session, None)

    def end() -> Updates:
        if (visitor := calls.get(current().session)) is not None:
            visitor.give_up()
        return {**after(), stop: gr.Button(visible=False)}

    # First of the three: the page sends a button's listeners one after the other, each when the one before has ended.
    start.click(lambda: gr.Button(visible=True), None, stop, queue=False, **QUIET)
    event: Any = start.click(running, inputs, list(dict.fromkeys([*outputs, *changed])), **settings, **QUIET)
    event.then(lambda: gr.Button(visible=False), None, stop, queue=False, **QUIET)
    stop.click(end, None, [*changed, stop], queue=False, **QUIET)
    return event


def shows_errors(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same function or generator, whose `InpaintError` becomes a message on the page, or the API's error."""
    if inspect.isgeneratorfunction(function):

        @functools.wraps(function)
        def generator(*arguments: Any, **named: Any) -> Any:
            try:
                yield from function(*arguments, **named)
            except Gone:  # nobody waits to hear it
                return
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
