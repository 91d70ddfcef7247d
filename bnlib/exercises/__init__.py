"""Checks of what a student writes, a module for each lesson."""
