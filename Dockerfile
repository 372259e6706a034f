# The image of the site: a virtual environment built apart, then only what runs.
ARG PYTHON_IMAGE=python:3.13-slim-trixie

FROM ${PYTHON_IMAGE} AS build
COPY requirements-v1.txt /tmp/requirements.txt
# Bytecode is compiled here, because the account that runs the site may not write it.
RUN python -m venv /opt/practika \
 && /opt/practika/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes --only-binary :all: \
      -r /tmp/requirements.txt \
 && /opt/practika/bin/pip uninstall --yes pip

FROM ${PYTHON_IMAGE}
# The clients are for `manage.py dbshell` and for backups; their security updates matter more than a fixed version.
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install --yes --no-install-recommends postgresql-client sqlite3 tini \
 && rm -rf /var/lib/apt/lists/* \
 && groupadd --gid 10001 practika \
 && useradd --uid 10001 --gid practika --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin practika \
 && install -d -m 0750 -o practika -g practika /app/media /app/state

COPY --from=build /opt/practika /opt/practika
WORKDIR /app
COPY . .

# Fewer malloc arenas keep a process of many threads small.
ENV PATH=/opt/practika/bin:$PATH \
    DJANGO_ENVIRONMENT=production \
    MALLOC_ARENA_MAX=2 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1

# Production refuses to load without these; the values end with this line, and the key is a new one each time.
RUN DJANGO_SECRET_KEY="$(python -c 'import secrets; print(secrets.token_hex(64))')" \
    DJANGO_ALLOWED_HOSTS=localhost DJANGO_ALLOW_SQLITE=True \
    python manage.py collectstatic --noinput --verbosity 0

USER 10001:10001
# Videos live in media, and in S3 mode only while they come in; state is for a SQLite file, if that is wanted.
VOLUME ["/app/media", "/app/state"]
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=4s --start-period=30s --retries=3 CMD ["python", "-c", \
  "import urllib.request as u; u.build_opener(u.ProxyHandler({})).open('http://127.0.0.1:8000/core/health/', timeout=3)"]
ENTRYPOINT ["tini", "--"]
CMD ["gunicorn", "practika_project.wsgi:application", "--bind", "0.0.0.0:8000"]
