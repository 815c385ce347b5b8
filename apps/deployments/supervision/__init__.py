"""`slipway serving`: brings what runs to what is wanted, again and again (docs/adr/0012)."""
