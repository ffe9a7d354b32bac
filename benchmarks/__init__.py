"""How fast it is, beside its peers: `python -m benchmarks` measures, and writes RESULTS.md.

Each module answers one question: its `measure(runs)` returns the rows of one table. `stage.py` has what they stand on,
`table.py` what a figure looks like.
"""
