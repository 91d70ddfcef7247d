"""Data, networks, their training, and what is measured of them: no picture, no widget."""
