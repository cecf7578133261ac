"""What can go wrong with a local stack."""


class StackError(RuntimeError):
    """The local stack can't do what was asked; the text says why, and what helps."""
