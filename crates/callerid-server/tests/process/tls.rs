//! TLS: the certificate, its reloading, and the warning if there is none.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use base64ct::{Base64, Encoding as _};
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::harness::{PATIENCE, Server, authorization, run, serve};

pub(crate) const CERTIFICATE: &[u8] = include_bytes!("../fixtures/receiver-certificate.der");
pub(crate) const KEY: &[u8] = include_bytes!("../fixtures/receiver-key.der");

pub(crate) fn write_pem(path: &Path, label: &str, der: &[u8]) {
    let text = Base64::encode_string(der);
    std::fs::write(path, format!("-----BEGIN {label}-----\n{text}\n-----END {label}-----\n"))
        .unwrap();
}

/// Sends a request over TLS, trusting this certificate. Returns the response, or the handshake's
/// error.
fn ask(address: SocketAddr, request: &str) -> std::io::Result<String> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(CERTIFICATE)).unwrap();
    let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let name = "localhost".try_into().unwrap();
    let connection = ClientConnection::new(Arc::new(config), name).unwrap();
    let socket = TcpStream::connect(address)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    let mut stream = StreamOwned::new(connection, socket);
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

#[test]
fn the_certificate_is_shown_and_read_again_on_a_hangup() {
    let data = tempfile::tempdir().unwrap();
    let (certificate, key) = (data.path().join("cert.pem"), data.path().join("key.pem"));
    write_pem(&certificate, "CERTIFICATE", CERTIFICATE);
    write_pem(&key, "PRIVATE KEY", KEY);
    let command = &mut serve(&data.path().join("data"));
    command.arg("--tls-cert").arg(&certificate).arg("--tls-key").arg(&key);
    let server = Server::launch(command);
    let list = server.list();
    let authorization = authorization(&server.account);
    let request = format!(
        "GET {list} HTTP/1.1\r\nHost: localhost\r\nAuthorization: {authorization}\r\nConnection: close\r\n\r\n"
    );
    let address = server.address;
    let expect_answer = || {
        let answer = ask(address, &request).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(answer.ends_with("</TwilioResponse>"), "{answer}");
    };
    expect_answer();
    server.expect_written(" on https://127.0.0.1:");
    // Reloading an unusable file changes nothing; reloading a usable one does.
    std::fs::write(&certificate, "nothing").unwrap();
    server.signal("HUP");
    server.expect_written("the certificate stays what it was");
    expect_answer();
    write_pem(&certificate, "CERTIFICATE", CERTIFICATE);
    server.signal("HUP");
    server.expect_written("the certificate was read again");
    expect_answer();
    // A client that does not use TLS gets no response, and a silent client does not block others.
    let silent = TcpStream::connect(address).unwrap();
    let mut clear = server.connect();
    let head = clear.head("GET", &list);
    assert!(clear.send(format!("{head}\r\n")).try_answer().is_err());
    let started = Instant::now();
    assert_eq!(server.terminate().0.code(), Some(0));
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    drop(silent);
}

#[test]
fn invalid_certificate_files_and_incomplete_options_are_refused() {
    let data = tempfile::tempdir().unwrap();
    let file = data.path().join("cert.pem");
    let both = |command: &mut std::process::Command| {
        command.arg("--tls-cert").arg(&file).arg("--tls-key").arg(&file);
        run(command)
    };
    for content in [None, Some("nothing")] {
        content.iter().for_each(|content| std::fs::write(&file, content).unwrap());
        let output = both(&mut serve(&data.path().join("data")));
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains("cert.pem: "), "{said}");
    }
    let output = run(serve(data.path()).arg("--tls-cert").arg(&file));
    assert_eq!(output.status.code(), Some(2), "{output:?}");
}

#[test]
fn listening_in_clear_beyond_this_machine_is_warned_of() {
    for (arguments, is_warned) in [
        (&["--listen=0.0.0.0:0"][..], true),
        (&["--listen=0.0.0.0:0", "--trusted-proxy=10.0.0.0/8"], false),
        (&["--listen=127.0.0.1:0"], false),
    ] {
        let data = tempfile::tempdir().unwrap();
        let server = Server::launch(serve(data.path()).args(arguments));
        let (_, written) = server.terminate();
        assert_eq!(written.contains("reach this in clear"), is_warned, "{written}");
    }
}
