"""What a project's source says: folders, archives and repositories, which may be hostile, and what is read there."""
