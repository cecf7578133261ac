"""Problem details (RFC 9457) for requests that cannot be served, with one entry per invalid field.

The messages name the field's limits instead of the validation library's error codes.
"""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, NamedTuple

import orjson
from pydantic import ValidationError
from pydantic_core import ErrorDetails

MAX_ENTRIES = 50
"""Maximum number of invalid fields reported: `points` can hold a hundred thousand."""
REASONS = "reasons"
"""Name of the reasons in an error's context, if a field has several."""

WORDS = {
    "bool_parsing": "must be true or false",
    "bool_type": "must be true or false",
    "date_from_datetime_parsing": "must be a date and time in ISO 8601, such as 2027-05-01T09:00:00Z",
    "datetime_from_date_parsing": "must be a date and time in ISO 8601, such as 2027-05-01T09:00:00Z",
    "datetime_object_invalid": "must be a date and time in ISO 8601, such as 2027-05-01T09:00:00Z",
    "datetime_parsing": "must be a date and time in ISO 8601, such as 2027-05-01T09:00:00Z",
    "datetime_type": "must be a date and time in ISO 8601, such as 2027-05-01T09:00:00Z",
    "extra_forbidden": "is not a field of this request",
    "finite_number": "must be a finite number",
    "float_parsing": "must be a number",
    "float_type": "must be a number",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "int_from_float": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_parsing_size": "is too large a number",
    "int_type": "must be a whole number",
    "less_than_equal": "must be at most {le}",
    "list_type": "must be a list",
    "literal_error": "must be {expected}",
    "missing": "is required",
    "model_type": "must be a JSON object",
    "string_pattern_mismatch": "must be {pattern}",
    "string_too_long": "must have at most {max_length} characters",
    "string_too_short": "must have at least {min_length} character",
    "string_type": "must be a string",
    "string_unicode": "must be a string of valid Unicode characters",
    "timezone_aware": "must include a time zone: end it with Z or an offset such as +01:00",
    "too_long": "must have at most {max_length} entries",
    "too_short": "must have at least {min_length} entries",
    "tuple_type": "must be a pair of numbers: longitude, latitude",
}
PATTERNS = {
    "^[A-Za-z0-9_-]{1,64}$": "1 to 64 of the characters A-Z a-z 0-9 _ -",
    "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$": "1 to 64 of the characters A-Z a-z 0-9 _ -, a letter or digit first",
}


class Wrong(NamedTuple):
    """An invalid field and its error message."""

    field: str
    detail: str


class Problem(Exception):  # noqa: N818 - RFC 9457's word
    """An error response."""

    def __init__(self, status: HTTPStatus, detail: str, errors: Sequence[Wrong] = ()) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = errors

    def body(self) -> bytes:
        """Return the problem details as JSON."""
        details: dict[str, Any] = {
            "type": "about:blank",
            "title": self.status.phrase,
            "status": self.status.value,
            "detail": self.detail,
        }
        if self.errors:
            details["errors"] = [wrong._asdict() for wrong in self.errors]
        return orjson.dumps(details)


def invalid(errors: Sequence[Wrong]) -> Problem:
    """Return the 422 for invalid fields."""
    first = [f"{wrong.field} {wrong.detail}" if wrong.field else wrong.detail for wrong in errors[:3]]
    more = f"; and {len(errors) - 3} more" if len(errors) > 3 else ""
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "; ".join(first) + more, errors)


def several(reasons: Sequence[str]) -> dict[str, Any]:
    """Return the context of a PydanticCustomError for a field that is wrong in several places."""
    return {"why": reasons[0], REASONS: list(reasons)}


def from_validation(error: ValidationError) -> Problem:
    """Convert a pydantic validation error: 400 for malformed JSON, else 422."""
    details = error.errors(include_url=False)
    if details[0]["type"] == "json_invalid":
        why = str(details[0].get("ctx", {}).get("error", "it cannot be parsed"))
        return Problem(HTTPStatus.BAD_REQUEST, f"The body is not valid JSON: {why}")
    # A default computed from an invalid field is not an error of its own.
    own = [detail for detail in details if detail["type"] != "default_factory_not_called"]
    return invalid([wrong for detail in own for wrong in _wrong(detail)][:MAX_ENTRIES])


def flag_sentences(error: ValidationError) -> str:
    """Return the errors in command-line flags, one line each."""
    return "\n".join(
        # An error without a field is about a combination of fields; one in a list is about one of its flags.
        f"--{wrong.field.partition('[')[0].replace('_', '-')} {wrong.detail}" if wrong.field else wrong.detail
        for wrong in from_validation(error).errors
    )


def _wrong(detail: ErrorDetails) -> list[Wrong]:
    context = {name: _number(value) for name, value in detail.get("ctx", {}).items()}
    reasons: Any = context.get(REASONS)
    if reasons is not None:
        return [Wrong(_path(detail["loc"]), reason) for reason in reasons]
    if "pattern" in context:
        context["pattern"] = PATTERNS.get(str(context["pattern"]), f"of the form {context['pattern']}")
    words = WORDS.get(detail["type"])
    return [Wrong(_path(detail["loc"]), words.format(**context) if words else detail["msg"])]


def _number(value: object) -> object:
    """Format a limit for people: 100,000 and 0.1, not 100000.0."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return f"{value:,}" if isinstance(value, int | float) else value


def _path(location: tuple[int | str, ...]) -> str:
    """Return the path of a field, such as `points[3][0]`."""
    path = ""
    for step in location:
        path += f"[{step}]" if isinstance(step, int) else f"{'.' if path else ''}{step}"
    return path
