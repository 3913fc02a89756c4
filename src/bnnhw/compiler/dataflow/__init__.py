"""Units in a row: streams between them, timing, queues, and the schedule of a whole core."""
