"""Scripts of the interactive figures."""
