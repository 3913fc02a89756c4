"""What operators written in Python become."""
