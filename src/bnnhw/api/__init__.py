"""All that the commands do, as functions: `bnnhw.build(...)` and its kin. Prints nothing, knows no command line."""
