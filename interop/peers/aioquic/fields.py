"""The fields that make a header list large: x-field-N with the 90 digits of N."""


def large_fields(count: int):
    return [(f"x-field-{n}".encode(), f"{n:090}".encode()) for n in range(count)]


def flat(headers):
    """The last value of each name, pseudo-headers left out, and how many of the fields above there were."""
    last = {}
    fields = 0
    for name, value in headers or []:
        if name.startswith(b"x-field-") and value == b"%090d" % int(name[8:]):
            fields += 1
        elif not name.startswith(b":"):
            last[name.decode("latin1")] = value.decode("latin1")
    return last, fields
