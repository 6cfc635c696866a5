//! What an administrator can rely on: which source wins, and that a bad value is refused with its source.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

#[path = "common/patience.rs"]
mod patience;

use carboy_server::config::Config;
use patience::output;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

const PROGRAM: &str = env!("CARGO_BIN_EXE_carboy-server");

/// What the program says when it cannot begin to serve.
fn refused(file: &Path, env: &[(&str, &str)], flags: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(PROGRAM);
    command.args(["serve", "--config"]).arg(file).args(flags).current_dir(folder.path());
    let output = output(command.envs(env.iter().copied()));
    assert!(!output.status.success());
    String::from_utf8(output.stderr).unwrap()
}

fn file(text: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&file, text).unwrap();
    file
}

/// The port that is taken shows which address was used.
fn taken() -> (std::net::TcpListener, String) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    (listener, address)
}

#[test]
fn a_flag_comes_before_the_environment_that_before_the_file() {
    let ((_a, by_flag), (_b, by_env), (_c, by_file)) = (taken(), taken(), taken());
    let named = file(&format!("listen = {by_file:?}\n"));
    let env = [("CARBOY_LISTEN", by_env.as_str())];
    for (env, flags, used) in [
        (&[][..], &[][..], &by_file),
        (&env, &[], &by_env),
        (&env, &["--listen", &by_flag], &by_flag),
        (&[], &["--listen", &by_flag], &by_flag),
    ] {
        let text = refused(named.path(), env, flags);
        assert!(text.contains(&format!("cannot listen on {used}: ")), "{text}");
    }
}

#[test]
fn what_is_not_acceptable_is_refused_with_its_key_and_its_source() {
    let empty = file("");
    for (text, env, flags, wanted) in [
        ("listen = \"nowhere\"", None, &[][..], &["listen", "TOML file"][..]),
        ("lisen = \"127.0.0.1:1\"", None, &[], &["unknown field", "lisen", "TOML file"]),
        ("max-connections = \"many\"", None, &[], &["max-connections", "TOML file"]),
        ("max-connections = 0", None, &[], &["max-connections is out of range: 0"]),
        ("body-timeout = \"0s\"", None, &[], &["above zero", "body-timeout", "TOML file"]),
        ("listen =", None, &[], &["TOML"]),
        ("", Some(("CARBOY_BODY_TIMEOUT", "soon")), &[], &["\"soon\"", "CARBOY_BODY_TIMEOUT", "environment"]),
        ("", Some(("CARBOY_TRUSTED_PROXIES", "10.0.0.0/99")), &[], &["10.0.0.0/99", "environment"]),
        ("", Some(("CARBOY_PUBLIC_URL", "water.example")), &[], &["water.example", "environment"]),
        ("", Some(("CARBOY_LOG_FORMAT", "xml")), &[], &["xml", "environment"]),
        ("", None, &["--log-filter", "a=b=c"], &["a=b=c", "--log-filter"]),
        ("", None, &["--tls-cert", "x.pem"], &["tls-cert and tls-key belong together"]),
        (
            "",
            Some(("CARBOY_DATABASE", "mysql://u:hush@h")),
            &[],
            &["begins with postgresql://", "environment"],
        ),
    ] {
        let named = if text.is_empty() { None } else { Some(file(text)) };
        let said = refused(named.as_ref().unwrap_or(&empty).path(), env.as_slice(), flags);
        for wanted in wanted {
            assert!(said.contains(wanted), "{wanted:?} in {said}");
        }
        assert!(!said.contains("hush"), "{said}");
    }
    let said = refused(Path::new("/nowhere/carboy.toml"), &[], &[]);
    assert!(said.contains("configuration file /nowhere/carboy.toml: No such file"), "{said}");
}

#[test]
fn the_example_names_every_key_and_is_accepted() {
    let text = std::fs::read_to_string("dist/carboy.toml").unwrap();
    let named = |line: &str| line.trim_start_matches("# ").split_once(" = ").map(|(key, _)| key.to_owned());
    let keys: BTreeSet<_> = text.lines().filter_map(named).collect();
    assert_eq!(keys, Config::keys().into_iter().collect());
    // With what is commented out too.
    let assignment = |line: &&str| named(line).is_some();
    let all: Vec<_> =
        text.lines().filter(assignment).map(|line| line.trim_start_matches("# ").to_owned()).collect();
    let whole: Config = toml::from_str(&all.join("\n")).unwrap();
    assert_eq!(whole.public_url.unwrap().as_str(), "https://water.example.com");
    // What is not commented out and not of one machine is the default.
    let defaults = Config::default();
    assert_eq!(whole.body_timeout, defaults.body_timeout);
    assert_eq!(whole.max_connections, defaults.max_connections);
}

#[test]
fn help_lists_every_key() {
    let output = output(Command::new(PROGRAM).args(["serve", "--help"]));
    let help = String::from_utf8(output.stdout).unwrap();
    for key in Config::keys() {
        assert!(help.contains(&format!("--{key} ")), "{key} in {help}");
    }
}
