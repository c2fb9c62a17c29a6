//! A build without TLS: nothing of this can be made, and who tries gets `NATS_ILLEGAL_STATE`.

use std::io;

use crate::error::{Result, Status, fail};
use crate::io::clock::Deadline;
use crate::io::socket::Socket;
use crate::io::tls::{Peer, VerifyCallback};

/// Settings of TLS; there are none.
pub enum Settings {}

/// An established TLS connection; there is none.
pub enum Session {}

pub fn handshake(
    settings: &Settings,
    Peer { host: _host, name: _name }: Peer<'_>,
    _socket: &Socket,
    _deadline: Deadline,
) -> Result<Session> {
    match *settings {}
}

/// There is nothing to free.
pub fn release_thread_memory() {}

impl Settings {
    #[track_caller]
    pub fn available() -> Result<()> {
        fail(Status::IllegalState, "the library was built without TLS")
    }

    pub fn new() -> Result<Settings> {
        Err(Settings::available().expect_err("never available"))
    }

    pub fn add_trusted_file(&mut self, _file: &[u8]) -> Result<()> {
        match *self {}
    }

    pub fn add_trusted_directory(&mut self, _directory: &[u8]) -> Result<()> {
        match *self {}
    }

    pub fn add_trusted(&mut self, _pem: &[u8]) -> Result<()> {
        match *self {}
    }

    pub fn load_certificate(&mut self, _certificate: &[u8], _key: &[u8]) -> Result<()> {
        match *self {}
    }

    pub fn set_dynamic_certificate(&mut self, _certificate: &[u8], _key: &[u8]) -> Result<()> {
        match *self {}
    }

    pub fn set_certificate(&mut self, _certificate: &[u8], _key: &[u8]) -> Result<()> {
        match *self {}
    }

    pub fn set_ciphers(&mut self, _ciphers: &[u8]) -> Result<()> {
        match *self {}
    }

    pub fn set_cipher_suites(&mut self, _suites: &[u8]) -> Result<()> {
        match *self {}
    }

    pub fn set_expected_host(&mut self, _host: Option<&[u8]>) -> Result<()> {
        match *self {}
    }

    pub fn set_skip_verification(&mut self, _skip: bool) {
        match *self {}
    }

    pub fn set_verify_callback(&mut self, _callback: Option<VerifyCallback>) {
        match *self {}
    }

    pub fn allow_concurrent_handshakes(&mut self) {
        match *self {}
    }
}

impl Session {
    pub fn read(&self, _socket: &Socket, _buf: &mut [u8]) -> Result<Option<usize>> {
        match *self {}
    }

    pub fn take_decrypted(&self, _into: &mut Vec<u8>) -> Result<()> {
        match *self {}
    }

    pub fn may_have_more(&self) -> bool {
        match *self {}
    }

    pub fn read_only_held(&self, _on: bool) {
        match *self {}
    }

    pub fn wants_write(&self) -> bool {
        match *self {}
    }

    pub fn has_unsent(&self) -> bool {
        match *self {}
    }

    pub fn write(&self, _socket: &Socket, _data: &[u8], _sent: &mut usize) -> io::Result<bool> {
        match *self {}
    }
}
