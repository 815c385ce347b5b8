"""Models, policies and requests for a first look: the same actions as scripts and people use."""
