"""Bringing other tracking servers over: their stores are read here, and written through the apps that own the rows."""
