"""Which method fills this photo best, measured on intact places of it that resemble what is around the hole."""

from inpaint_core.suggestion.ranking import Score, Suggestion, suggest

__all__ = ["Score", "Suggestion", "suggest"]
