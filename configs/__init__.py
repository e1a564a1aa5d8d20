"""The YAML files that ship with dream_gym: scenarios, platforms, agents and suites."""
