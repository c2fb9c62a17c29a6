//! One TLS connection. OpenSSL works on two buffers in memory; whoever reads fills the one, whoever writes empties
//! the other. OpenSSL's own lock is short: a record is encrypted or decrypted under it, no socket is touched.

use std::cell::Cell;
use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::proto::memory;
use crate::sync::Mutex;
use openssl::ssl::{ErrorCode, SslStream};

use crate::error::{Error, Result, Status, fail};
use crate::io::clock::Deadline;
use crate::io::fork::EndsUndisturbed;
use crate::io::socket::{Interest, Socket};
use crate::io::tls::Peer;
use crate::io::tls::errors::{apart, reason, tried};
use crate::io::tls::settings::{Refusal, Settings};

/// Most bytes of data in one record.
const RECORD: usize = 16 * 1024;
/// What a record has besides its data, at most.
const RECORD_OVERHEAD: usize = 64;
/// Records that are written with one call.
const RECORDS_PER_WRITE: usize = 4;
/// Size of one read from the socket.
const READ: usize = 64 * 1024;
/// Reads from the socket in one call, so that a peer that sends nothing but empty records keeps nobody busy.
const READS_PER_CALL: usize = 8;
/// Most bytes of answers to a peer that asks and asks (for new keys), and does not read.
const MAX_ANSWERS: usize = 64 * 1024;

