"""What Impact refuses, with a stable code, the value in the message, and the remedy."""


class Refusal(Exception):
    """Something that can't be done as asked.

    The code is stable and looked up in ``impact/config/problems.py``; the pointer is a JSON pointer to
    the field, if one is to blame.
    """

    def __init__(self, code: str, detail: str, pointer: str = "") -> None:
        super().__init__(detail)
        self.code, self.detail, self.pointer = code, detail, pointer


class Missing(Refusal):
    """No such thing in this workspace; another workspace's answers alike."""

    def __init__(self, what: str, key: str, pointer: str = "") -> None:
        super().__init__("not-found", f"There is no {what} {key!r} in this workspace.", pointer)


class Invalid(Refusal):
    """Wrong whatever may be declared later: rejected, where other refused facts are kept in quarantine."""
