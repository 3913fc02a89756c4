"""What people are told on standard error, beside what a command prints."""
