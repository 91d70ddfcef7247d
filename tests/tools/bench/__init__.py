"""Measurements, side by side in one run. They print tables; nothing here is asserted."""
