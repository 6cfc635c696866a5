//! Headless Chromium, driven by WebDriver: what a test does with a page, and what every page is held to.
//!
//! Each step waits for what it needs, up to a limit that only a broken page reaches.

use crate::patience::{self, PATIENCE};
use base64::prelude::*;
use fantoccini::error::CmdError;
use fantoccini::wd::{Capabilities, WebDriverCompatibleCommand};
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, thread};
use tokio::runtime::Runtime;

/// Runs ChromeDriver ($1: the folder of its browser's files) until the test process lets go of this script's input, be
/// it by SIGKILL; then neither a process nor a file is left.
const GUARD: &str = r#"
trap : TERM
chromedriver --port=0 &
read -r _
kill -TERM 0
wait
for _ in $(seq 100); do rm -rf "$1" 2>/dev/null && exit; sleep 0.1; done"#;

/// What a page may not do at any width. A report says what was found where.
const FINDINGS: &str = r#"
const done = arguments[arguments.length - 1];
axe.run(document, {resultTypes: ['violations']}).then(results => done(results.violations
    .filter(found => ['serious', 'critical'].includes(found.impact))
    .map(found => `${found.id}: ${found.help}: ` + found.nodes.map(node => node.html).join(' '))));"#;

/// What sticks out of the page sideways, if the page can be moved sideways.
const OVERFLOW: &str = r#"
const width = arguments[0];
if (document.documentElement.scrollWidth <= width && window.innerWidth <= width) return [];
return [`${document.documentElement.scrollWidth} px wide`, ...Array.from(document.querySelectorAll('body *'))
    .filter(part => part.getBoundingClientRect().right > width || part.getBoundingClientRect().left < 0)
    .map(part => part.outerHTML.slice(0, 120))];"#;

/// How the browser looks at the dashboard.
#[derive(Debug, Clone, Copy)]
pub struct Looks {
    /// Of the page, in CSS pixels.
    pub width: u32,
    pub scripts: bool,
    /// What the browser asks for.
    pub language: &'static str,
}

