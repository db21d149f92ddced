"""Names, texts and numbers as SQL writes them."""


def identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def double(number: float) -> str:
    # as text, since a plain literal would be a decimal
    return f"'{float(number)!r}'::DOUBLE"
