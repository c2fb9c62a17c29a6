//! Tests of whole sessions, against a server of OpenSSL.

use super::pipe::{CIPHERTEXT, READ};
use super::reading::MAX_ANSWERS;
use super::*;
use crate::error::Status;
use crate::io::clock::Deadline;
use crate::io::socket::{Interest, Socket, TcpOptions};
use crate::io::tls::Peer;
use crate::io::tls::errors::test as errors;
use crate::io::tls::settings::Settings;

use std::ffi::c_int;
use std::io::{Read, Write};
use std::os::fd::IntoRawFd;
use std::os::unix::net::UnixStream;
use std::thread::JoinHandle;

use foreign_types::ForeignTypeRef;
use openssl::asn1::Asn1Time;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::PKey;
use openssl::ssl::{SslAcceptor, SslMethod, SslVersion};
use openssl::x509::{X509, X509Name};

unsafe extern "C" {
    fn SSL_key_update(ssl: *mut openssl_sys::SSL, kind: c_int) -> c_int;
    fn SSL_do_handshake(ssl: *mut openssl_sys::SSL) -> c_int;
}
const SSL_KEY_UPDATE_NOT_REQUESTED: c_int = 0;
const SSL_KEY_UPDATE_REQUESTED: c_int = 1;

type Server = SslStream<UnixStream>;

fn acceptor(version: SslVersion) -> SslAcceptor {
    let curve = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    let key = PKey::from_ec_key(EcKey::generate(&curve).unwrap()).unwrap();
    let mut name = X509Name::builder().unwrap();
    name.append_entry_by_text("CN", "test").unwrap();
    let name = name.build();
    let mut cert = X509::builder().unwrap();
    cert.set_subject_name(&name).unwrap();
    cert.set_issuer_name(&name).unwrap();
    cert.set_pubkey(&key).unwrap();
    cert.set_not_before(&Asn1Time::days_from_now(0).unwrap()).unwrap();
    cert.set_not_after(&Asn1Time::days_from_now(1).unwrap()).unwrap();
    cert.sign(&key, MessageDigest::sha256()).unwrap();
    let mut acceptor = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server()).unwrap();
    acceptor.set_max_proto_version(Some(version)).unwrap();
    acceptor.set_certificate(&cert.build()).unwrap();
    acceptor.set_private_key(&key).unwrap();
    acceptor.build()
}

/// A client's session, its socket, and the server, which runs `serve` on a thread of its own.
fn pair<T: Send + 'static>(
    version: SslVersion,
    serve: impl FnOnce(&mut Server) -> T + Send + 'static,
) -> (Session, Socket, JoinHandle<T>) {
    let (client, server) = UnixStream::pair().unwrap();
    let acceptor = acceptor(version);
    let server = std::thread::spawn(move || serve(&mut acceptor.accept(server).unwrap()));
    let socket = Socket::from_fd(client.into_raw_fd(), &TcpOptions::default()).unwrap();
    let mut settings = Settings::new().unwrap();
    settings.set_skip_verification(true);
    let peer = Peer { host: b"test", name: b"test" };
    let session = handshake(&settings, peer, &socket, Deadline::in_ms(10_000)).unwrap();
    (session, socket, server)
}

fn read_all(session: &Session, socket: &Socket, wanted: usize) -> Vec<u8> {
    let mut got = Vec::new();
    let mut buf = vec![0; 3000];
    while got.len() < wanted {
        match session.read(socket, &mut buf).unwrap() {
            Some(n) => got.extend_from_slice(&buf[..n]),
            None => assert!(socket.wait(Interest::Read, Deadline::in_ms(10_000)).unwrap()),
        }
    }
    got
}

/// The failure that the end of the stream is. A child of another test may hold the server's socket for a
/// moment.
fn end_of(session: &Session, socket: &Socket) -> Error {
    loop {
        match session.read(socket, &mut [0; 10]) {
            Ok(None) => assert!(socket.wait(Interest::Read, Deadline::in_ms(10_000)).unwrap()),
            Ok(Some(_)) => panic!("data behind the last"),
            Err(end) => return end,
        }
    }
}

