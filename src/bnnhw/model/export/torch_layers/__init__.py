"""torch's own layers, one file a kind: which op each is."""
