"""What may name a thing: our own ids, the keys people choose, the ids clients send."""

import re
import uuid

import uuid_utils
from django.core.validators import RegexValidator
from uuid_utils.compat import uuid7

KEY_PATTERN = r"^[a-z0-9][a-z0-9._-]{0,63}$"
ID_BYTES = 200
# control, format and separator characters, lone surrogates, private use: two ids that look alike must be alike
INVISIBLE = (
    r"\u0000-\u001f\u007f-\u00a0\u00ad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160\u1680\u17b4"
    r"\u17b5\u180b-\u180f\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\u3164\ud800-\uf8ff\ufe00-\ufe0f\ufeff\uffa0"
    # the characters themselves, since an escape of eight digits is read by Python alone
    r"\ufff0-\uffff"
    "\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U0010ffff"
)
# a dollar alone also matches before a line break at the end
ID_PATTERN = rf"^[^ {INVISIBLE}]([^{INVISIBLE}]*[^ {INVISIBLE}])?$(?!\n)"

valid_key = RegexValidator(KEY_PATTERN, "Use 1 to 64 small letters, digits, dots, hyphens and underscores.")


def new_id() -> uuid.UUID:
    """Return a UUIDv7: sorts by the time it was made."""
    return uuid7()


def new_id_text() -> str:
    """Return one as text, where nothing is done with it but to store and to say it."""
    return str(uuid_utils.uuid7())


def check_key(key: str) -> str:
    """Return the key, or say what a key may be."""
    if not re.fullmatch(KEY_PATTERN, key):
        raise ValueError(f"{key!r} is no key: use 1 to 64 small letters, digits, dots, hyphens and underscores")
    return key
