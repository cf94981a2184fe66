"""The desk of a chapter: begin with checked parameters, show, record, finish."""

from companion.chapter.records import Match, Record, published_table
from companion.chapter.run import Run, begin, read_results, results_digest

__all__ = ["Match", "Record", "Run", "begin", "published_table", "read_results", "results_digest"]
