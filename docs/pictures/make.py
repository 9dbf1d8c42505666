"""Pictures of pages, as they lie beside this file. From the root of the repository:

    cargo run -p cnn-explain --example page -- PAGES googlenet resnet18 densenet121
    cargo xtask explain lenet --dataset mnist --out PAGES/lenet.html
    cargo xtask explain lenet --live --out PAGES/live.html
    cargo xtask diagram googlenet --wide > PAGES/googlenet.svg
    python docs/pictures/make.py PAGES

Needs the packages playwright and Pillow, and Chromium, which the variable CHROMIUM can name.
"""

import io
import os
import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

HERE = Path(__file__).parent
# The stage that is opened, of each network.
STAGES = {"lenet": "conv2", "googlenet": "inception3a", "resnet18": "layer2", "densenet121": "features.denseblock1"}
HEIGHT = {1440: 1300, 390: 1500}


def save(name, shot, scale):
    picture = Image.open(io.BytesIO(shot)).convert("RGB")
    picture = picture.resize([round(length * scale) for length in picture.size], Image.LANCZOS)
    picture.save(HERE / f"{name}.webp", quality=55, method=6)
    print(f"{name}.webp: {(HERE / f'{name}.webp').stat().st_size} bytes")


def page(browser, path, width, height):
    page = browser.new_page(viewport={"width": width, "height": height})
    problems = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto(Path(path).resolve().as_uri())
    page.wait_for_timeout(500)
    if problems or page.evaluate("document.documentElement.scrollWidth > innerWidth"):
        sys.exit(f"{path} at {width}: {problems or 'wider than the window'}")
    return page


def stages(browser, pages, name, stage, width):
    shown = page(browser, pages / f"{name}.html", width, HEIGHT[width])
    shown.evaluate(
        """name => {
            const stages = [...document.querySelectorAll("details.stage")];
            const stage = stages.find((stage) => stage.querySelector(".label").textContent.startsWith(name));
            stage.open = true;
            scrollTo(0, stage.getBoundingClientRect().top + scrollY - 90);
        }""",
        stage,
    )
    shown.wait_for_timeout(300)
    save(f"{name}-{width}", shown.screenshot(), 0.5 if width == 1440 else 0.6)


def gallery(browser, pages):
    shown = page(browser, pages / "lenet.html", 1180, 760)
    plane = shown.locator("#plane")
    plane.evaluate("plane => scrollTo(0, plane.offsetTop - 60)")
    box = shown.locator("#plane > svg").bounding_box()
    shown.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 0.4 * box["height"])
    save("points", shown.screenshot(), 0.6)

    sheet = shown.locator("figure.maps img").nth(3)
    sheet.evaluate("sheet => scrollTo(0, sheet.getBoundingClientRect().top + scrollY - 300)")
    box = sheet.bounding_box()
    shown.mouse.move(box["x"] + 0.1 * box["width"], box["y"] + 0.2 * box["height"])
    shown.wait_for_timeout(300)
    save("arithmetic", shown.screenshot(), 0.6)

    shown = page(browser, pages / "live.html", 1180, 760)
    box = shown.locator("#pad").bounding_box()
    points = [(0.25, 0.2), (0.75, 0.2), (0.45, 0.85)]
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
    shown.mouse.move(*places[0])
    shown.mouse.down()
    for place in places[1:]:
        shown.mouse.move(*place, steps=12)
    shown.mouse.up()
    shown.wait_for_timeout(1000)
    save("live", shown.screenshot(), 0.6)

    text = (pages / "googlenet.svg").read_text()
    shown = browser.new_page(viewport={"width": 1180, "height": 800})
    shown.set_content(f'<body style="margin: 0; background: #fff"><div style="width: 1180px">{text}</div></body>')
    save("diagram", shown.locator("svg").screenshot(), 0.6)


def main():
    pages = Path(sys.argv[1])
    program = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as one:
        browser = one.chromium.launch(executable_path=program)
        for name, stage in STAGES.items():
            for width in HEIGHT:
                stages(browser, pages, name, stage, width)
        gallery(browser, pages)
        browser.close()


main()
