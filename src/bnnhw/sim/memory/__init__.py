"""Memory chips at their pins, which check that they are used as their data sheets say."""
