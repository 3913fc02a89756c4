"""The trainings of docs/accuracy.md: rows, records, tables."""
