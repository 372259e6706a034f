"""Views of core; `core.views.health_check` is the name the runbook uses."""

from core.views.ops import health_check

__all__ = ["health_check"]
