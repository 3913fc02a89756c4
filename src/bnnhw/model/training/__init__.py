"""Training: the loop, losses, schedules, checkpoints, several processes."""
