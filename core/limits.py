"""How often something may be done, as operators write it: `10/5m`."""

import re
from dataclasses import dataclass
from typing import Self

UNITS_MS = {"s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
WRITTEN = re.compile(r"([1-9][0-9]{0,5})/([1-9][0-9]{0,3})?([smhd])")


@dataclass(frozen=True)
class Limit:
    """At most `amount` times at once; what was used comes back evenly, all of it within `period_ms`."""

    amount: int
    period_ms: int

    @classmethod
    def read(cls, written: str) -> Self:
        """Return the limit of `10/5m` (ten in five minutes; s, m, h, d); raises ValueError for anything else."""
        found = WRITTEN.fullmatch(written)
        if not found:
            raise ValueError(written)
        return cls(int(found[1]), int(found[2] or 1) * UNITS_MS[found[3]])

    @property
    def interval_ms(self) -> int:
        """Return after how long one of them comes back; at least 1."""
        return max(1, self.period_ms // self.amount)
