"""Low-light raw photos: from a sensor's mosaic to a picture by a U-Net with binary convolutions.

The network and the task are those of "Learning to See in the Dark" (Chen et al. 2018, arXiv:1805.01934), binarised as
in ABC-Net (arXiv:1711.11294): a short exposure, amplified, goes in; the picture of the long one comes out.
"""
