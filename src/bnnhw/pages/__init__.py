"""What the pages of all reports share: style, numbers for people, plots."""
