"""Where streams part and meet: forks, splits, concatenations and sums."""
