"""How a training went: figures by epoch, histograms, event files, progress."""
