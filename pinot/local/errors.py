"""Errors of a local stack."""


class StackError(RuntimeError):
    """The local stack cannot do what was requested; the text says why and what to do."""
