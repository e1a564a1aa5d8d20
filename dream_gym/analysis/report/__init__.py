"""What is shown: tables, plots, timelines and pages."""
