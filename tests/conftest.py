"""How Hypothesis draws: the same examples in each `make test`, new ones in `make test-long`."""

from hypothesis import settings

settings.register_profile("same", deadline=None, derandomize=True)
settings.register_profile("new", deadline=None, print_blob=True)
settings.load_profile("same")
