"""The papers' networks: pure torch modules, one file a paper. Importing one of them imports torch; this page does not."""
