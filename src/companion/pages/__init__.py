"""What turns notebooks and pages into the book: pairs, dependencies, staging and the scoreboard. Called by the Makefile."""
