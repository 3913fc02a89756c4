"""What a program is made of: instructions, transfers, and the packets that bring them."""
