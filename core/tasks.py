"""What waits in the queue of tasks. A task names a job; the job's row says what is true."""

from uuid import UUID

from django_tasks import task


@task()
def process(job_id: str) -> None:
    """Do a ProcessingJob, if it still waits; delivered twice, it is done once."""
    from core.services.rendering import run_job  # whatever does a job may queue the next one, and so imports this

    run_job(job_id=UUID(job_id))
