"""The library behind the lessons on batch normalization (Ioffe & Szegedy, 2015).

Four floors; each imports only from those below it. Start reading at the bottom:

    bnlib.explorers     the widgets, one module for each lesson
    bnlib.plots, live   pictures, and how a control moves them
    bnlib.data, models, training, recorder
                        experiments: data, a network, its training, and what was recorded of it
    bnlib.numpy_bn, torch_bn
                        batch normalization itself: in NumPy with the backward pass by hand, and
                        in PyTorch with autograd

Nothing is imported here: `from bnlib.numpy_bn import BatchNorm` does not load PyTorch.
"""

__version__ = "0.1.0"
