"""The walks over a program: its instructions, their tiles, the beats of these, and the words that a beat reads."""
