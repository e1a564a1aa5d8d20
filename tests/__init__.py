"""The tests; a package so that they can import the reference simulator."""
