"""What a design is asked to be, and the folder that a build of it leaves."""
