"""The desk of a chapter: begin with checked parameters, show, record, finish."""

# ruff: noqa: F401, I001
from companion.chapter.parameters import (
    Bias, Biases, Cosine, Cosines, Count, Counts, Folder, Integer, Integers, Margin, Margins, NonzeroCosine, Positive,
    Positives, Rate, Rates, Real, Reals, Seed, Share, Size, Sizes, Steps, Switch, Temperature, Temperatures, Text,
)  # fmt: skip
from companion.chapter.records import Match, Record, published_table
from companion.chapter.run import Run, begin
from companion.chapter.tally import counts
