"""Triggers that keep the audit trail append-only: its address and its actor may be forgotten, nothing else changes."""

from django.db import migrations

KEPT = ("id", "at", "actor_label", "action", "object_type", "object_id", "classroom_id", "request_id", "detail")

SQLITE = [
    f"""CREATE TRIGGER audit_no_update BEFORE UPDATE OF {", ".join(KEPT)} ON core_auditevent
    BEGIN SELECT RAISE(ABORT, 'The audit trail is append-only.'); END""",
    """CREATE TRIGGER audit_only_forgets BEFORE UPDATE OF address, actor_id ON core_auditevent
    WHEN (NEW.address IS NOT NULL AND NEW.address IS NOT OLD.address)
      OR (NEW.actor_id IS NOT NULL AND NEW.actor_id IS NOT OLD.actor_id)
    BEGIN SELECT RAISE(ABORT, 'The audit trail is append-only.'); END""",
    """CREATE TRIGGER audit_no_delete BEFORE DELETE ON core_auditevent
    BEGIN SELECT RAISE(ABORT, 'The audit trail is append-only.'); END""",
]

POSTGRESQL = [
    f"""CREATE FUNCTION audit_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF TG_OP = 'DELETE'
        OR ({", ".join(f"NEW.{column}" for column in KEPT)}) IS DISTINCT FROM ({", ".join(f"OLD.{column}" for column in KEPT)})
        OR (NEW.address IS NOT NULL AND NEW.address IS DISTINCT FROM OLD.address)
        OR (NEW.actor_id IS NOT NULL AND NEW.actor_id IS DISTINCT FROM OLD.actor_id)
      THEN RAISE EXCEPTION 'The audit trail is append-only.'; END IF;
      RETURN NEW;
    END $$""",
    """CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON core_auditevent
    FOR EACH ROW EXECUTE FUNCTION audit_append_only()""",
]


def create_triggers(apps, schema_editor):
    statements = {"sqlite": SQLITE, "postgresql": POSTGRESQL}[schema_editor.connection.vendor]
    for statement in statements:
        schema_editor.execute(statement.replace("%", "%%"))


class Migration(migrations.Migration):
    dependencies = [("core", "0002_cache_table")]
    operations = [migrations.RunPython(create_triggers, migrations.RunPython.noop)]
