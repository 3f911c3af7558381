"""The page: one module a tab. It talks to `inpaint_core` only through its public functions, never the reverse."""
