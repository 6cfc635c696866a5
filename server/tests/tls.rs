//! HTTPS without a proxy: a real client, a certificate that changes, and files that are no good.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod program;

use program::patience::{PATIENCE, agent, output};
use program::{PROGRAM, serve_with};
use rcgen::{CertifiedKey, KeyPair};
use std::path::{Path, PathBuf};
use std::process::Command;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

type Pair = CertifiedKey<KeyPair>;

fn pair() -> Pair {
    rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap()
}

/// A browser that trusts one certificate and keeps its connections.
fn client(pair: &Pair) -> ureq::Agent {
    let trusted = [Certificate::from_der(pair.cert.der()).to_owned()];
    let tls = TlsConfig::builder().root_certs(RootCerts::new_with_certs(&trusted)).build();
    ureq::Agent::config_builder().tls_config(tls).timeout_global(Some(PATIENCE)).build().new_agent()
}

fn write(folder: &Path, pair: &Pair) -> [PathBuf; 2] {
    let files = [folder.join("cert.pem"), folder.join("key.pem")];
    std::fs::write(&files[0], pair.cert.pem()).unwrap();
    std::fs::write(&files[1], pair.signing_key.serialize_pem()).unwrap();
    files
}

#[test]
fn a_new_certificate_is_taken_while_connections_go_on_and_a_bad_one_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (pair(), pair());
    let [cert, key] = write(folder.path(), &old);
    let flags = ["--tls-cert", cert.to_str().unwrap(), "--tls-key", key.to_str().unwrap()];
    let mut running = serve_with(folder.path(), &flags);
    let url = running.address.replace("127.0.0.1", "localhost") + "/healthz";
    assert!(url.starts_with("https://"), "{url}");
    let ask =
        |client: &ureq::Agent| client.get(&url).call().map(|mut reply| reply.body_mut().read_to_string());
    let (of_old, of_new) = (client(&old), client(&new));
    assert_eq!(ask(&of_old).unwrap().unwrap(), "up\n");
    ask(&of_new).unwrap_err();
    agent().get(url.replace("https", "http")).call().unwrap_err();

    write(folder.path(), &new);
    running.signal("-HUP");
    running.logged("a new certificate is in use");
    assert_eq!(ask(&of_new).unwrap().unwrap(), "up\n");
    // Its connection is from before: a new one would not be trusted.
    assert_eq!(ask(&of_old).unwrap().unwrap(), "up\n");
    ask(&client(&old)).unwrap_err();

    std::fs::write(&cert, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").unwrap();
    running.signal("-HUP");
    running.logged("the certificate in use stays");
    assert_eq!(ask(&client(&new)).unwrap().unwrap(), "up\n");
    running.signal("-TERM");
    assert!(running.ended().success());
}

#[test]
fn files_that_are_no_good_are_named_before_anything_is_served() {
    let folder = tempfile::tempdir().unwrap();
    let [cert, key] = write(folder.path(), &pair());
    let other = folder.path().join("other.pem");
    std::fs::write(&other, pair().signing_key.serialize_pem()).unwrap();
    let text = folder.path().join("text.pem");
    std::fs::write(&text, "no certificate").unwrap();
    let missing = folder.path().join("missing.pem");
    for (cert, key, said) in [
        (&missing, &key, format!("{}: ", missing.display())),
        (&text, &key, format!("{}: holds no certificate", text.display())),
        (&cert, &missing, format!("{}: ", missing.display())),
        (&cert, &text, format!("{}: ", text.display())),
        (&cert, &other, format!("{}: is not the key of {}", other.display(), cert.display())),
    ] {
        let mut command = Command::new(PROGRAM);
        command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(folder.path());
        let output = output(command.arg("--tls-cert").arg(cert).arg("--tls-key").arg(key));
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && error.contains(&said), "{said} in {error}");
    }
}
