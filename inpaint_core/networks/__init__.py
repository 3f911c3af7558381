"""The papers' networks: pure torch modules, one file a paper. This page itself imports nothing."""
