"""The page: one module a tab. It uses the public functions of `inpaint_core`, never the reverse."""
