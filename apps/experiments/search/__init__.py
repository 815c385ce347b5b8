"""The protocol's filter and order language: text to a tree (`parser`), a tree to SQL (`runs`, `experiments`, ...).

Nothing here filters in Python, and no text of a caller becomes part of a statement: values are bound, and fields are
looked up in the tables of `grammars`.
"""
