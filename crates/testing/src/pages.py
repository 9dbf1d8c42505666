"""Uses a page as a person would, in headless Chromium, and prints what was seen, as JSON.

Arguments: the browser's program, the page's address, and in this order where they are given a picture to drop and weights
to drop. Needs the package playwright.
"""

import base64
import json
import math
import pathlib
import statistics
import sys
import urllib.parse

from playwright.sync_api import sync_playwright

program, address, *files = sys.argv[1:]
picture, weights = (files + [None, None])[:2]
# So many milliseconds are not noticed; a page that needs longer is drawn on so many times.
SOON, DRAWINGS = 30, 6
# From a stroke until what the network made of it is on its way to the screen, and until it is painted onto the page.
WATCH = """() => {
  window.strokes = [[], []];
  const element = document.querySelector('.pane');
  new MutationObserver(() => {
    const milliseconds = Number(element.dataset.milliseconds), painted = performance.now();
    window.strokes[1].push(milliseconds);
    requestAnimationFrame(() => window.strokes[0].push(milliseconds + performance.now() - painted));
  }).observe(element, { attributeFilter: ['data-milliseconds'] });
}"""
DROP = """([name, text]) => {
  const bytes = Uint8Array.from(atob(text), c => c.charCodeAt(0)), transfer = new DataTransfer();
  transfer.items.add(new File([bytes], name));
  window.dispatchEvent(new DragEvent('drop', { dataTransfer: transfer, cancelable: true }));
}"""


def answer(page, pane=0):
    return page.locator(".answer").nth(pane).locator("li .class").first.inner_text()


def draw(page, points):
    box = page.locator("#pad").bounding_box()
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
    page.mouse.move(*places[0])
    page.mouse.down()
    before = places[0]
    for place in places[1:]:
        for part in range(1, 13):
            page.mouse.move(*[a + (b - a) * part / 12 for a, b in zip(before, place)])
            page.wait_for_timeout(16)
        before = place
    page.mouse.up()
    page.wait_for_timeout(200)


def drop(page, file):
    path = pathlib.Path(file)
    page.evaluate(DROP, [path.name, base64.b64encode(path.read_bytes()).decode()])


with sync_playwright() as playwright:
    browser = playwright.chromium.launch(executable_path=program)
    page = browser.new_page(viewport={"width": 1440, "height": 1000})
    errors, elsewhere = [], []
    host = urllib.parse.urlparse(address).netloc
    page.on("console", lambda message: message.type == "error" and errors.append(message.text))
    page.on("pageerror", lambda error: errors.append(str(error)))
    schemes = ("data", "blob")
    page.on(
        "request",
        lambda request: urllib.parse.urlparse(request.url).netloc != host
        and urllib.parse.urlparse(request.url).scheme not in schemes
        and elsewhere.append(request.url),
    )
    page.goto(address)
    page.wait_for_selector(".answer li")
    seen = {}

    page.evaluate(WATCH)
    # Other work on the machine makes strokes slower and never faster: of a few drawings the fastest counts.
    seen["milliseconds"] = seen["computing"] = math.inf
    for _ in range(DRAWINGS):
        page.evaluate("() => (window.strokes = [[], []])")
        draw(page, [(0.3, 0.2), (0.72, 0.2), (0.45, 0.85)])
        painted, computed = page.evaluate("() => window.strokes")
        seen["strokes"] = len(painted)
        seen["milliseconds"] = min(seen["milliseconds"], statistics.median(painted))
        seen["computing"] = min(seen["computing"], statistics.median(computed))
        if seen["milliseconds"] < SOON:
            break
    seen["drawn"] = answer(page)

    # The arithmetic of a number, by keyboard; Escape closes it.
    page.locator(".sheet[tabindex]").first.focus()
    page.keyboard.press("ArrowRight")
    seen["arithmetic"] = page.locator(".arithmetic:not([hidden])").inner_text()
    page.keyboard.press("Escape")
    seen["closed"] = page.locator(".arithmetic:not([hidden])").count() == 0

    # A stage closes and opens by the Enter key.
    stage = page.locator(".pane details.stage").first
    before = stage.evaluate("stage => stage.open")
    stage.locator("summary").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_timeout(100)
    seen["turned"] = stage.evaluate("stage => stage.open") != before
    page.keyboard.press("Enter")

    page.fill("#three input >> nth=4", "10")
    seen["kernel"] = page.locator("#made td").all_inner_texts()

    if picture:
        drop(page, picture)
        page.wait_for_timeout(500)
        seen["dropped"] = answer(page)
    if weights:
        drop(page, weights)
        page.wait_for_timeout(1500)
        seen["networks"] = page.locator(".answer select").first.locator("option").all_inner_texts()
        seen["own"] = page.locator(".pane h2").first.inner_text()
    options = page.locator(".answer select").nth(1).locator("option")
    if options.count() > 2:
        page.locator(".answer select").nth(1).select_option(index=2)
        page.wait_for_selector(".answer >> nth=1 >> li")
        seen["second"] = [answer(page, 1), page.locator(".pane h2").nth(1).inner_text()]
        # A unit that repeats an earlier one leads there by a link.
        link = page.locator(".pane >> nth=1 >> summary a").first
        page.evaluate("() => document.querySelectorAll('details.stage').forEach(stage => (stage.open = true))")
        link.focus()
        page.keyboard.press("Enter")
        page.wait_for_timeout(100)
        seen["followed"] = page.evaluate("() => !!document.querySelector(':target')?.open")
    for width in (1440, 390):
        page.set_viewport_size({"width": width, "height": 1000})
        page.wait_for_timeout(100)
        seen[f"beyond_{width}"] = page.evaluate(
            "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
    if len(files) > 2:
        for width in (1440, 390):
            page.set_viewport_size({"width": width, "height": 1000})
            page.screenshot(path=f"{files[2]}-{width}.png")
    browser.close()

print(json.dumps({**seen, "errors": errors, "elsewhere": elsewhere}))
