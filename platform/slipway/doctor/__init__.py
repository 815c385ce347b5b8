"""`slipway doctor`: whether an installation is well, part by part, and what to do where it isn't.

It stands here and not in an app: it looks at what all apps need. Whether a part answers is asked as `/health/ready`
asks it (`apps.core.checks`).
"""
