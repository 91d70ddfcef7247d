"""The widgets of the lessons, one module per lesson. They wire controls to the rest of bnlib and
compute nothing.
"""
