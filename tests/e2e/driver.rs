//! A browser by WebDriver (<https://www.w3.org/TR/webdriver2/>), as far as these tests need it.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

/// The key that goes down, in WebDriver's private characters.
pub(crate) const DOWN: &str = "\u{E015}";
/// Milliseconds that a condition may take to come true.
const PATIENCE: u64 = 120_000;
/// Milliseconds between two looks at one that does not: the page is slower for those who watch it.
const LONGEST_PAUSE: u64 = 200;

/// Headless Chromium. It ends with the value, and so do its files.
pub(crate) struct Browser {
    driver: Child,
    base: String,
    session: String,
    downloads: tempfile::TempDir,
    /// Where driver and browser have their temporary files: the profile holds what the page has stored, images among it.
    _scratch: tempfile::TempDir,
}

/// Starts a driver and reads which port it listens on, unless it ends before that.
fn listening(driver: &mut Command) -> Option<(Child, String)> {
    let mut driver = driver.spawn().unwrap();
    let output = BufReader::new(driver.stdout.take().unwrap());
    let port = output.lines().map_while(Result::ok).find_map(|line| {
        let (_, port) = line.split_once("started successfully on port ")?;
        Some(port.trim_end_matches('.').to_owned())
    });
    match port {
        Some(port) => Some((driver, port)),
        None => {
            driver.wait().unwrap();
            None
        }
    }
}

impl Browser {
    /// Starts a browser with a window of that size.
    pub(crate) fn start(width: u32, height: u32) -> Self {
        Self::start_by(Command::new("chromedriver"), width, height)
    }

    /// Starts one that has a single core of the machine, by `taskset(1)`.
    pub(crate) fn start_on_one_core(width: u32, height: u32) -> Self {
        let mut driver = Command::new("taskset");
        driver.args(["--cpu-list", "0", "chromedriver"]);
        Self::start_by(driver, width, height)
    }