impl Looks {
    fn capabilities(self, profile: &str) -> Capabilities {
        let mut arguments = vec![
            "--headless=new".to_owned(),
            "--no-sandbox".to_owned(),
            "--disable-dev-shm-usage".to_owned(),
            "--no-first-run".to_owned(),
            format!("--user-data-dir={profile}"),
            format!("--accept-lang={}", self.language),
        ];
        let mut options = json!({});
        if self.width < 500 {
            // A window has a least width; a phone has not. Without scripts, ChromeDriver waits for ever for a touch.
            let metrics = json!({"width": self.width, "height": 740, "pixelRatio": 2, "touch": self.scripts});
            options["mobileEmulation"] = json!({"deviceMetrics": metrics});
        } else {
            arguments.push(format!("--window-size={},900", self.width));
        }
        options["args"] = json!(arguments);
        let all = json!({"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}});
        all.as_object().unwrap().clone().into_iter().collect()
    }
}

pub struct Chromium {
    pub looks: Looks,
    address: String,
    runtime: Runtime,
    client: Client,
    guard: Child,
}

impl Chromium {
    /// A browser without a history, for the dashboard at `address`.
    pub fn open(address: &str, looks: Looks) -> Self {
        let folder = tempfile::Builder::new().prefix("carboy-chromium-").tempdir().unwrap().keep();
        let mut guard = Command::new("sh")
            .args(["-c", GUARD, "sh"])
            .arg(&folder)
            .env("TMPDIR", &folder)
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(guard.stdout.take().unwrap()).lines().map_while(Result::ok);
        let started = patience::given("ChromeDriver's port", move || {
            lines.find_map(|line| {
                line.strip_prefix("ChromeDriver was started successfully on port ").map(str::to_owned)
            })
        });
        let port = started.expect(
            "ChromeDriver does not start: install Debian's packages `chromium` and `chromium-driver`, or let \
             `cargo xtask test` do it",
        );
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let driver = format!("http://localhost:{}", port.trim_end_matches('.'));
        let capabilities = looks.capabilities(folder.join("profile").to_str().unwrap());
        let mut builder = ClientBuilder::new(HttpConnector::new());
        let client = wait(&runtime, builder.capabilities(capabilities).connect(&driver)).unwrap();
        let browser = Self { looks, address: address.to_owned(), runtime, client, guard };
        if !looks.scripts {
            let off = json!({"value": true});
            browser.command(
                "goog/cdp/execute",
                json!({"cmd": "Emulation.setScriptExecutionDisabled", "params": off}),
            );
        }
        browser
    }

    /// Goes to a page of the dashboard.
    pub fn go(&self, path: &str) {
        self.wait(self.client.goto(&format!("{}{path}", self.address))).unwrap();
    }

    /// The page's path and query.
    pub fn path(&self) -> String {
        let url = self.wait(self.client.current_url()).unwrap();
        url.as_str()[url.origin().ascii_serialization().len()..].to_owned()
    }

    /// Waits until the page's path is `path`.
    pub fn arrives_at(&self, path: &str) {
        self.until(&format!("the page {path}"), || self.path().split('?').next() == Some(path));
    }

    /// Clicks what `css` finds, once it is there. A link or button has left its page when this returns.
    pub fn click(&self, css: &str) {
        self.until(&format!("a click on {css}"), || {
            self.wait(async { self.client.find(Locator::Css(css)).await?.click().await }).is_ok()
        });
    }

    /// Replaces what stands in a field.
    pub fn fill(&self, css: &str, text: &str) {
        self.sees(css);
        let field = self.wait(self.client.find(Locator::Css(css))).unwrap();
        self.runtime
            .block_on(async {
                field.clear().await?;
                field.send_keys(text).await
            })
            .unwrap();
    }

    /// Chooses the option with this value.
    pub fn choose(&self, css: &str, value: &str) {
        self.sees(css);
        let field = self.wait(self.client.find(Locator::Css(css))).unwrap();
        self.wait(field.select_by_value(value)).unwrap();
    }

    /// Presses keys where the focus is.
    pub fn press(&self, keys: &str) {
        let focused = self.wait(self.client.active_element()).unwrap();
        self.wait(focused.send_keys(keys)).unwrap();
    }

    /// Puts a file into a form.
    pub fn attach(&self, css: &str, file: &str) {
        self.sees(css);
        let field = self.wait(self.client.find(Locator::Css(css))).unwrap();
        self.wait(field.send_keys(file)).unwrap();
    }

    pub fn has_the_focus(&self, css: &str) -> bool {
        self.run("return document.activeElement.matches(arguments[0]);", json!(css)) == json!(true)
    }

    /// Whether somebody who uses no mouse can see where the focus is.
    pub fn shows_the_focus(&self) -> bool {
        let outline = "return getComputedStyle(document.activeElement).outlineStyle;";
        self.run(outline, Value::Null) != json!("none") || self.has_the_focus("body")
    }

    /// Leaves something in the page that goes when the page is loaded anew.
    pub fn leaves_a_mark(&self) {
        self.run("window.wasHere = true;", Value::Null);
    }

    pub fn has_the_mark(&self) -> bool {
        self.run("return window.wasHere === true;", Value::Null) == json!(true)
    }

    /// Where the links that `css` finds lead.
    pub fn links(&self, css: &str) -> Vec<String> {
        let links =
            "return Array.from(document.querySelectorAll(arguments[0]), link => link.getAttribute('href'));";
        serde_json::from_value(self.run(links, json!(css))).unwrap()
    }

    fn wait<T>(&self, answer: impl Future<Output = T>) -> T {
        wait(&self.runtime, answer)
    }

    fn run(&self, script: &str, argument: Value) -> Value {
        self.wait(self.client.execute(script, vec![argument])).unwrap()
    }

    /// Waits until there is something that `css` finds.
    pub fn sees(&self, css: &str) {
        self.until(&format!("{css} on {}", self.path()), || self.count(css) > 0);
    }

    /// Waits until what `css` finds says `text` somewhere.
    pub fn reads(&self, css: &str, text: &str) {
        self.until(&format!("“{text}” in {css} on {}", self.path()), || self.text(css).contains(text));
    }

    pub fn count(&self, css: &str) -> usize {
        self.wait(self.client.find_all(Locator::Css(css))).unwrap().len()
    }

    /// The text of all that `css` finds, spaces as they are seen; nothing while the page changes.
    pub fn text(&self, css: &str) -> String {
        let found = self.wait(async {
            let mut text = String::new();
            for part in self.client.find_all(Locator::Css(css)).await? {
                text += &part.text().await?;
                text.push('\n');
            }
            Ok::<_, CmdError>(text)
        });
        found.unwrap_or_default().replace('\u{a0}', " ")
    }

    /// A property of the first that `css` finds.
    pub fn attribute(&self, css: &str, name: &str) -> String {
        self.sees(css);
        let found = self.wait(self.client.find(Locator::Css(css))).unwrap();
        self.wait(found.attr(name)).unwrap().unwrap_or_default()
    }

    /// Holds the page to what every page is held to, and keeps its picture as `target/screens/NAME-WIDTH.png`.
    pub fn looks_right(&self, name: &str) {
        assert_eq!(self.findings(name), [""; 0], "{name} at {} px", self.looks.width);
    }

    /// What is wrong with the page; its picture is kept.
    pub fn findings(&self, name: &str) -> Vec<String> {
        self.keep_picture(name);
        self.was_quiet(&[]);
        let mut findings = self.run(OVERFLOW, json!(self.looks.width)).as_array().unwrap().clone();
        // The checker of accessibility is a script.
        if self.looks.scripts {
            let found = self.wait(async {
                self.client.execute(&axe(), vec![]).await?;
                self.client.execute_async(FINDINGS, vec![]).await
            });
            findings.extend(found.unwrap().as_array().unwrap().clone());
        }
        findings.iter().map(|finding| format!("{name}: {}", finding.as_str().unwrap())).collect()
    }

    /// Nothing was said on the console since it was asked last, but for the refusals with these `statuses`.
    pub fn was_quiet(&self, statuses: &[u16]) {
        let said = self.command("se/log", json!({"type": "browser"}));
        let is_expected = |line: &Value| {
            let text = line["message"].as_str().unwrap_or_default();
            statuses.iter().any(|status| text.contains(&format!("responded with a status of {status}")))
        };
        let said: Vec<_> = said.as_array().unwrap().iter().filter(|line| !is_expected(line)).collect();
        assert!(said.is_empty(), "on {} the console says {said:?}", self.path());
    }

    fn keep_picture(&self, name: &str) {
        let devtools = |command: &str, params: Value| {
            self.command("goog/cdp/execute", json!({"cmd": command, "params": params}))
        };
        let sizes = devtools("Page.getLayoutMetrics", json!({}));
        // A page from right to left that fits the window comes out pushed aside if more than the window is asked for.
        let is_long =
            sizes["cssContentSize"]["height"].as_f64() > sizes["cssVisualViewport"]["clientHeight"].as_f64();
        let picture =
            devtools("Page.captureScreenshot", json!({"format": "png", "captureBeyondViewport": is_long}));
        let picture = BASE64_STANDARD.decode(picture["data"].as_str().unwrap());
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("screens");
        fs::create_dir_all(&folder).unwrap();
        let plain = if self.looks.scripts { "" } else { "-plain" };
        fs::write(folder.join(format!("{name}-{}{plain}.png", self.looks.width)), picture.unwrap()).unwrap();
    }

    fn command(&self, path: &'static str, body: Value) -> Value {
        self.wait(self.client.issue_cmd(Extension { path, body })).unwrap()
    }

    fn until(&self, what: &str, is_so: impl Fn() -> bool) {
        let end = Instant::now() + PATIENCE;
        while !is_so() {
            if Instant::now() > end {
                self.keep_picture("failed");
                panic!("no {what}: the page at {} says: {}", self.path(), self.text("body"));
            }
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        let end = Instant::now() + PATIENCE;
        while matches!(self.guard.try_wait(), Ok(None)) && Instant::now() < end {
            thread::sleep(Duration::from_millis(5));
        }
    }
}

/// An answer of ChromeDriver's, which may hang with its browser.
fn wait<T>(runtime: &Runtime, answer: impl Future<Output = T>) -> T {
    let answer = runtime.block_on(async { tokio::time::timeout(PATIENCE, answer).await });
    answer.unwrap_or_else(|_| panic!("the browser does not answer within {PATIENCE:?}"))
}

/// A command of ChromeDriver's own.
#[derive(Debug)]
struct Extension {
    path: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for Extension {
    fn endpoint(&self, base: &url::Url, session: Option<&str>) -> Result<url::Url, url::ParseError> {
        base.join(&format!("session/{}/{}", session.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _: &url::Url) -> (axum::http::Method, Option<String>) {
        (axum::http::Method::POST, Some(self.body.to_string()))
    }
}

/// The checker of accessibility, a script.
fn axe() -> String {
    let cache = env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let cache = cache.or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cache"))).unwrap();
    let file = cache.join("carboy/axe.min.js");
    fs::read_to_string(&file)
        .unwrap_or_else(|error| panic!("{}: {error}: `cargo xtask test` fetches it", file.display()))
}