thread_local! {
    /// What a thread reads into; it travels through the session and comes back when it is used up.
    static CIPHERTEXT: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

pub struct Session {
    stream: Mutex<EndsUndisturbed<SslStream<Pipe>>>,
    /// Of the one thread that writes at a time.
    writer: Mutex<Writer>,
    /// OpenSSL wants something sent that no writer has taken yet (an answer to the peer).
    unsent: AtomicBool,
    /// The last write left ciphertext behind.
    unfinished: AtomicBool,
    /// Why reading has ended, kept for the next call when there was still data to return.
    end: Mutex<Option<Error>>,
    /// The last read left something behind: data, or the end.
    more: AtomicBool,
    /// Reading only uses what was read from the socket before.
    only_held: AtomicBool,
}

/// The two buffers.
#[derive(Default)]
struct Pipe {
    incoming: Vec<u8>,
    used: usize,
    filled: usize,
    ended: bool,
    outgoing: Vec<u8>,
}

/// Ciphertext on its way to the socket.
#[derive(Default)]
struct Writer {
    ciphertext: Vec<u8>,
    sent: usize,
    /// Where in the ciphertext a record ends, and how much data is in it.
    records: VecDeque<(usize, usize)>,
}

/// What OpenSSL made of the ciphertext it has.
enum Decrypted {
    Data(usize),
    NeedsMore,
}

/// Runs the handshake on a connected socket, until the deadline.
pub fn handshake(
    settings: &Settings,
    peer: Peer<'_>,
    socket: &Socket,
    deadline: Deadline,
) -> Result<Session> {
    let (ssl, refusal) = settings.prepare(peer)?;
    let mut stream = tried(|| SslStream::new(ssl, Pipe::default()))
        .map_err(|e| Error::new(Status::SslError, format!("SSL handshake error: {e}")))?;
    loop {
        let step = settings.in_turn(|| apart(|| stream.connect()));
        let out = std::mem::take(&mut stream.get_mut().outgoing);
        match step {
            Ok(()) => {
                send_all(socket, &out, deadline)?;
                return Ok(Session::new(stream));
            }
            Err(e) if e.code() == ErrorCode::WANT_READ => send_all(socket, &out, deadline)?,
            Err(e) => {
                let _ = socket.write(&out); // tells the server why; it is no loss if that does not arrive
                return Err(handshake_error(&e, &refusal, stream.get_ref().ended));
            }
        }
        receive_some(socket, stream.get_mut(), deadline)?;
    }
}

fn send_all(socket: &Socket, data: &[u8], deadline: Deadline) -> Result<()> {
    let mut sent = 0;
    while sent < data.len() {
        match socket.write(&data[sent..]) {
            Ok(n) => sent += n,
            Err(e) if e.kind() == ErrorKind::WouldBlock => wait(socket, Interest::Write, deadline)?,
            Err(e) => return fail(Status::SslError, format!("SSL handshake error: {e}")),
        }
    }
    Ok(())
}

/// Waits for bytes from the server, or for their end.
fn receive_some(socket: &Socket, pipe: &mut Pipe, deadline: Deadline) -> Result<()> {
    let mut buffer = memory::zeros(RECORD)?;
    loop {
        wait(socket, Interest::Read, deadline)?;
        match socket.read(&mut buffer) {
            Ok(0) => pipe.ended = true,
            Ok(n) => pipe.feed(buffer, n),
            Err(e) if e.kind() == ErrorKind::WouldBlock => continue,
            Err(e) => return fail(Status::SslError, format!("SSL handshake error: {e}")),
        }
        return Ok(());
    }
}

fn wait(socket: &Socket, interest: Interest, deadline: Deadline) -> Result<()> {
    if socket.wait_or_end(interest, deadline)? && !deadline.has_passed() {
        Ok(())
    } else {
        Err(Status::Timeout.into())
    }
}

fn handshake_error(error: &openssl::ssl::Error, refusal: &Refusal, ended: bool) -> Error {
    let why = match refusal.lock().take() {
        Some(why) => why,
        None => failure(error, ended),
    };
    Error::new(Status::SslError, format!("SSL handshake error: {why}"))
}

fn failure(error: &openssl::ssl::Error, ended: bool) -> String {
    match error.ssl_error() {
        Some(stack) if !stack.errors().is_empty() => reason(stack),
        _ if ended => "unexpected eof while reading".to_owned(),
        _ => "unknown error".to_owned(),
    }
}

impl Session {
    fn new(stream: SslStream<Pipe>) -> Session {
        Session {
            stream: Mutex::new(EndsUndisturbed::new(stream)),
            writer: Mutex::default(),
            unsent: AtomicBool::new(false),
            unfinished: AtomicBool::new(false),
            end: Mutex::new(None),
            more: AtomicBool::new(false),
            only_held: AtomicBool::new(false),
        }
    }

    // ---- reading: one thread at a time ----

    /// Reads what is there, until `buf` is full or the socket has nothing: `None` when that is nothing yet.
    /// [`Session::may_have_more`] says whether to call again.
    pub fn read(&self, socket: &Socket, buf: &mut [u8]) -> Result<Option<usize>> {
        self.more.store(false, Ordering::Relaxed);
        if let Some(end) = self.end.lock().take() {
            return Err(end);
        }
        let mut filled = 0;
        match self.fill(socket, buf, &mut filled) {
            Ok(more) => self.more.store(more, Ordering::Relaxed),
            Err(end) if filled == 0 => return Err(end),
            Err(end) => {
                *self.end.lock() = Some(end);
                self.more.store(true, Ordering::Relaxed);
            }
        }
        let busy = self.more.load(Ordering::Relaxed);
        Ok((filled > 0 || busy).then_some(filled))
    }

    /// True when it stopped for another reason than an empty socket.
    fn fill(&self, socket: &Socket, buf: &mut [u8], filled: &mut usize) -> Result<bool> {
        let mut drained = false;
        for _ in 0..=READS_PER_CALL {
            while let Decrypted::Data(n) = self.decrypt(&mut buf[*filled..])? {
                *filled += n;
                if *filled == buf.len() {
                    return Ok(true);
                }
            }
            // With nothing to return the end, which may have come along, must not be missed.
            if drained && *filled > 0 {
                return Ok(false);
            }
            match self.receive(socket)? {
                None => return Ok(false),
                Some(all) => drained = all,
            }
        }
        Ok(true)
    }

    /// One record, or the rest of one.
    fn decrypt(&self, buf: &mut [u8]) -> Result<Decrypted> {
        let mut stream = self.stream.lock();
        let result = apart(|| stream.ssl_read(buf));
        if !stream.get_ref().outgoing.is_empty() {
            self.unsent.store(true, Ordering::Release);
        }
        if stream.get_ref().outgoing.len() > MAX_ANSWERS {
            return fail(Status::IoError, "the server asks for more than it reads");
        }
        let error = match result {
            Ok(n) if n > 0 => return Ok(Decrypted::Data(n)),
            Ok(_) => return closed(),
            Err(error) => error,
        };
        match error.code() {
            ErrorCode::WANT_READ => {
                stream.get_mut().give_back();
                Ok(Decrypted::NeedsMore)
            }
            ErrorCode::ZERO_RETURN => closed(),
            _ if stream.get_ref().ended => closed(),
            _ => fail(Status::IoError, format!("error reading from the server: {}", failure(&error, false))),
        }
    }

    /// Reads from the socket once: `None` when there is nothing, else whether that was all.
    fn receive(&self, socket: &Socket) -> Result<Option<bool>> {
        if self.only_held.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let mut buffer = CIPHERTEXT.try_with(Cell::take).unwrap_or_default();
        if buffer.len() < READ {
            buffer = memory::zeros(READ)?;
        }
        match socket.read(&mut buffer) {
            Ok(n) if n > 0 => {
                self.stream.lock().get_mut().feed(buffer, n);
                Ok(Some(n < READ))
            }
            result => {
                keep_for_next(buffer);
                match result {
                    Ok(_) => {
                        self.stream.lock().get_mut().ended = true;
                        Ok(Some(false)) // OpenSSL decides what an end at this place means
                    }
                    Err(e) if e.kind() == ErrorKind::WouldBlock => Ok(None),
                    Err(e) => fail(Status::IoError, format!("error reading from the server: {e}")),
                }
            }
        }
    }

    /// Appends what has arrived with the handshake already: nothing will announce it. An end among it is for the
    /// next read.
    pub fn take_decrypted(&self, into: &mut Vec<u8>) -> Result<()> {
        let mut record = memory::zeros(RECORD)?;
        loop {
            match self.decrypt(&mut record) {
                Ok(Decrypted::Data(n)) => memory::extend(into, &record[..n])?,
                Ok(Decrypted::NeedsMore) => return Ok(()),
                Err(end) => {
                    *self.end.lock() = Some(end);
                    self.more.store(true, Ordering::Relaxed);
                    return Ok(());
                }
            }
        }
    }

    /// While on, reads leave the socket alone and return what OpenSSL still has.
    pub fn read_only_held(&self, on: bool) {
        self.only_held.store(on, Ordering::Relaxed);
    }

    /// Whether the last read left something behind that no event will announce.
    pub fn may_have_more(&self) -> bool {
        self.more.load(Ordering::Relaxed)
    }

    // ---- writing: one thread at a time ----

    /// Whether OpenSSL wants something sent for which nobody has called [`Session::write`] yet.
    pub fn wants_write(&self) -> bool {
        self.unsent.load(Ordering::Acquire)
    }

    /// Whether a [`Session::write`] would have something to send even without data.
    pub fn has_unsent(&self) -> bool {
        self.wants_write() || self.unfinished.load(Ordering::Acquire)
    }

    /// Writes what the socket takes now, of `data` from `sent` on; a call that did not finish is repeated with the
    /// same data. A record counts as sent when all of it is. False when something is left.
    pub fn write(&self, socket: &Socket, data: &[u8], sent: &mut usize) -> io::Result<bool> {
        let mut writer = std::mem::take(&mut *self.writer.lock());
        let result = self.write_with(&mut writer, socket, data, sent);
        self.unfinished.store(matches!(result, Ok(false)), Ordering::Release);
        *self.writer.lock() = writer;
        result
    }

    fn write_with(
        &self,
        writer: &mut Writer,
        socket: &Socket,
        data: &[u8],
        sent: &mut usize,
    ) -> io::Result<bool> {
        loop {
            if !writer.send(socket, sent)? {
                return Ok(false);
            }
            *writer = Writer::default();
            if *sent >= data.len() && !self.wants_write() {
                return Ok(true);
            }
            self.encrypt(&data[*sent..], writer)?;
        }
    }

    fn encrypt(&self, data: &[u8], writer: &mut Writer) -> io::Result<()> {
        let data = &data[..data.len().min(RECORDS_PER_WRITE * RECORD)];
        let mut stream = self.stream.lock();
        self.unsent.store(false, Ordering::Release);
        stream.get_mut().outgoing.try_reserve(data.len() + RECORDS_PER_WRITE * RECORD_OVERHEAD)?;
        for record in data.chunks(RECORD) {
            match apart(|| stream.ssl_write(record)) {
                Ok(n) => writer.records.push_back((stream.get_ref().outgoing.len(), n)),
                Err(e) => return Err(io::Error::other(failure(&e, false))),
            }
        }
        writer.ciphertext = std::mem::take(&mut stream.get_mut().outgoing);
        Ok(())
    }
}

fn keep_for_next(buffer: Vec<u8>) {
    let _ = CIPHERTEXT.try_with(|spare| spare.set(buffer));
}

/// Frees what the calling thread keeps.
pub fn release_thread_memory() {
    keep_for_next(Vec::new());
}

fn closed<T>() -> Result<T> {
    Err(Status::ConnectionClosed.into())
}

impl Writer {
    /// False when the socket does not take all of it.
    fn send(&mut self, socket: &Socket, sent: &mut usize) -> io::Result<bool> {
        while self.sent < self.ciphertext.len() {
            match socket.write(&self.ciphertext[self.sent..]) {
                Ok(n) => self.sent += n,
                Err(e) if e.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(e) => return Err(e),
            }
            while let Some((end, data)) = self.records.front().copied().filter(|(end, _)| *end <= self.sent) {
                debug_assert!(end <= self.sent);
                *sent += data;
                self.records.pop_front();
            }
        }
        Ok(true)
    }
}

impl Pipe {
    /// Gives ciphertext to OpenSSL, which has used up what it had.
    fn feed(&mut self, buffer: Vec<u8>, filled: usize) {
        debug_assert_eq!(self.used, self.filled);
        (self.incoming, self.used, self.filled) = (buffer, 0, filled);
    }

    /// An idle connection holds no buffer.
    fn give_back(&mut self) {
        if self.incoming.len() == READ {
            (self.used, self.filled) = (0, 0);
            keep_for_next(std::mem::take(&mut self.incoming));
        }
    }
}

impl Read for Pipe {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = buf.len().min(self.filled - self.used);
        if n == 0 && !self.ended {
            return Err(ErrorKind::WouldBlock.into());
        }
        buf[..n].copy_from_slice(&self.incoming[self.used..self.used + n]);
        self.used += n;
        Ok(n)
    }
}

impl Write for Pipe {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.outgoing.try_reserve(data.len())?;
        self.outgoing.extend_from_slice(data);
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::socket::TcpOptions;
    use crate::io::tls::errors::test as errors;

    use std::ffi::c_int;
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

    /// The failure that the end of the stream is. A child of another test may hold the server's socket for a moment.
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
            let asks = || unsafe {
                SSL_key_update(ssl, SSL_KEY_UPDATE_REQUESTED) == 1 && SSL_do_handshake(ssl) == 1
            };
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
        let (session, socket, server) =
            pair(SslVersion::TLS1_3, |stream| stream.write_all(b"hello").unwrap());
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
}
