"""Taking a team elsewhere: what is here is read in the shapes of an import, and written as MLflow keeps it."""
