"""How it runs: the compiled engine, its accounts, and the record of what happened."""
