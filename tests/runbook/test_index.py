"""The runbook's first table leads to every section about trouble, and every link of the runbook to a section."""

import re

from tests.runbook.document import RUNBOOK
from tests.runbook.test_alerts import ALERTS, anchor_of

LINKS = set(re.findall(r"\]\(#([^)]+)\)", RUNBOOK))
INDEX = set(re.findall(r"\]\(#([^)]+)\)", RUNBOOK.split("\n## ")[1]))
AFTER_AN_INCIDENT = {"afterward"}


def sections(chapter):
    """Return the anchors of a chapter's sections."""
    body = re.search(rf"^## {chapter}\n(.*?)(?=^## )", RUNBOOK, re.MULTILINE | re.DOTALL)[1]
    return {anchor_of(title) for title in re.findall(r"^### (.+)$", body, re.MULTILINE)}


def test_every_link_leads_to_a_section():
    assert {anchor_of(title) for title in re.findall(r"^#+ (.+)$", RUNBOOK, re.MULTILINE)} >= LINKS


def test_the_first_table_leads_to_every_section_about_trouble_and_wherever_an_alert_leads():
    alerts = {rule["annotations"]["runbook"].removeprefix("RUNBOOK.md#") for rule in ALERTS}
    assert sections("Incidents") | sections("Troubleshooting") | alerts <= INDEX | AFTER_AN_INCIDENT
