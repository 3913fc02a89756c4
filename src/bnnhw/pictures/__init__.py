"""Picture files as numbers: one reader for all commands. Its rules: docs/pictures.md."""
