"""The papers' networks as pure torch modules, one file a paper, discriminators included.

Importing the package imports none of them.

A generator is called as `network(image, mask, sketch=None)`: image N x 3 x H x W in [0, 1], mask N x 1 x H x W with
1 = hole, sketch N x 1 x H x W with 1 = edge. It returns the predicted image, N x 3 x H x W in [0, 1], not pasted into
the known part, or a tuple of such stages of which the last one counts. Two optional methods:

- `explain(image, mask, sketch=None)` returns the same output and a dictionary of named intermediate results;
- `restrict_to_hole()` makes it skip, from then on, what no pixel of the hole depends on.
"""
