//! The page in a browser: looked at, typed into, held against axe-core.

use core::time::Duration;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::LazyLock;
use std::thread;
use std::time::Instant;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::devtools::Devtools;
use crate::held::{NOW, root};
use crate::{Outcome, held};

/// Nothing on the page takes longer to come.
const PATIENCE: Duration = Duration::from_secs(30);

/// What the browser says when a page does something wrong.
const COMPLAINTS: [&str; 2] = ["Log.entryAdded", "Runtime.exceptionThrown"];

/// The arbiter for browsers, built once.
static ARBITER: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let built = Command::new(root().join("bounty/arbiter-wasm/build")).output().expect("bash");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let path = String::from_utf8(built.stdout).expect("a path");
    fs::read(root().join(path.trim_end())).expect("the module")
});

/// The page's assets, with the arbiter for browsers.
#[must_use]
pub fn assets() -> bounty_page::Assets {
    bounty_page::Assets { arbiter: Some(ARBITER.clone()) }
}

/// How the page is looked at.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    /// In CSS pixels.
    pub width: u32,
    /// `light` or `dark`.
    pub scheme: &'static str,
}

/// A browser with the page in it.
#[derive(Debug)]
pub struct Browser {
    tools: Devtools,
    _home: TempDir,
}

impl Browser {
    /// Starts one whose clock stands where the contest's does.
    ///
    /// # Errors
    /// When there is none: `tools/install test` installs it.
    pub fn start() -> Outcome<Self> {
        let version = Command::new("chromium").arg("--version").output();
        version.map_err(|fault| format!("chromium: {fault}; tools/install test installs it"))?;
        let home = tempfile::tempdir()?;
        let mut tools = Devtools::start(home.path(), &[])?;
        for domain in ["Page", "Runtime", "Log"] {
            tools.call(&format!("{domain}.enable"), &Value::Null)?;
        }
        tools.call("Emulation.setScrollbarsHidden", &json!({ "hidden": true }))?;
        let clock = format!("Date.now = () => {NOW}000");
        tools.call("Page.addScriptToEvaluateOnNewDocument", &json!({ "source": clock }))?;
        let mut browser = Self { tools, _home: home };
        browser.look(Look { width: 1280, scheme: "light" })?;
        Ok(browser)
    }

    /// Runs no script of any page from now on.
    ///
    /// # Errors
    /// What the browser says.
    pub fn without_scripts(&mut self) -> Outcome {
        self.tools.call("Emulation.setScriptExecutionDisabled", &json!({ "value": true })).map(drop)
    }

    /// Looks at pages so from now on.
    ///
    /// # Errors
    /// What the browser says.
    pub fn look(&mut self, look: Look) -> Outcome {
        let metrics = json!({ "width": look.width, "height": 900, "deviceScaleFactor": 1, "mobile": false });
        self.tools.call("Emulation.setDeviceMetricsOverride", &metrics)?;
        // What still moves while the mouse is pressed is not where it was.
        let still = json!({ "name": "prefers-reduced-motion", "value": "reduce" });
        let media = json!({ "features": [{ "name": "prefers-color-scheme", "value": look.scheme }, still] });
        self.tools.call("Emulation.setEmulatedMedia", &media).map(drop)
    }

    /// Loads a page.
    ///
    /// # Errors
    /// When it does not load.
    pub fn open(&mut self, url: &str) -> Outcome {
        self.tools.call("Page.navigate", &json!({ "url": url }))?;
        self.until(&format!("location.href === {url:?} && document.readyState === 'complete'"))
    }

    /// The value of an expression.
    ///
    /// # Errors
    /// What the page throws.
    pub fn value(&mut self, expression: &str) -> Outcome<Value> {
        self.tools.evaluate(expression)
    }

    /// The text of an expression.
    ///
    /// # Errors
    /// What the page throws, or that it is none.
    pub fn text(&mut self, expression: &str) -> Outcome<String> {
        Ok(self.value(expression)?.as_str().ok_or_else(|| format!("{expression}: no text"))?.to_owned())
    }

