"""What every table of a configuration has in common."""

from pydantic import BaseModel, ConfigDict


class Table(BaseModel):
    """A table of the file: no other keys than its fields, which the docstrings under them describe."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)