fn write_all(session: &Session, socket: &Socket, data: &[u8]) {
    let mut sent = 0;
    while !session.write(socket, data, &mut sent).unwrap() {
        assert!(socket.wait(Interest::Write, Deadline::in_ms(10_000)).unwrap());
    }
    assert_eq!(sent, data.len());
}

fn text(len: usize) -> Vec<u8> {
    (0..len).map(|i| (i % 251) as u8).collect()
}

#[test]
fn data_goes_both_ways() {
    for version in [SslVersion::TLS1_2, SslVersion::TLS1_3] {
        const SIZE: usize = 300_000;
        let (session, socket, server) = pair(version, |stream| {
            let mut got = vec![0; SIZE];
            stream.read_exact(&mut got).unwrap();
            stream.write_all(&got).unwrap();
        });
        write_all(&session, &socket, &text(SIZE));
        assert!(!session.has_unsent());
        assert_eq!(read_all(&session, &socket, SIZE), text(SIZE));
        server.join().unwrap();
        assert_eq!(end_of(&session, &socket).status(), Status::ConnectionClosed);
        assert!(session.stream.lock().get_ref().incoming.is_empty(), "an idle session holds no buffer");
    }
}

#[test]
fn the_programs_error_queue_is_left_alone() {
    errors::leave(b"of the program");
    let (session, socket, server) = pair(SslVersion::TLS1_3, |stream| {
        let mut got = [0; 5];
        stream.read_exact(&mut got).unwrap();
        stream.write_all(&got).unwrap();
    });
    let mut buf = [0; 10];
    assert_eq!(session.read(&socket, &mut buf).unwrap(), None, "nothing there is no failure");
    write_all(&session, &socket, b"hello");
    assert_eq!(read_all(&session, &socket, 5), b"hello");
    server.join().unwrap();
    assert_eq!(end_of(&session, &socket).status(), Status::ConnectionClosed);
    drop(session);
    assert_eq!(errors::queue().len(), 1);
}

#[test]
fn a_record_counts_as_sent_only_as_a_whole() {
    let (go, wait) = std::sync::mpsc::channel::<()>();
    const SIZE: usize = 4_000_000;
    let (session, socket, server) = pair(SslVersion::TLS1_3, move |stream| {
        wait.recv().unwrap();
        let mut got = vec![0; SIZE];
        stream.read_exact(&mut got).unwrap();
        got
    });
    let (data, mut sent) = (text(SIZE), 0);
    assert!(!session.write(&socket, &data, &mut sent).unwrap(), "more than the socket takes");
    assert!(sent > 0 && sent.is_multiple_of(RECORD) && session.has_unsent() && !session.wants_write());
    go.send(()).unwrap();
    while !session.write(&socket, &data, &mut sent).unwrap() {
        assert!(socket.wait(Interest::Write, Deadline::in_ms(10_000)).unwrap());
    }
    assert!(!session.has_unsent());
    assert_eq!(server.join().unwrap(), data);
}

#[test]
fn keys_are_renewed_on_request() {
    let (session, socket, server) = pair(SslVersion::TLS1_3, |stream| {
        // SAFETY: the connection is alive.
        assert_eq!(unsafe { SSL_key_update(stream.ssl().as_ptr(), SSL_KEY_UPDATE_REQUESTED) }, 1);
        stream.write_all(b"new key").unwrap();
        let mut got = [0; 5];
        stream.read_exact(&mut got).unwrap();
        stream.write_all(b"and on").unwrap();
        got
    });
    assert_eq!(read_all(&session, &socket, 7), b"new key");
    write_all(&session, &socket, b"hello");
    assert_eq!(read_all(&session, &socket, 6), b"and on");
    assert_eq!(&server.join().unwrap(), b"hello");
}