    /// Waits until an expression holds.
    ///
    /// # Errors
    /// When it does not.
    pub fn until(&mut self, expression: &str) -> Outcome {
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end {
            // A page that is being left has no answer.
            if self.value(expression).is_ok_and(|value| value == true) {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(20));
        }
        let shown = self.text("document.body.innerText").unwrap_or_default();
        Err(format!("not so for {PATIENCE:?}: {expression}\n{shown}").into())
    }

    /// Puts the caret into a field and types, as a paste does.
    ///
    /// # Errors
    /// When there is no such field.
    pub fn paste(&mut self, selector: &str, text: &str) -> Outcome {
        let focus = format!(
            "(field => {{ field.focus(); field.select(); return document.activeElement === field; }})(document.querySelector({selector:?}))"
        );
        if self.value(&focus)? != true {
            return Err(format!("{selector} takes no focus").into());
        }
        self.tools.call("Input.insertText", &json!({ "text": text })).map(drop)
    }

    /// Presses the mouse where something is.
    ///
    /// # Errors
    /// When it is not there.
    pub fn click(&mut self, selector: &str) -> Outcome {
        let place = format!(
            "(it => {{ it.scrollIntoView({{ block: 'center', behavior: 'instant' }}); const {{ x, y, width, height }} = it.getBoundingClientRect(); return [x + width / 2, y + height / 2]; }})(document.querySelector({selector:?}))"
        );
        let place = self.value(&place)?;
        for kind in ["mousePressed", "mouseReleased"] {
            let event = json!({ "type": kind, "x": place[0], "y": place[1], "button": "left", "clickCount": 1 });
            self.tools.call("Input.dispatchMouseEvent", &event)?;
        }
        Ok(())
    }

    /// Presses a key that types nothing, or Enter.
    ///
    /// # Errors
    /// What the browser says.
    pub fn press(&mut self, key: &str) -> Outcome {
        let (code, text) = if key == "Enter" { (13, "\r") } else { (9, "") };
        for kind in ["keyDown", "keyUp"] {
            let mut event = json!({ "type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code });
            if kind == "keyDown" && !text.is_empty() {
                event["text"] = text.into();
            }
            self.tools.call("Input.dispatchKeyEvent", &event)?;
        }
        Ok(())
    }

    /// What axe-core finds on the page as it is.
    ///
    /// # Errors
    /// When axe-core is not there, or does not run.
    pub fn axe(&mut self) -> Outcome<Vec<String>> {
        let path = root().join("tests/pages/node_modules/axe-core/axe.min.js");
        let axe = fs::read_to_string(&path).map_err(|fault| format!("axe-core: {fault}; tools/install test installs it"))?;
        self.tools.call("Runtime.evaluate", &json!({ "expression": axe }))?;
        let found = self.value("axe.run().then(({ violations, passes }) => ({ violations, passes: passes.length }))")?;
        if found["passes"].as_u64().is_none_or(|passes| passes < 20) {
            return Err(format!("axe-core looked at nothing: {found}").into());
        }
        let violations = found["violations"].as_array().cloned().unwrap_or_default();
        Ok(violations.iter().map(|found| format!("{}: {}", found["id"], found["nodes"])).collect())
    }

    /// The whole page as a picture in `target/pages`.
    ///
    /// # Errors
    /// When there is none, or it cannot be written.
    pub fn picture(&mut self, name: &str) -> Outcome<PathBuf> {
        let size = self.tools.call("Page.getLayoutMetrics", &Value::Null)?["cssContentSize"].take();
        let clip = json!({ "x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1 });
        let shot = self.tools.call("Page.captureScreenshot", &json!({ "format": "png", "captureBeyondViewport": true, "clip": clip }))?;
        let folder = root().join("target/pages");
        fs::create_dir_all(&folder)?;
        let path = folder.join(format!("{name}.png"));
        fs::write(&path, STANDARD.decode(shot["data"].as_str().unwrap_or_default())?)?;
        Ok(path)
    }

    /// What the browser complained about so far: faults of scripts, refused by a policy, not found.
    #[must_use]
    pub fn complaints(&self) -> Vec<String> {
        self.tools.seen(&COMPLAINTS).map(ToString::to_string).collect()
    }
}

/// A claim as one pastes it.
///
/// # Panics
/// Never: claims are text.
#[must_use]
pub fn claim(tier: arbiter::Tier, text: &str) -> String {
    String::from_utf8(held::claim(tier, text)).expect("text")
}
