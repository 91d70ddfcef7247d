"""The library behind the lessons on batch normalization (Ioffe & Szegedy, 2015).

Start reading at the top:

    bnlib.numpy_bn, torch_bn    batch normalization itself: in NumPy with the backward pass by
                                hand, and in PyTorch with autograd
    bnlib.experiments           data, networks, their training, and what is measured of them
    bnlib.live                  figures that move: a toolkit that knows nothing of BN
    bnlib.pictures              what a lesson shows, a module for each lesson
    bnlib.explorers             its widgets: controls wired to all of the above
    bnlib.exercises             checks of what a student writes

Nothing is imported here: `from bnlib.numpy_bn import BatchNorm` does not load PyTorch.
"""

__version__ = "0.2.0"
