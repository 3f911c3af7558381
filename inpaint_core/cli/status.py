"""What the exit status of the command line means, besides 0."""

USER_ERROR = 2  # an error in the call or its files
SOME_FAILED = 3  # some files of a folder, or some methods of a comparison; the others are done
INTERRUPTED = 130  # by Ctrl+C, as in shells
