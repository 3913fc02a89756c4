"""What a family of FPGAs has: primitives, what cells a unit takes, devices."""
