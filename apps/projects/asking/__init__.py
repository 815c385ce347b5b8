"""What may be asked for, of a project and of a run, whoever asks."""
