"""Programs of operators that are written in Python, as pipelines."""
