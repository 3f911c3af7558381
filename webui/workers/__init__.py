"""Processes that do the work of the page and can be ended, and who may use them when."""
