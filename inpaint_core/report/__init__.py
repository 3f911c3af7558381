"""What is written of a comparison: a labelled sheet of all fills, and a table of their measures."""
