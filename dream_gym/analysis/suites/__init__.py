"""What is compared: cells, suites, and calibrated loads."""
