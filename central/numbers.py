"""Customers' phone numbers as people write them, and as one number is always written: E.164, as in +919876543210."""

from __future__ import annotations

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat

MAX_CHARACTERS = 40


class NumberError(ValueError):
    """A phone number that is none; the message does not hold it."""


def customer_number(typed: str, region: str | None = None) -> str:
    """The number that somebody typed, in E.164.

    Args:
        typed: with spaces, hyphens, brackets, in any script's digits; with its country, or as within `region`.
        region: the country (ISO 3166-1) of numbers without one.

    Raises:
        NumberError: it cannot be a phone number.
    """
    try:
        number = phonenumbers.parse(typed[:MAX_CHARACTERS], region)
    except NumberParseException:
        raise NumberError("a phone number is written with its country, as in +91 98765 43210") from None
    # Its length alone: which numbers are given out changes from month to month, and what is kept must not.
    if not phonenumbers.is_possible_number(number):
        raise NumberError("this cannot be a phone number: it has too few or too many digits")
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)
