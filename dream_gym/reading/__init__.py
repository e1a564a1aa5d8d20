"""How input files are read: limits, YAML 1.2, field types, and errors that name the field."""
