"""The cases of docs/semantics.md: each is run, checked against what the page says, and drawn."""
