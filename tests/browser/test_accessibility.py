"""axe finds nothing to criticize on any page, and no page is wider than its window, whoever looks."""

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser.conftest import DESKTOP, NO_PAGE, PHONE, Visit

pytestmark = pytest.mark.browser

EXERCISE = "Arms on eight counts"
PLAIN = {
    None: ("/accounts/login/", "/accounts/password/reset/", NO_PAGE),
    "ben": (
        "/",
        "/exercises/",
        "/exercises/?q=nothing+like+it",
        "/classes/",
        "/accounts/profile/",
        "/accounts/password/change/",
        "/accounts/email/",
        "/accounts/logout/",
    ),
    "ada": ("/", "/exercises/", "/exercises/create/", "/queue/", "/classes/", "/accounts/profile/"),
    "cyd": ("/", "/exercises/", "/classes/"),
    "admin": ("/",),
}
LOOKS = {
    "phone, light": {"viewport": PHONE, "color_scheme": "light"},
    "desktop, dark": {"viewport": DESKTOP, "color_scheme": "dark"},
}


def exercise(page: Page) -> None:
    page.goto("/exercises/")
    page.get_by_role("link", name=EXERCISE).click()


def attempt(page: Page) -> None:
    exercise(page)
    page.locator("main a[href^='/attempts/']").first.click()


def classroom(page: Page) -> None:
    page.goto("/classes/")
    page.get_by_role("link", name="Tuesday dance").click()


def edit(page: Page) -> None:
    exercise(page)
    page.get_by_role("link", name="Edit", exact=True).click()


def replace_video(page: Page) -> None:
    exercise(page)
    page.get_by_role("link", name="Replace the video").click()


def delete(page: Page) -> None:
    exercise(page)
    page.get_by_role("link", name="Archive", exact=True).click()


def removal(page: Page) -> None:
    classroom(page)
    page.goto(page.locator("a[href$='/removal/']").first.get_attribute("href"))


def comment_edit(page: Page) -> None:
    exercise(page)
    page.get_by_role("link", name="Edit the comment of Ada").click()


def comment_reply(page: Page) -> None:
    exercise(page)
    page.goto(page.get_by_role("link", name="Reply to Ada").first.get_attribute("href"))


def comment_delete(page: Page) -> None:
    exercise(page)
    page.get_by_role("link", name="Delete the comment of Ada").click()


DEEPER: dict[str, tuple[Callable[[Page], None], ...]] = {
    "ben": (exercise, attempt, classroom),
    "ada": (
        exercise,
        attempt,
        classroom,
        edit,
        replace_video,
        delete,
        removal,
        comment_edit,
        comment_reply,
        comment_delete,
    ),
}


def found_on(page: Page) -> list[str]:
    report = Axe().run(page)
    found = [f"{page.url} {report.generate_report()}"] if report.violations_count else []
    too_wide_px = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    return found + ([f"{page.url} is {too_wide_px} px wider than the window"] if too_wide_px > 0 else [])


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("who", PLAIN, ids=str)
def test_axe_finds_nothing_and_every_page_fits_the_window(visit: Visit, who: str | None, look: str) -> None:
    page, found = visit(who, **LOOKS[look]), []
    for address in PLAIN[who]:
        page.goto(address)
        found += found_on(page)
    for go in DEEPER.get(who or "", ()):
        go(page)
        page.wait_for_load_state()
        found += found_on(page)
    assert found == []
