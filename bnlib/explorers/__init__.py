"""The widgets of the lessons, a module for each: controls wired to the rest of bnlib."""
