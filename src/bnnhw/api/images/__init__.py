"""Images for networks: of data sets, of files, random ones."""
