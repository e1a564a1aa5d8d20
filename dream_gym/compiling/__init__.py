"""How functions are compiled: what is inlined, what is kept on disk, and threads to run it."""
