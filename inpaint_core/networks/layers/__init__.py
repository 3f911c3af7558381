"""Layers that several papers share, and gated convolution."""
