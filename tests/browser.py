"""A real browser for the tests of pages: headless Chromium, spoken to through a pipe.

The protocol is that of the browser's own developer tools, so nothing but Chromium is needed. Where
it is missing, the tests that ask for a page are skipped, and say so.
"""

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import tempfile
import time

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
    "--remote-debugging-pipe",
)
PATIENCE = 120.0  # seconds for an answer, on a machine with much else to do


def find_chromium():
    """Return the path of a Chromium, or skip."""
    found = os.environ.get("GRAPHC_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.skip("no page was opened: Chromium is not installed")
    return found


class Browser:
    """A running Chromium; `open` gives a page of it."""

    def __init__(self):
        program = find_chromium()
        self.profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        read_here, write_there = os.pipe()
        read_there, self.write_here = os.pipe()

        def connect():  # the browser reads from 3 and writes to 4; either may be in use here
            ends = [fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in (read_there, write_there)]
            os.dup2(ends[0], 3)
            os.dup2(ends[1], 4)

        flags = [*FLAGS, f"--user-data-dir={self.profile.name}"]
        self.process = subprocess.Popen(
            [program, *flags],
            preexec_fn=connect,
            close_fds=False,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(read_there)
        os.close(write_there)
        self.stream = os.fdopen(read_here, "rb", buffering=0)
        self.buffer = b""
        self.count = 0
        self.events = []

    def send(self, method, session=None, **params):
        """Call a method of the protocol and return its result."""
        self.count += 1
        message = {"id": self.count, "method": method, "params": params}
        if session:
            message["sessionId"] = session
        os.write(self.write_here, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            answer = self.receive(deadline - time.monotonic())
            if answer.get("id") == self.count:
                assert "error" not in answer, answer["error"]
                return answer["result"]
            self.events.append(answer)
        raise TimeoutError(method)

    def receive(self, patience):
        """Return the next message."""
        while b"\0" not in self.buffer:
            if not select.select([self.stream], [], [], max(0.0, patience))[0]:
                raise TimeoutError("the browser does not answer")
            chunk = self.stream.read(1 << 16)
            if not chunk:
                raise EOFError("the browser has gone")
            self.buffer += chunk
        message, _, self.buffer = self.buffer.partition(b"\0")
        return json.loads(message)

    def open(self, url, width=1280, height=800, dark=False):
        """Open a page and wait until it is loaded."""
        return Page(self, url, width, height, dark)

    def close(self):
        self.process.terminate()
        self.process.wait(10)
        self.stream.close()
        os.close(self.write_here)
        self.profile.cleanup()


class Page:
    """A page that keeps account of its errors and of what it asks the network for."""

    def __init__(self, browser, url, width, height, dark):
        self.browser = browser
        target = browser.send("Target.createTarget", url="about:blank")["targetId"]
        attached = browser.send("Target.attachToTarget", targetId=target, flatten=True)
        self.target, self.session = target, attached["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log", "Accessibility", "DOM"):
            self.send(f"{domain}.enable")
        self.send("Performance.enable", timeDomain="threadTicks")
        self.resize(width, height)
        self.prefer("dark" if dark else "light")
        self.send("Page.navigate", url=url)
        self.wait("document.readyState === 'complete'")

    def send(self, method, **params):
        return self.browser.send(method, self.session, **params)

    def resize(self, width, height, scale=1):
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height,
                  deviceScaleFactor=scale, mobile=False)  # fmt: skip

    def prefer(self, colours, motion="reduce"):
        features = [
            {"name": "prefers-color-scheme", "value": colours},
            {"name": "prefers-reduced-motion", "value": motion},
        ]
        self.send("Emulation.setEmulatedMedia", features=features)

    def evaluate(self, expression):
        """Return the value of an expression of JavaScript."""
        answer = self.send("Runtime.evaluate", expression=expression, returnByValue=True,
                           awaitPromise=True)  # fmt: skip
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def wait(self, expression):
        """Wait until an expression is true."""
        deadline = time.monotonic() + PATIENCE
        while not self.evaluate(expression):
            assert time.monotonic() < deadline, expression
            time.sleep(0.02)

    def key(self, key, code=None, text=None):
        """Press a key."""
        special = {"Enter": 13, "Escape": 27, "Tab": 9, "ArrowLeft": 37, "ArrowUp": 38,
                   "ArrowRight": 39, "ArrowDown": 40, "PageDown": 34, "PageUp": 33, "Home": 36,
                   "End": 35, " ": 32}  # fmt: skip
        plain = text or (key if len(key) == 1 else "\r" if key == "Enter" else None)
        number = special.get(key, ord(key.upper()[0]))
        shared = {"key": key, "code": code or key, "windowsVirtualKeyCode": number}
        down = {**shared, "type": "keyDown" if plain else "rawKeyDown"}
        self.send("Input.dispatchKeyEvent", **down, **({"text": plain} if plain else {}))
        self.send("Input.dispatchKeyEvent", type="keyUp", **shared)

    def type(self, text):
        for character in text:
            self.key(character)

    def click(self, selector):
        """Click in the middle of the first element that a selector finds."""
        x, y = self.middle(selector)
        for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
            count = 0 if kind == "mouseMoved" else 1
            self.send("Input.dispatchMouseEvent", type=kind, x=x, y=y,
                      button="left" if count else "none", clickCount=count)  # fmt: skip

    def middle(self, selector):
        found = f"document.querySelector({json.dumps(selector)})"
        box = f"(() => {{ const b = {found}.getBoundingClientRect();"
        return self.evaluate(f"{box} return [b.x + b.width / 2, b.y + b.height / 2]; }})()")

    def drag(self, start, end):
        (x, y), (x2, y2) = start, end
        mouse = {"button": "left", "buttons": 1, "clickCount": 1}
        self.send("Input.dispatchMouseEvent", type="mousePressed", x=x, y=y, **mouse)
        self.send("Input.dispatchMouseEvent", type="mouseMoved", x=x2, y=y2, **mouse)
        self.send("Input.dispatchMouseEvent", type="mouseReleased", x=x2, y=y2, **mouse)

    def wheel(self, x, y, delta):
        self.send("Input.dispatchMouseEvent", type="mouseWheel", x=x, y=y, deltaX=0, deltaY=delta)

    def screenshot(self):
        return base64.b64decode(self.send("Page.captureScreenshot", format="png")["data"])

    def pdf(self):
        return base64.b64decode(self.send("Page.printToPDF", printBackground=True)["data"])

    def accessible(self):
        """Return role and name of everything that a screen reader is told of."""
        nodes = self.send("Accessibility.getFullAXTree")["nodes"]
        return [
            (node["role"]["value"], node.get("name", {}).get("value", ""))
            for node in nodes
            if not node["ignored"]
        ]

    def busy(self):
        """Return the seconds of processor time that the page has taken so far.

        Unlike time on the clock, they do not grow with what else the machine has to do.
        """
        metrics = self.send("Performance.getMetrics")["metrics"]
        return next(m["value"] for m in metrics if m["name"] == "TaskDuration")

    def events(self):
        """Return what the browser has told of this page."""
        return [e for e in self.browser.events if e.get("sessionId") == self.session]

    def complaints(self):
        """Return the errors and warnings of the console, and exceptions."""
        found = []
        for event in self.events():
            method, params = event.get("method"), event.get("params", {})
            if method == "Runtime.exceptionThrown":
                found.append(params["exceptionDetails"])
            elif method == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning"):
                found.append(params["args"])
            elif method == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
                found.append(params["entry"]["text"])
        return found

    def requests(self):
        """Return the addresses that the page asked for."""
        return [
            event["params"]["request"]["url"]
            for event in self.events()
            if event.get("method") == "Network.requestWillBeSent"
        ]

    def close(self):
        self.browser.send("Target.closeTarget", targetId=self.target)
