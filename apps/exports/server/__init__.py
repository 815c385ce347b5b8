"""A live server, told by the protocol's own calls. It gives ids of its own: the old ones are kept as tags."""
