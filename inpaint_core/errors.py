"""The one error a user can cause: its text is one sentence that says what to do."""


class InpaintError(ValueError):
    """Raised for anything the user can correct: a broken file, a mask of another size, an unknown method.

    The page shows the sentence, the command line prints it and exits with status 2.
    """
