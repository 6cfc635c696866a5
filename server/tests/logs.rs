//! What a log may hold: one line for each request, and no secret, however much is asked for.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod program;

use carboy_protocol::{ActorId, ChainHash, wire};
use program::{PROGRAM, Running, enrol, patience, payments, post, seed, serve_with};
use serde_json::Value;
use std::path::Path;
use std::process::Command;

/// Between two marks; it must be there.
fn between(text: &str, before: &str, after: &str) -> String {
    let (_, rest) = text.split_once(before).unwrap_or_else(|| panic!("no {before} in {text}"));
    rest.split(after).next().unwrap().to_owned()
}

/// Signs in on the dashboard and looks around; gives the secrets that went to and fro.
fn browse(running: &Running, password: &str) -> Vec<String> {
    let agent = patience::agent();
    let at = |path: &str| format!("{}{path}", running.address);
    let mut page = agent.get(at("/sign-in")).call().unwrap();
    let form = between(page.headers()["set-cookie"].to_str().unwrap(), "carboy_form=", ";");
    let csrf = between(&page.body_mut().read_to_string().unwrap(), "name=\"csrf\" value=\"", "\"");
    let fields = [("csrf", csrf.as_str()), ("login", "grace@example.com"), ("password", password)];
    let request = agent.post(at("/sign-in")).header("cookie", format!("carboy_form={form}"));
    let reply = request.send_form(fields).unwrap();
    let cookies: Vec<_> =
        reply.headers().get_all("set-cookie").iter().map(|cookie| cookie.to_str().unwrap()).collect();
    let Some(cookie) = cookies.iter().find(|cookie| cookie.starts_with("carboy_session=")) else {
        assert_eq!(reply.status(), 401);
        return vec![form, csrf];
    };
    let session = between(cookie, "carboy_session=", ";");
    let cookie = format!("carboy_session={session}");
    let mut page = agent.get(at("/devices")).header("cookie", &cookie).call().unwrap();
    let page = page.body_mut().read_to_string().unwrap();
    let of_session = between(&page, "name=\"csrf\" value=\"", "\"");
    vec![form, csrf, session, of_session]
}

fn managers_token(data: &Path) -> String {
    let mut command = Command::new(PROGRAM);
    command.args(["token", "--manager", "Grace Achieng", "script", "--data"]).arg(data);
    let output = patience::output(&mut command);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn one_line_tells_of_each_request_and_no_line_holds_a_secret() {
    let folder = tempfile::tempdir().unwrap();
    let sample = seed(folder.path());
    let mut running = serve_with(folder.path(), &["--log-format", "json", "--log-filter", "trace"]);
    let code = sample["riders"][0]["enrol_code"].as_str().unwrap().to_owned();
    let token = enrol(&running, &sample);
    let (request, _) = payments(&sample, 1, ChainHash::genesis(ActorId::from_bytes([1; 16])));
    let body = serde_json::to_string(&request).unwrap();
    let sync = format!("{}{}", running.address, wire::SYNC_PATH);
    assert_eq!(post(sync.clone(), &token, body.clone()).0, 200);
    let wrong_token = format!("{}AAAA", &token[..token.len() - 4]);
    assert_eq!(post(sync, &wrong_token, body.clone()).0, 401);
    let script = managers_token(folder.path());
    let path = format!("{}/v1/manage/mutations", running.address);
    assert_eq!(post(path, &script, "{}".to_owned()).0, 400);
    let wrong_code =
        format!(r#"{{"code":"ZZZZ-YYYY","device_name":"x","public_key":"{}"}}"#, "ab".repeat(32));
    assert_eq!(post(format!("{}{}", running.address, wire::ENROL_PATH), "", wrong_code).0, 401);
    let mut secrets = browse(&running, "clean water");
    assert_eq!(secrets.len(), 4, "signed in");
    secrets.extend(browse(&running, "murky water"));
    running.signal("-TERM");
    assert!(running.ended().success());

    let log = running.rest_of_log();
    assert!(log.iter().any(|line| line.contains("DEBUG")), "all was asked for");
    secrets.extend([code.replace('-', ""), code, token, wrong_token, script, "ZZZZ-YYYY".to_owned()]);
    for word in ["clean", "murky"] {
        secrets.extend([" ", "+", "%20"].map(|space| format!("{word}{space}water")));
    }
    for secret in &secrets {
        let told = log.iter().find(|line| line.contains(secret.as_str()));
        assert!(told.is_none(), "{secret}: {told:?}");
    }

    let lines = log.iter().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let answered: Vec<_> = lines.filter(|line| line["message"] == "answered").collect();
    assert_eq!(answered.len(), 10);
    let settled = answered
        .iter()
        .find(|line| line["status"] == 200 && line["spans"][0]["route"] == "/v1/sync")
        .unwrap();
    let span = &settled["spans"][0];
    assert_eq!((&span["method"], &span["peer"]), (&"POST".into(), &"127.0.0.1".into()));
    assert!(span["id"].as_str().unwrap().len() == 16 && span["device"].as_str().unwrap().len() == 36);
    assert!(settled["ms"].is_u64() && settled["level"] == "INFO");
}
