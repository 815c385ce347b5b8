"""`python -m slipway.cli`: how one of our processes starts another."""

from slipway.cli import main

main()