#[test]
fn what_openssl_has_to_say_is_sent() {
    let (session, socket, server) = pair(SslVersion::TLS1_3, |stream| {
        let mut got = [0; 5];
        stream.read_exact(&mut got).unwrap();
        got
    });
    {
        let stream = session.stream.lock();
        // SAFETY: the connection is alive, and locked.
        unsafe {
            assert_eq!(SSL_key_update(stream.ssl().as_ptr(), SSL_KEY_UPDATE_NOT_REQUESTED), 1);
            assert_eq!(SSL_do_handshake(stream.ssl().as_ptr()), 1);
        }
    }
    assert_eq!(session.read(&socket, &mut [0; 10]).unwrap(), None);
    assert!(session.wants_write() && session.has_unsent());
    write_all(&session, &socket, b"");
    assert!(!session.has_unsent());
    write_all(&session, &socket, b"hello");
    assert_eq!(&server.join().unwrap(), b"hello");
}

#[test]
fn answers_that_nobody_reads_do_not_pile_up() {
    let (session, socket, server) = pair(SslVersion::TLS1_3, |stream| {
        let ssl = stream.ssl().as_ptr();
        // SAFETY: the connection is alive.
        let asks =
            || unsafe { SSL_key_update(ssl, SSL_KEY_UPDATE_REQUESTED) == 1 && SSL_do_handshake(ssl) == 1 };
        (0..100_000).take_while(|_| asks()).count()
    });
    let end = loop {
        match session.read(&socket, &mut [0; 10]) {
            Ok(_) => assert!(socket.wait(Interest::Read, Deadline::in_ms(10_000)).unwrap()),
            Err(end) => break end,
        }
        assert!(session.stream.lock().get_ref().outgoing.len() <= MAX_ANSWERS);
    };
    assert_eq!(end.status(), Status::IoError);
    drop((session, socket));
    assert!(server.join().unwrap() < 100_000);
}

#[test]
fn a_threads_buffer_is_freed_on_request() {
    let (session, socket, server) = pair(SslVersion::TLS1_3, |stream| stream.write_all(b"hello").unwrap());
    let kept = || {
        let buffer = CIPHERTEXT.take();
        let size = buffer.capacity();
        CIPHERTEXT.set(buffer);
        size
    };
    assert_eq!(read_all(&session, &socket, 5), b"hello");
    let _ = session.read(&socket, &mut [0; 10]);
    server.join().unwrap();
    assert!(kept() >= READ);
    release_thread_memory();
    assert_eq!(kept(), 0);
}

#[test]
fn the_end_comes_after_the_data() {
    let (session, socket, server) =
        pair(SslVersion::TLS1_3, |stream| stream.write_all(b"last words").unwrap());
    server.join().unwrap();
    let mut buf = [0; 100];
    assert_eq!(session.read(&socket, &mut buf).unwrap(), Some(10));
    assert_eq!(end_of(&session, &socket).status(), Status::ConnectionClosed);
}

#[test]
fn held_data_is_read_without_the_socket() {
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let (session, socket, server) = pair(SslVersion::TLS1_3, move |stream| {
        stream.write_all(&text(5000)).unwrap();
        wait.recv().unwrap();
    });
    assert!(socket.wait(Interest::Read, Deadline::in_ms(10_000)).unwrap());
    let mut got = Vec::new();
    let mut buf = [0; 1000];
    while got.is_empty() {
        let n = session.read(&socket, &mut buf).unwrap().unwrap_or(0);
        got.extend_from_slice(&buf[..n]);
    }
    assert!(session.may_have_more());
    session.read_only_held(true);
    while session.may_have_more() {
        let n = session.read(&socket, &mut buf).unwrap().unwrap_or(0);
        got.extend_from_slice(&buf[..n]);
    }
    assert_eq!(got, text(5000));
    go.send(()).unwrap();
    server.join().unwrap();
}
