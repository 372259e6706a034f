"""What Ada sees before she scrolls: the whole player, and a filter that ends at the window's edge."""

import pytest

from tests.browser.conftest import DESKTOP, PHONE

pytestmark = pytest.mark.browser
NARROW = {"width": 800, "height": 900}


@pytest.mark.parametrize("viewport", [PHONE, NARROW, DESKTOP], ids=["phone", "narrow", "desktop"])
@pytest.mark.parametrize("name", ["Arms on eight counts", "Side steps in time"])
def test_the_controls_of_the_player_are_all_on_the_first_screen(visit, name, viewport):
    page = visit("ada", viewport=viewport)
    page.goto("/exercises/")
    page.get_by_role("link", name=name).click()
    deck = page.get_by_role("group", name="Practice tools").bounding_box()
    bar = page.get_by_role("navigation", name="Main").bounding_box()
    lowest = bar["y"] if bar["y"] > viewport["height"] / 2 else viewport["height"]
    assert deck["y"] + deck["height"] <= lowest


def test_the_states_on_a_phone_scroll_to_the_edge_of_the_window(visit):
    page = visit("ada", viewport=PHONE)
    page.goto("/exercises/")
    states = page.get_by_role("navigation", name="States")
    width = page.locator("body").bounding_box()["width"]
    assert states.bounding_box()["width"] == width
    archived = states.get_by_role("link", name="Archived")
    archived.scroll_into_view_if_needed()
    archived.click()
    assert "No exercise fits." in page.locator("main").inner_text()
