"""What options may be given: numbers, sizes and JSON, with one clear line for what is neither."""

import math
import re
from typing import Any

import click
import msgspec

_UNITS = {"": 1, "k": 1e3, "m": 1e6, "g": 1e9, "ki": 2**10, "mi": 2**20, "gi": 2**30}
# Sizes are counted in 64 bits, with a sign.
_SIZE_END = 2.0**63


def finite(context: click.Context, option: click.Parameter, value: float | None) -> float | None:
    """Refuse nan and inf, which no comparison would catch later."""
    if value is not None and not math.isfinite(value):
        raise click.BadParameter(f"{value} is no number of use here", context, option)
    return value


class Size(click.ParamType[int]):
    """A number of bytes, such as 500MB or 2GiB."""

    name = "size"

    def convert(self, value: Any, param: Any, ctx: Any) -> int:
        """Return the number of bytes."""
        text = str(value).strip().lower()
        match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(k|m|g|ki|mi|gi)?b?", text)
        size = float(match[1]) * _UNITS[match[2] or ""] if match else 0
        if size < 1:
            self.fail(f"{value!r} is no size: write 500MB or 2GiB", param, ctx)
        if size >= _SIZE_END:
            self.fail("no machine has so many bytes", param, ctx)
        return int(size)


class Json(click.ParamType[Any]):
    """A value in JSON."""

    name = "json"

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        """Return the value."""
        try:
            return msgspec.json.decode(value)
        except (ValueError, RecursionError):
            self.fail(f"{value!r} is not JSON: text needs quotes, '\"a\"'", param, ctx)
