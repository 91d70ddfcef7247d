"""The pictures, a module for each lesson; `parts` is what they share. Nothing is computed here."""
