//! `/docs` in a real browser, without the network. Needs the Chromium that `ATG_TEST_CHROMIUM` names.
//!
//! The browser is driven over its own debugging protocol, so that no driver has to be installed.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use atg_tests::{DEADLINE, KEY, scratch, until};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::bench::{Bench, config};

struct Browser {
    child: Child,
    socket: WebSocketStream<MaybeTlsStream<tokio::net::TcpStream>>,
    session: Option<String>,
    next: u64,
    /// Addresses that were asked for.
    asked: Vec<String>,
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Browser {
    async fn start(program: &str, profile: &Path) -> Self {
        let child = Command::new(program)
            .args([
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-background-networking",
                "--disable-dev-shm-usage",
                "--no-first-run",
                "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
                "--window-size=1200,1600",
                "--remote-debugging-port=0",
            ])
            .arg(format!("--user-data-dir={}", profile.display()))
            .arg("about:blank")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let told = profile.join("DevToolsActivePort");
        let address = until("the browser listens", async || {
            let text = std::fs::read_to_string(&told).ok()?;
            let (port, path) = text.trim().split_once('\n')?;
            Some(format!("ws://127.0.0.1:{port}{path}"))
        })
        .await;
        let (socket, _) = connect_async(address).await.unwrap();
        let mut browser = Self {
            child,
            socket,
            session: None,
            next: 0,
            asked: Vec::new(),
        };
        let target = browser.call("Target.createTarget", json!({"url": "about:blank"})).await;
        let attach = json!({"targetId": target["targetId"], "flatten": true});
        let attached = browser.call("Target.attachToTarget", attach).await;
        browser.session = attached["sessionId"].as_str().map(str::to_owned);
        browser.call("Page.enable", json!({})).await;
        browser.call("Network.enable", json!({})).await;
        browser
    }

    async fn call(&mut self, method: &str, params: Value) -> Value {
        self.next += 1;
        let mut message = json!({"id": self.next, "method": method, "params": params});
        if let Some(session) = &self.session {
            message["sessionId"] = json!(session);
        }
        self.socket.send(Message::text(message.to_string())).await.unwrap();
        loop {
            let answer = tokio::time::timeout(DEADLINE, self.socket.next())
                .await
                .expect("an answer in time");
            let Message::Text(text) = answer.unwrap().unwrap() else {
                continue;
            };
            let mut answer: Value = serde_json::from_str(&text).unwrap();
            if answer["method"] == "Network.requestWillBeSent" {
                self.asked
                    .push(answer["params"]["request"]["url"].as_str().unwrap().to_owned());
            }
            if answer["id"] == self.next {
                assert!(answer.get("error").is_none(), "{method}: {answer}");
                return answer["result"].take();
            }
        }
    }

    /// The value of an expression in the page.
    async fn value(&mut self, expression: &str) -> Value {
        let params = json!({"expression": expression, "returnByValue": true, "userGesture": true});
        let mut answer = self.call("Runtime.evaluate", params).await;
        assert!(answer.get("exceptionDetails").is_none(), "{expression}: {answer}");
        answer["result"]["value"].take()
    }

    /// Looks at the page until the expression holds.
    async fn wait(&mut self, expression: &str) {
        let looking = async {
            while self.value(&format!("!!({expression})")).await != true {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(DEADLINE, looking)
            .await
            .unwrap_or_else(|_| panic!("waited in vain: {expression}"));
    }

    /// Clicks in the middle of an element, as a person does.
    async fn click(&mut self, selector: &str) {
        let element = format!("document.querySelector({selector:?})");
        self.wait(&element).await;
        let place = format!(
            "(() => {{ const e = {element}; e.scrollIntoView({{block: 'center'}}); const r = e.getBoundingClientRect(); \
             return [r.x + r.width / 2, r.y + r.height / 2]; }})()"
        );
        let place = self.value(&place).await;
        for kind in ["mousePressed", "mouseReleased"] {
            let params = json!({"type": kind, "x": place[0], "y": place[1], "button": "left", "clickCount": 1});
            self.call("Input.dispatchMouseEvent", params).await;
        }
    }

    async fn screenshot(&mut self, file: &Path) {
        let shot = self.call("Page.captureScreenshot", json!({"format": "png"})).await;
        let bytes = decode(shot["data"].as_str().unwrap());
        assert!(bytes.starts_with(b"\x89PNG"));
        std::fs::write(file, bytes).unwrap();
        println!("screenshot: {}", file.display());
    }
}

fn decode(base64: &str) -> Vec<u8> {
    let digit = |byte: u8| match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    let (mut bytes, mut bits, mut held) = (Vec::new(), 0_u32, 0);
    for value in base64.bytes().filter_map(digit) {
        bits = bits << 6 | u32::from(value);
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from(bits >> held & 0xff).unwrap());
        }
    }
    bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_authorises_and_tries_the_health_route() {
    let Ok(program) = std::env::var("ATG_TEST_CHROMIUM") else {
        println!("left out: ATG_TEST_CHROMIUM is not set, so /docs is not looked at in a browser");
        return;
    };
    let bench = Bench::new(config(20));
    let server = bench.serve();
    let folder = scratch("docs");
    let profile = tempfile::tempdir().unwrap();
    let mut browser = Browser::start(&program, profile.path()).await;
    let page = json!({"url": format!("{}/docs", server.url)});
    browser.call("Page.navigate", page).await;
    browser.wait("document.querySelector('.opblock')").await;
    browser.screenshot(&folder.join("loaded.png")).await;

    browser.click(".btn.authorize").await;
    browser.wait("document.querySelector('.auth-container input')").await;
    browser.click(".auth-container input").await;
    browser.call("Input.insertText", json!({"text": KEY})).await;
    browser.click(".auth-btn-wrapper .btn.authorize").await;
    browser
        .wait("document.querySelector('.auth-container')?.innerText.includes('Authorized')")
        .await;
    browser.screenshot(&folder.join("authorized.png")).await;
    browser.click(".btn-done").await;

    try_out(&mut browser, "/api/v1/health").await;
    browser.screenshot(&folder.join("health.png")).await;
    // A route behind the key: the page sends what was given.
    try_out(&mut browser, "/api/v1/tenants").await;
    browser.screenshot(&folder.join("tenants.png")).await;
    let outside: Vec<_> = browser
        .asked
        .iter()
        .filter(|url| !url.starts_with(&server.url) && !url.starts_with("data:"))
        .collect();
    assert!(outside.is_empty(), "the page asks elsewhere: {outside:?}");
}

/// Opens a GET route, tries it out, and waits for a 200.
async fn try_out(browser: &mut Browser, path: &str) {
    // Marks the block, so that it can be named in a selector.
    browser
        .value(&format!(
            "document.querySelectorAll('.opblock-get').forEach(e => e.toggleAttribute('data-wanted', \
             e.querySelector('.opblock-summary-path')?.dataset.path === {path:?}))"
        ))
        .await;
    browser.click("[data-wanted] .opblock-summary-control").await;
    browser
        .wait("document.querySelector('[data-wanted] .execute, [data-wanted] .try-out__btn')")
        .await;
    if browser.value("!document.querySelector('[data-wanted] .execute')").await == true {
        browser.click("[data-wanted] .try-out__btn").await;
    }
    browser.click("[data-wanted] .execute").await;
    browser
        .wait("document.querySelector('[data-wanted] table.live-responses-table tbody .response-col_status')?.innerText.startsWith('200')")
        .await;
}
