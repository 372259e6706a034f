"""What waits in the queue of tasks. A task names a job; the job's row says what is true."""

from uuid import UUID

from django_tasks import task

from core.services.rendering import run_job


@task()
def process(job_id: str) -> None:
    """Do a ProcessingJob, if it still waits; delivered twice, it is done once."""
    run_job(job_id=UUID(job_id))
