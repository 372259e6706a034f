"""What people see before they scroll: the whole player, and a filter that ends at the window's edge."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import DESKTOP, PHONE

pytestmark = pytest.mark.browser
NARROW = {"width": 800, "height": 900}
# The names of the visible buttons that reach beyond the player they belong to.
CUT_OFF = """(pair) => [...pair.querySelectorAll(".player")].flatMap((player) => {
  const end = player.getBoundingClientRect().right;
  const tools = [...player.querySelectorAll("button, select")].filter((tool) => tool.checkVisibility());
  return tools.filter((tool) => tool.getBoundingClientRect().right > end).map((tool) => tool.ariaLabel ?? tool.title);
})"""


@pytest.mark.parametrize(
    ("who", "viewport"),
    [("ada", PHONE), ("ada", NARROW), ("ada", DESKTOP), ("ben", PHONE)],  # Ben's state stands below the title
    ids=["phone", "narrow", "desktop", "learner"],
)
@pytest.mark.parametrize("name", ["Arms on eight counts", "Side steps in time"])
def test_the_controls_of_the_player_are_all_on_the_first_screen(visit, name, who, viewport):
    page = visit(who, viewport=viewport)
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
    expect(archived).to_be_in_viewport(ratio=1)
    assert page.evaluate("scrollY") == 0


@pytest.mark.parametrize("shapes", ["", "pair--tall-wide", "pair--wide-tall"])
def test_two_players_side_by_side_show_every_tool_at_any_width(visit, shapes):
    page = visit("ada")
    page.goto("/queue/")
    page.get_by_role("listitem").filter(has_text="Arms on eight counts").get_by_role("link").first.click()
    pair = page.locator(".pair")
    expect(pair.get_by_role("group", name="Practice tools")).to_have_count(2)
    pair.evaluate("(pair, shapes) => shapes && pair.classList.add(shapes)", shapes)
    for width in (320, 390, 640, 820, 960, 1024, 1200, 1280, 1680):
        page.set_viewport_size({"width": width, "height": 800})
        assert pair.evaluate(CUT_OFF) == [], f"at {width} px"
