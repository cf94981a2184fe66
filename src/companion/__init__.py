"""What makes the book: its desk for chapters, its figures, the studies of single chapters, and its pages."""
