"""Where a page leads on: to what it leaves out, and to what has come since."""

import pytest

from tests import factories

ALL_OF_CLASS = '<a class="text-link" href="/exercises/?classroom={}">All exercises of this class'


@pytest.mark.parametrize(("others", "leads_on"), [(11, False), (12, True)])
def test_a_class_page_leads_to_the_exercises_it_leaves_out(others, leads_on, ben, exercise, classroom, as_user):
    factories.copies(exercise, classroom, others)
    page = as_user(ben).get(f"/classes/{classroom.pk}/").content.decode()
    assert page.count("card__link") == 12
    assert (ALL_OF_CLASS.format(classroom.pk) in page) == leads_on
