"""The log of a run in a real browser, while another process writes it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.browser import chromium, overflow, signed_in
from tests.e2e.log_writer import Writing, writing
from tests.servers import ADMIN_PASSWORD, Server

pytestmark = pytest.mark.browser
COLOURS = "\x1b[32mINFO\x1b[0m it \x1b[1;38;5;208mburns\x1b[0m <script>document.title = 'broken'</script>\n"
ENDS = "() => { const v = document.querySelector('.log-view'); return v.scrollHeight - v.scrollTop - v.clientHeight }"
# How each colour of terminals stands out from the panel, in both themes.
CONTRASTS = """() => {
  const number = (text) => text.match(/[\\d.]+/g).slice(0, 3).map(Number);
  const light = (rgb) => rgb.map((v) => v / 255).map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, at) => sum + v * [0.2126, 0.7152, 0.0722][at], 0);
  const rgb = (colour) => {
    const pen = document.createElement("canvas").getContext("2d");
    pen.fillStyle = colour;
    pen.fillRect(0, 0, 1, 1);
    return [...pen.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const text = document.createElement("span");
  document.querySelector(".log-text").append(text);
  const panel = light(number(getComputedStyle(document.querySelector(".panel")).backgroundColor));
  const ratios = [];
  for (const names of [...Array(16).keys()].flatMap((n) => [`ansi-${n}`, `ansi-${n} ansi-back ansi-back-${n}`])
    .concat(["ansi-dim", "ansi-inverse", "log-tail", "log-number"])) {
    text.className = names;
    const style = getComputedStyle(text);
    const back = style.backgroundColor.startsWith("rgba(0, 0, 0, 0") ? panel : light(rgb(style.backgroundColor));
    const front = light(rgb(style.color));
    ratios.push([names, (Math.max(front, back) + 0.05) / (Math.min(front, back) + 0.05)]);
  }
  text.remove();
  return ratios.filter(([, ratio]) => ratio < 4.5);
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as one:
        yield one


@pytest.fixture
def run(up: Server) -> Iterator[Writing]:
    with writing(up) as one:
        yield one


def open_log(page: Any, run: Writing, fragment: str = "") -> None:
    page.goto(f"/project-runs/{run.key}/{fragment}")
    page.locator("slipway-log .live[data-state=on]").wait_for()


def line(page: Any, number: int) -> Any:
    return page.locator(f"#L{number} .log-text")


def test_lines_come_live_with_their_colours(up: Server, browser: Any, run: Writing) -> None:
    with signed_in(browser, up, "admin", ADMIN_PASSWORD) as page:
        open_log(page, run)
        assert page.get_by_text("Nothing was written yet.").is_visible()
        run.write(COLOURS + "\r 10%|#   | 1/10")
        line(page, 1).wait_for()
        assert line(page, 1).text_content() == "INFO it burns <script>document.title = 'broken'</script>\n"
        assert page.locator("#L1 .ansi-2").text_content() == "INFO"
        assert page.locator("#L1 .ansi-bold.ansi-11").text_content() == "burns"
        page.locator(".log-tail", has_text="10%|#   | 1/10").wait_for()
        run.write("\r 20%|##  | 2/10\n")
        line(page, 2).wait_for()
        assert line(page, 2).text_content() == " 20%|##  | 2/10\n"
        run.write("the last")
        run.end()
        page.locator("slipway-log[data-run=finished]").wait_for()
        page.locator("#run-pill", has_text="Finished").wait_for()
        page.locator("slipway-log .live").wait_for(state="hidden")
        assert page.get_by_role("log", name="Log").is_visible()


def test_it_stays_at_the_end_unless_somebody_reads(up: Server, browser: Any, run: Writing) -> None:
    run.write("a line\n", 300)
    with signed_in(browser, up, "admin", ADMIN_PASSWORD) as page:
        open_log(page, run)
        run.write("more\n", 300)
        line(page, 600).wait_for()
        wait_until(page, f"({ENDS})() < 3")
        page.locator(".log-view").hover()
        page.mouse.wheel(0, -600)
        jump = page.get_by_role("button", name="Jump to the end")
        jump.wait_for()
        run.write("and more\n", 300)
        line(page, 900).wait_for(state="attached")
        assert page.evaluate(ENDS) > 1000
        jump.click()
        wait_until(page, f"({ENDS})() < 3")
        assert jump.is_hidden()


def wait_until(page: Any, condition: str) -> None:
    """The page's security policy forbids what Playwright's own waiting evaluates."""
    for _ in range(1200):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(50)
    raise AssertionError(condition)


def test_a_line_has_an_address(up: Server, browser: Any, run: Writing) -> None:
    run.write("some words in a line of the log\n", 5000)
    with signed_in(browser, up, "admin", ADMIN_PASSWORD) as page:
        open_log(page, run, "#L1234")
        page.locator("#L1234.is-target").wait_for()
        assert page.locator("#L1234").is_visible()
        wait_until(
            page,
            "(() => { const b = document.querySelector('#L1234').getBoundingClientRect(); "
            "return b.top > 0 && b.bottom < innerHeight })()",
        )
        page.locator("#L1236 .log-number").click()
        page.locator("#L1236.is-target").wait_for()
        assert page.url.endswith("#L1236")
        page.goto(f"/project-runs/{run.key}/")
        assert "are not shown" in page.locator(".log-note").inner_text()
        while page.get_by_role("button", name="Show earlier lines").is_visible():
            before = page.locator(".log-line").count()
            page.get_by_role("button", name="Show earlier lines").click()
            wait_until(page, f"document.querySelectorAll('.log-line').length > {before}")
        assert line(page, 1).text_content() == "some words in a line of the log\n"
        assert page.locator(".log-line").count() == 5000


def test_a_flood_leaves_the_page_alive(up: Server, browser: Any, run: Writing) -> None:
    with signed_in(browser, up, "admin", ADMIN_PASSWORD) as page:
        open_log(page, run)
        for _ in range(10):
            run.write("0123456789 some words of a line that is not long\n", 20_000)
        run.write("the last line\n")
        line(page, 200_001).wait_for(timeout=60_000)
        assert page.locator(".log-line").count() <= 20_000
        assert "are not shown" in page.locator(".log-note").inner_text()
        wait_until(page, f"({ENDS})() < 3")


def test_searching(up: Server, browser: Any, run: Writing) -> None:
    run.write("epoch\n", 100)
    run.write("a \x1b[31mNee\x1b[0mdle\n")
    run.write("epoch\n", 100)
    run.write("needle two needles\n")
    with signed_in(browser, up, "admin", ADMIN_PASSWORD) as page:
        open_log(page, run)
        field = page.get_by_role("searchbox", name="Search in the log")
        field.fill("needle")
        field.press("Enter")
        page.locator("#L101.is-found").wait_for()
        assert page.locator(".log-found").text_content() == "1 of 2"
        assert page.evaluate("CSS.highlights.get('slipway-log').size") == 1
        field.press("Enter")
        page.locator("#L202.is-found").wait_for()
        assert page.evaluate("[...CSS.highlights.get('slipway-log')].map(String).join()") == "needle,needle"
        field.press("Shift+Enter")
        page.locator("#L101.is-found").wait_for()
        field.fill("none of these")
        field.press("Enter")
        assert page.locator(".log-found").text_content() == "Not found"
        assert page.evaluate("window.find('needle two')")


def test_times_and_wrapping_are_remembered(up: Server, browser: Any, run: Writing) -> None:
    run.write("a long line " * 60 + "\n")
    wide = "(() => { const v = document.querySelector('.log-view'); return v.scrollWidth > v.clientWidth })()"
    with signed_in(browser, up, "admin", ADMIN_PASSWORD, timezone_id="Asia/Shanghai") as page:
        open_log(page, run)
        assert not page.evaluate(wide)
        page.get_by_role("button", name="Wrap").click()
        assert page.evaluate(wide)
        page.get_by_label("Times").select_option("clock")
        stamp = page.locator("#L1 .log-number").get_attribute("title")
        hour = (int(stamp[11:13]) + 8) % 24
        shown = "getComputedStyle(document.querySelector('#L1 .log-number'), '::after').content"
        assert page.evaluate(shown) == f'"{hour:02}{stamp[13:23]}"'
        page.reload()
        assert page.evaluate(wide)
        page.get_by_label("Times").select_option("since")
        assert page.evaluate(shown).startswith('"+')
        page.get_by_role("log").focus()
        assert page.evaluate("document.activeElement.className").startswith("log-view")


def test_without_a_socket_it_asks(up: Server, browser: Any, run: Writing) -> None:
    with signed_in(browser, up, "admin", ADMIN_PASSWORD) as page:
        page.route_web_socket("**/ws/project-runs/**", lambda socket: socket.close())
        page.goto(f"/project-runs/{run.key}/")
        page.locator("slipway-log .live[data-state=polling]").wait_for(timeout=20_000)
        run.write("a line of some length for polling\n", 20_000)
        line(page, 20_000).wait_for(timeout=30_000)
        run.end()
        page.locator("slipway-log[data-run=finished]").wait_for()


def test_without_scripts_it_is_text(up: Server, browser: Any, run: Writing) -> None:
    run.write(COLOURS)
    with signed_in(browser, up, "admin", ADMIN_PASSWORD, java_script_enabled=False) as page:
        page.goto(f"/project-runs/{run.key}/")
        assert "INFO it burns <script>" in page.locator(".log-plain").inner_text()
        assert page.get_by_role("searchbox", name="Search in the log").is_hidden()
        with page.expect_download() as begun:
            page.get_by_role("link", name="Download").click()
        assert begun.value.suggested_filename == f"iris-{run.key}.log"


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_it_fits_and_can_be_read(up: Server, browser: Any, run: Writing, theme: str, width: int) -> None:
    run.write(COLOURS + "x" * 3000 + "\n[slipway] said\n")
    size = {"width": width, "height": 844}
    with signed_in(browser, up, "admin", ADMIN_PASSWORD, viewport=size, color_scheme=theme) as page:
        open_log(page, run)
        assert overflow(page) <= 0
        page.get_by_role("button", name="Wrap").click()
        assert overflow(page) <= 0
        assert page.evaluate(CONTRASTS) == []