    fn start_by(mut driver: Command, width: u32, height: u32) -> Self {
        let scratch = tempfile::tempdir().unwrap();
        driver.arg("--port=0").env("TMPDIR", scratch.path()).stdout(Stdio::piped());
        // It gives up if the port that it found is taken by the time that it listens.
        let started = (0..3).find_map(|_| listening(&mut driver));
        let (driver, port) = started.expect("chromedriver starts");
        let base = format!("http://127.0.0.1:{port}");
        let downloads = tempfile::tempdir().unwrap();
        let arguments = json!({ "capabilities": { "alwaysMatch": {
            "goog:loggingPrefs": { "browser": "ALL" },
            "timeouts": { "script": PATIENCE + 30_000 },
            "goog:chromeOptions": {
                "args": [
                    "--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--disable-quic",
                    "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
                    "--force-color-profile=srgb", format!("--window-size={width},{height}"),
                ],
                "prefs": { "download.default_directory": downloads.path() },
            },
        } } });
        let created = post(&format!("{base}/session"), &arguments);
        let session = format!("{base}/session/{}", created["sessionId"].as_str().unwrap());
        let browser = Self { driver, base, session, downloads, _scratch: scratch };
        // Windows are not as narrow as phones; the emulated screen is.
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500 });
        browser.cdp("Emulation.setDeviceMetricsOverride", &metrics);
        browser
    }

    fn command(&self, path: &str, arguments: &Value) -> Value {
        post(&format!("{}/{path}", self.session), arguments)
    }

    fn cdp(&self, command: &str, parameters: &Value) -> Value {
        self.command("goog/cdp/execute", &json!({ "cmd": command, "params": parameters }))
    }

    /// Runs a script before any script of a page.
    pub(crate) fn before_each_page(&self, source: &str) {
        self.cdp("Page.addScriptToEvaluateOnNewDocument", &json!({ "source": source }));
    }

    pub(crate) fn open(&self, url: &str) {
        self.command("url", &json!({ "url": url }));
        self.wait("document.querySelector('#packages')");
    }

    /// Runs a script and gives what it returns.
    pub(crate) fn script(&self, script: &str) -> Value {
        self.command("execute/sync", &json!({ "script": script, "args": [] }))
    }

    /// Waits until an expression is true, looking often at first.
    pub(crate) fn wait(&self, condition: &str) {
        let script = format!(
            "const done = arguments[0], end = performance.now() + {PATIENCE}; let pause = 10; \
             const look = () => {{ const found = {condition}; \
               if (found || performance.now() > end) done(Boolean(found)); \
               else setTimeout(look, pause = Math.min(pause * 1.2, {LONGEST_PAUSE})); }}; look();"
        );
        let found = self.command("execute/async", &json!({ "script": script, "args": [] }));
        if found != json!(true) {
            self.screenshot("failed");
            panic!(
                "{condition} did not come true; the page says:\n{}",
                self.script("return document.body.innerText")
            );
        }
    }

    fn element(&self, selector: &str) -> String {
        let found = self.command("element", &json!({ "using": "css selector", "value": selector }));
        let id = found.as_object().and_then(|object| object.values().next()?.as_str());
        id.unwrap_or_else(|| panic!("no {selector}: {found}")).to_owned()
    }

    /// Clicks on an element, once it stands still: what moves is missed.
    pub(crate) fn click(&self, selector: &str) {
        self.wait(&format!(
            "(() => {{ const found = document.querySelector({}); if (!found) return false; \
               const place = JSON.stringify(found.getBoundingClientRect()), stands = window.lastPlace === place; \
               window.lastPlace = stands || place; return stands; }})()",
            json!(selector)
        ));
        self.command(&format!("element/{}/click", self.element(selector)), &json!({}));
    }

    /// Types into an element.
    pub(crate) fn keys(&self, selector: &str, keys: &str) {
        self.command(
            &format!("element/{}/value", self.element(selector)),
            &json!({ "text": keys }),
        );
    }

    /// Chooses an option of a list.
    pub(crate) fn choose(&self, selector: &str, value: &str) {
        self.script(&format!(
            "const list = document.querySelector('{selector}'); list.value = '{value}'; \
             list.dispatchEvent(new Event('change', {{ bubbles: true }}))"
        ));
    }

    /// Chooses files in a file input.
    pub(crate) fn upload(&self, selector: &str, files: &[&Path]) {
        let paths: Vec<String> = files.iter().map(|path| path.display().to_string()).collect();
        self.keys(selector, &paths.join("\n"));
    }

    /// Drops files onto an element, as a hand does.
    pub(crate) fn drop_files(&self, selector: &str, files: &[&Path]) {
        let place = self.script(&format!(
            "const at = document.querySelector('{selector}').getBoundingClientRect(); \
             return [at.x + at.width / 2, at.y + at.height / 2]"
        ));
        for kind in ["dragEnter", "dragOver", "drop"] {
            let data = json!({ "items": [], "files": files, "dragOperationsMask": 1 });
            let event = json!({ "type": kind, "x": place[0], "y": place[1], "data": data });
            self.cdp("Input.dispatchDragEvent", &event);
        }
    }

    /// Clicks on a download and gives the file.
    pub(crate) fn download(&self, selector: &str, name: &str) -> Vec<u8> {
        self.cdp(
            "Browser.setDownloadBehavior",
            &json!({ "behavior": "allow", "downloadPath": self.downloads.path(), "eventsEnabled": false }),
        );
        self.click(selector);
        let path = self.downloads.path().join(name);
        // The browser gives the file its name when it is complete; the page tells the time between two looks.
        for _ in 0..600 {
            if let Ok(bytes) = fs::read(&path) {
                return bytes;
            }
            let pause = json!({ "script": "setTimeout(arguments[0], 50)", "args": [] });
            self.command("execute/async", &pause);
        }
        let others: Vec<_> = fs::read_dir(self.downloads.path()).unwrap().flatten().collect();
        panic!("{name} was not downloaded: {others:?}");
    }

    /// Holds the page against axe-core.
    pub(crate) fn check_axe(&self, state: &str) {
        let axe =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../web/node_modules/axe-core/axe.min.js");
        let axe =
            fs::read_to_string(&axe).unwrap_or_else(|error| panic!("{}: {error}", axe.display()));
        let script = format!(
            "{axe}; const done = arguments[0]; \
             axe.run().then(found => done(found.violations.map(one => one.id + ': ' + \
               one.nodes.map(node => node.html + ' ' + node.failureSummary).join(' | '))), error => done(['' + error]));"
        );
        let violations = self.command("execute/async", &json!({ "script": script, "args": [] }));
        assert_eq!(violations, json!([]), "axe on the state: {state}");
    }

    /// Keeps a picture of the page in `target/screenshots`.
    pub(crate) fn screenshot(&self, name: &str) {
        let metrics = self.cdp("Page.getLayoutMetrics", &json!({}));
        let size = &metrics["cssContentSize"];
        let clip =
            json!({ "x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1 });
        let picture = json!({ "format": "png", "captureBeyondViewport": true, "clip": clip });
        let picture = self.cdp("Page.captureScreenshot", &picture);
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/screenshots");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(format!("{name}.png")), base64(picture["data"].as_str().unwrap()))
            .unwrap();
    }

    /// Fails if the page has written an error to the console.
    pub(crate) fn assert_no_errors(&self) {
        let log = self.command("se/log", &json!({ "type": "browser" }));
        let errors: Vec<&Value> =
            log.as_array().unwrap().iter().filter(|entry| entry["level"] == "SEVERE").collect();
        assert!(errors.is_empty(), "{errors:#?}");
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = ureq::delete(&self.session).call();
        // Killed, it would leave what it is about to remove.
        if ureq::get(format!("{}/shutdown", self.base)).call().is_err() {
            let _ = self.driver.kill();
        }
        let _ = self.driver.wait();
    }
}

/// Sends a command and gives its value.
fn post(url: &str, arguments: &Value) -> Value {
    let request = ureq::post(url).config().http_status_as_error(false).build();
    let mut response = request.send_json(arguments).unwrap();
    let answer = response.body_mut().with_config().limit(1 << 30).read_json::<Value>().unwrap();
    assert!(response.status().is_success(), "{url}: {answer}");
    answer["value"].clone()
}

/// Decodes what the browser encodes pictures in.
fn base64(text: &str) -> Vec<u8> {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bytes, mut bits, mut count) = (Vec::new(), 0_u32, 0);
    for digit in text.bytes().filter(|byte| *byte != b'=') {
        let value = DIGITS.iter().position(|known| *known == digit).unwrap();
        bits = bits << 6 | value as u32;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
            bits &= (1 << count) - 1;
        }
    }
    bytes
}
