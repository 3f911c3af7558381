"""Controls that several tabs have: which method, how a fill is blended, pictures side by side."""

from __future__ import annotations

import re
from typing import Any

import gradio as gr

import inpaint_core
from inpaint_core.catalogue import GROUPS

BLENDS = (("None", ""), ("Poisson", "poisson"), ("Poisson, mixed gradients", "mixed"))
"""How a fill is blended into the photo: title for the page, name for the core."""


def blend_choice(label: str, elem_id: str, **settings: Any) -> gr.Dropdown:
    """The choice of `BLENDS`; its value is "" where the fill is left as it is."""
    return gr.Dropdown(list(BLENDS), value="", label=label, elem_id=elem_id, **settings)


def pictures(label: str, **settings: Any) -> gr.Gallery:
    """Pictures in two columns, exact; `label` is for those who cannot see them."""
    return gr.Gallery(
        format="png",
        columns=2,
        height="auto",
        object_fit="contain",
        show_label=False,
        label=label,
        elem_classes="gallery-own",
        **settings,
    )


def strip(pictures: list[Any], label: str, elem_id: str, **settings: Any) -> gr.Gallery:
    """Thumbnails with captions in one row, to choose from."""
    return gr.Gallery(
        pictures,
        columns=len(pictures),
        rows=1,
        format="png",
        allow_preview=False,
        object_fit="cover",
        buttons=[],
        show_label=False,
        label=label,
        elem_id=elem_id,
        elem_classes="gallery-own strip",
        **settings,
    )


def method_choices() -> list[tuple[str, str]]:
    """Title and name of each method that can run now, also with each set of public weights that is here.

    A method without weights of its own is left out: it would run with those of a set that stands in the list.
    """
    own = [method for method in inpaint_core.methods() if method.ready and method.folder is None]
    found = [*own, *(method for method in inpaint_core.public_methods() if method.ready)]
    found.sort(key=lambda method: method.year)
    return [(f"{method.title} ({method.year})", method.name) for method in found]


def grouped_choices() -> list[tuple[str, str]]:
    """As `method_choices`, in the order of what they are good at, which the titles say."""
    choices = [(title, inpaint_core.catalogue.get(name)) for title, name in method_choices()]
    choices.sort(key=lambda choice: GROUPS.index(choice[1].group))
    return [(f"{title}: {method.group}", method.name) for title, method in choices]


def sketching_methods() -> list[inpaint_core.Method]:
    """The methods that follow a sketch and can run now."""
    return [method for method in inpaint_core.methods() if method.accepts_sketch and method.ready]


def about_public_weights() -> str:
    """The licence of each set of public weights that is here, or nothing."""
    here = [f"{method.title}: {method.licence}" for method in inpaint_core.public_methods() if method.ready]
    return f"Licences of the public weights: {'; '.join(here)}." if here else ""


def as_code(name: str) -> str:
    """A file's name for a text in Markdown, whatever characters a visitor's file has in it."""
    return f"`{name.replace('`', '')}`"


def as_text(sentence: str) -> str:
    """A sentence for a text in Markdown that may name a visitor's file: none of its characters has a meaning."""
    return re.sub(r"([\\`*_\[\]<>~&$|@])", r"\\\1", sentence)
