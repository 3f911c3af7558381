"""Training: one short script a paper, all of them on the same engine, data and losses."""
