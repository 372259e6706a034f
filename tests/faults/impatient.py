"""The site, with a second of patience for senders who stop."""

import core.body
from practika_project.wsgi import application

__all__ = ["application"]

core.body.STALL_S = 1
