"""PostgreSQL: copied by pg_dump, in the snapshot in which its rows are counted.

# Note [One snapshot]
Rows are counted and pg_dump reads in the same exported snapshot (pg_export_snapshot), so the manifest's numbers are
those of the dump, however much is written meanwhile.
"""

import os
import re
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from core.backup.manifest import POSTGRESQL, Contents
from core.services.backup_contents import Ask, contents_of, has_people, objects_in
from core.services.backup_engines import BackupUnavailable, DatabaseCopy, DatabaseDamaged, DatabaseInUse, Scratch

CONNECT_TIMEOUT_S = 5
# Of our connections' settings these two are for Django alone.
_NOT_LIBPQ = {"pool", "options", "connect_timeout", "isolation_level", "server_side_binding", "assume_role"}
_CREATE_HINT = "scratch databases need a role that may create them: ALTER ROLE … CREATEDB"


class PostgresEngine:
    """The database that `settings` (of a connection) name; needs pg_dump and pg_restore on PATH."""

    def __init__(self, settings: dict[str, Any]):
        self._name = str(settings["NAME"])
        self._password = str(settings.get("PASSWORD") or "")
        given = {"host": settings.get("HOST"), "port": settings.get("PORT"), "user": settings.get("USER")}
        self._where = {key: str(value) for key, value in given.items() if value}
        options = settings.get("OPTIONS") or {}
        self._options = {key: str(value) for key, value in options.items() if key not in _NOT_LIBPQ}

    def copy(self, target: Path) -> DatabaseCopy:
        """Dump it (see Note [One snapshot])."""
        with self._connected(self._name) as database:
            self._check_tool("pg_dump", database)
            database.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            ask = _ask(database)
            snapshot = ask("SELECT pg_export_snapshot()")[0][0]
            contents, objects = contents_of(ask, engine=POSTGRESQL), objects_in(ask)
            said = self._run("pg_dump", self._name, "--format=custom", f"--snapshot={snapshot}", f"--file={target}")
            if said:
                raise BackupUnavailable(f"pg_dump failed: {said}")
            return DatabaseCopy(POSTGRESQL, str(database.info.server_version), contents, objects)

    @contextmanager
    def scratch(self, source: Path, folder: Path) -> Iterator[Scratch]:
        """Restore into a new database of the same server (see Engine)."""
        name = f"practika_drill_{secrets.token_hex(6)}"
        try:
            self._create(name)
            contents, objects = self._restored(source, name)
            yield Scratch(contents, objects, {"DATABASE_URL": self._url(name), "DATABASE_URL_FILE": ""})
        finally:
            self._drop(name)

    def has_people(self) -> bool:
        """Ask the database, if there is one."""
        if not self._exists(self._name):
            return False
        with self._connected(self._name) as database:
            return has_people(_ask(database), engine=POSTGRESQL)

    def replace(self, source: Path, *, expected: Contents, old_name: str) -> str:
        """Restore beside it, then swap the names in one transaction (see Engine)."""
        ready = f"practika_restore_{secrets.token_hex(6)}"
        try:
            self._create(ready)
            contents, _ = self._restored(source, ready)
            if contents != expected:
                raise DatabaseDamaged("The restored database does not hold the rows that the manifest tells.")
            return self._swap(ready, old_name=f"{self._name[:30]}_{old_name}".replace("-", "_"))
        except BaseException:
            self._drop(ready)
            raise

    def _swap(self, ready: str, *, old_name: str) -> str:
        existed = self._exists(self._name)
        with self._connected("postgres") as server:
            try:
                with server.transaction():
                    if existed:
                        server.execute(_rename(self._name, old_name))
                    server.execute(_rename(ready, self._name))
            except psycopg.errors.ObjectInUse as error:
                raise DatabaseInUse from error
        return old_name if existed else ""

    def _restored(self, source: Path, name: str) -> tuple[Contents, list]:
        arguments = ("--exit-on-error", "--single-transaction", "--no-owner", "--no-privileges", str(source))
        if said := self._run("pg_restore", name, *arguments):
            raise DatabaseDamaged(f"pg_restore refused the copy: {said}")
        with self._connected(name) as database:
            ask = _ask(database)
            return contents_of(ask, engine=POSTGRESQL), objects_in(ask)

    def _run(self, tool: str, name: str, *arguments: str) -> str:
        """Return "" when the tool succeeded, else the last line it wrote."""
        conninfo = make_conninfo("", dbname=name, **self._where, **self._options)
        command = [tool, "--no-password", f"--dbname={conninfo}", *arguments]
        done = subprocess.run(command, env=self._environment(), capture_output=True, text=True, errors="replace")
        lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        return lines[-1] if done.returncode else ""

    def _environment(self) -> dict[str, str]:
        """A password in the arguments would be seen in the list of processes."""
        return os.environ | ({"PGPASSWORD": self._password} if self._password else {})

    def _check_tool(self, tool: str, database: psycopg.Connection) -> None:
        """Raise BackupUnavailable when the tool is missing or older than the server, which it refuses to read."""
        try:
            said = subprocess.run([tool, "--version"], capture_output=True, text=True, check=True).stdout
        except (OSError, subprocess.CalledProcessError) as error:
            raise BackupUnavailable(f"{tool} is not on PATH: install PostgreSQL's client programs.") from error
        found = re.search(r"(\d+)[.\d]*", said)
        server = database.info.server_version // 10000
        if not found or int(found[1]) < server:
            raise BackupUnavailable(f"{tool} is older than the server (version {server}): install its client programs.")

    @contextmanager
    def _connected(self, name: str) -> Iterator[psycopg.Connection]:
        where = self._where | self._options | ({"password": self._password} if self._password else {})
        try:
            with psycopg.connect(
                "", dbname=name, autocommit=True, connect_timeout=CONNECT_TIMEOUT_S, **where
            ) as database:  # type: ignore[arg-type]
                yield database
        except psycopg.errors.InsufficientPrivilege as error:
            raise BackupUnavailable(f"PostgreSQL refused ({_first_line(error)}); {_CREATE_HINT}.") from error
        except psycopg.Error as error:
            raise BackupUnavailable(f"The database {name} cannot be used: {_first_line(error)}.") from error

    def _create(self, name: str) -> None:
        with self._connected("postgres") as server:
            server.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))

    def _drop(self, name: str) -> None:
        with self._connected("postgres") as server:
            server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def _exists(self, name: str) -> bool:
        with self._connected("postgres") as server:
            return bool(server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone())

    def _url(self, name: str) -> str:
        """Return the DATABASE_URL of another database of this server."""
        who = quote(self._where.get("user", ""), safe="")
        password = f":{quote(self._password, safe='')}" if self._password else ""
        host, port = quote(self._where.get("host", ""), safe=""), self._where.get("port", "")
        query = f"?{urlencode(self._options)}" if self._options else ""
        return f"postgres://{who}{password}@{host}{f':{port}' if port else ''}/{name}{query}"


def _ask(database: psycopg.Connection) -> Ask:
    return lambda statement: database.execute(statement).fetchall()  # type: ignore[call-overload]


def _rename(name: str, new_name: str) -> sql.Composed:
    return sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(name), sql.Identifier(new_name))


def _first_line(error: psycopg.Error) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
