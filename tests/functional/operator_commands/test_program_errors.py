"""A command tells of a database that cannot be used in a sentence; for what the program asks wrongly there is none."""

import pytest
from django.db import DatabaseError, connection, transaction

from manage import is_not_usable


@pytest.mark.one_stack("production", why="SQLite has one kind of error for both")
@pytest.mark.parametrize(
    ("statement", "expected"),
    [("SELECT 1 FROM never_migrated", True), ("SELECT no_column FROM accounts_user", False), ("SELEC 1", False)],
)
@pytest.mark.django_db
def test_only_a_table_that_is_missing_tells_of_the_database(statement, expected):
    with pytest.raises(DatabaseError) as met, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert is_not_usable(met.value) is expected
