"""Ours and its peers under the same load, in turn, on one machine: `uv run --group client python -m tests.benchmarks`.

Figures of one machine mean little; the ratios between servers in one run mean something. A peer is a class in
`peers.py`, a workload a class in `workloads.py`; each workload checks the answers that it counts.
"""
