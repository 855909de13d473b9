"""When the console turns what is not hedged amber and red, as a table of a profile."""

from decimal import Decimal
from typing import Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from console.concern import SECOND_NS, Thresholds
from console.config.numbers import Amount, Whole
from console.config.table import Table


class UnhedgedTable(Table):
    """When an unhedged balance turns amber and red: both its worth and its age must be reached."""

    amber_notional: Amount = Field(default_factory=lambda: Decimal(25))
    """Quote units."""
    amber_age_s: Whole = 3
    """Seconds that it has waited."""
    red_notional: Amount = Field(default_factory=lambda: Decimal(250))
    """Quote units; the bell rings as well."""
    red_age_s: Whole = 15
    """Seconds that it has waited."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.red_notional < self.amber_notional or self.red_age_s < self.amber_age_s:
            text, key = "red is no less than amber", "red_notional"
            raise PydanticCustomError("together", "{text}", {"text": text, "key": (key,)})
        return self

    @property
    def thresholds(self) -> Thresholds:
        """As the console keeps them."""
        return Thresholds(
            amber_notional=self.amber_notional, amber_age_ns=self.amber_age_s * SECOND_NS,
            red_notional=self.red_notional, red_age_ns=self.red_age_s * SECOND_NS,
        )  # fmt: skip
