"""Every series that processes count themselves. RUNBOOK.md tells what each means, and a test compares the two.

Labels have few values, all of our own choosing: the name of a route and never its path, a word and never a key.
"""

from core.telemetry.series import Counter, Histogram
from core.telemetry.tally import LOST_KEY

# Around the targets: 50 and 100 ms (health, static), 500 ms and 1 s (list, detail), 5 s (an upload of 10 MB).
REQUEST_BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
CALL_BOUNDS = (0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 15.0)
WORK_BOUNDS = (0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0)

REQUESTS = Counter("practika_requests_total", "Requests answered.", ("route", "method", "status"))
REQUEST_SECONDS = Histogram(
    "practika_request_seconds", "From a request's head to the head of its answer.", REQUEST_BOUNDS, ("route", "method")
)
LOGINS = Counter("practika_logins_total", "Attempts to log in.", ("outcome",))
THROTTLED = Counter("practika_throttled_total", "Refusals because somebody asked too often.", ("route",))
UPLOADS = Counter("practika_uploads_total", "Uploads that began or ended.", ("event", "way"))
UPLOAD_FAILURES = Counter("practika_upload_failures_total", "Uploads that ended without a video.", ("code",))
UPLOAD_BYTES = Counter("practika_upload_bytes_total", "Bytes of videos that came in.", ("way",))
BODIES_REFUSED = Counter("practika_bodies_refused_total", "Senders told to come again, for want of a place.")
UPLOAD_PARTS = Counter("practika_upload_parts_total", "Parts of uploads.", ("outcome",))
PROCESSING_SECONDS = Histogram("practika_processing_seconds", "Work on one video.", WORK_BOUNDS, ("kind", "outcome"))
STORAGE_SECONDS = Histogram(
    "practika_storage_seconds", "Calls of the storage of videos.", CALL_BOUNDS, ("operation", "outcome")
)
DATABASE_SECONDS = Histogram("practika_database_seconds", "Statements of the database.", CALL_BOUNDS, ("outcome",))
CACHE_CALLS = Counter("practika_cache_calls_total", "Calls of the caches.", ("cache", "operation", "outcome"))
SCHEDULED_RUNS = Counter("practika_scheduled_runs_total", "Runs of the schedule's entries.", ("entry", "outcome"))
LOG_LINES_DROPPED = Counter("practika_log_lines_dropped_total", "Log lines that nobody took in time.")
METRICS_LOST = Counter(LOST_KEY[0], "Observations for which a process's file had no room.")
