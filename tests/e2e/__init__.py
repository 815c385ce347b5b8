"""The promises of the README, kept on real servers by real clients and real browsers."""
