"""What runs a network's layers, torch or OpenVINO, and in which precision. Importing the package imports neither."""
