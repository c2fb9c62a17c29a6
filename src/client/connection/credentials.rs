//! Which credentials a connect attempt sends.

use zeroize::Zeroizing;

use crate::client::connection::Connection;
use crate::client::options::auth::{Credentials, NKey, SignatureHandler};
use crate::error::{Error, Result, Status, fail, shown};
use crate::proto::creds;
use crate::proto::info::ServerInfo;
use crate::proto::memory::{self, Text};
use crate::proto::nkeys::{KeyPair, SIGNATURE_LEN};
use crate::session::pool::Server;

/// What goes into the CONNECT line; wiped when the line is written.
#[derive(Default)]
pub(super) struct Login {
    pub user: Option<Text>,
    pub password: Option<Text>,
    pub token: Option<Text>,
    pub nkey: Option<Text>,
    pub jwt: Option<Text>,
    /// base64url without padding.
    pub signature: Option<Vec<u8>>,
}

impl Connection {
    /// Collects the credentials for `server`, asking the program's handlers where there are any.
    pub(super) fn login(&self, server: &Server, info: &ServerInfo) -> Result<Login> {
        let mut login = match server.url.user.as_deref() {
            Some(user) => Login::named(user, server.url.password.as_deref())?, // it wins over the options
            None => self.option_login()?,
        };
        self.add_jwt_and_signature(&mut login, info)?;
        if let Some(handler) = &self.options.auth.token_handler {
            if login.token.is_some() {
                return fail(Status::IllegalState, "both a token and a token handler");
            }
            login.token = handler()?.map(Text::from);
        }
        Ok(login)
    }

    /// What the options say; without any, what another URL of the pool says.
    fn option_login(&self) -> Result<Login> {
        let options = &self.options;
        let nkey = match &options.auth.nkey {
            NKey::None => None,
            NKey::Callback { public_key, .. } | NKey::SeedFile { public_key, .. } => Some(public_key.clone()),
        };
        let no_user = options.auth.user.as_ref().is_none_or(|user| user.is_empty());
        if no_user && options.auth.token.as_ref().is_none_or(|token| token.is_empty()) {
            let state = self.state.lock();
            if let Some((user, password)) = state.servers.pool.default_credentials() {
                return Ok(Login { nkey, ..Login::named(user, password)? });
            }
        }
        Ok(Login {
            user: options.auth.user.clone(),
            password: options.auth.password.clone(),
            token: options.auth.token.clone(),
            nkey,
            ..Login::default()
        })
    }

    fn add_jwt_and_signature(&self, login: &mut Login, info: &ServerInfo) -> Result<()> {
        let jwt = match &self.options.auth.credentials {
            Credentials::None => None,
            _ if login.nkey.is_some() => return fail(Status::IllegalState, "both a user JWT and an NKey"),
            Credentials::Callbacks { jwt, .. } => Some(jwt()?.into()),
            Credentials::Files { chain, .. } => Some(Text::copy(creds::file_jwt(&read(chain)?))?),
            Credentials::Memory(text) => match creds::user_jwt(text) {
                Some(jwt) => Some(Text::copy(jwt)?),
                None => return Err(Error::unrecorded(Status::NotFound)),
            },
        };
        login.jwt = jwt;
        let has_jwt = login.jwt.as_ref().is_some_and(|jwt| !jwt.is_empty());
        if !has_jwt && login.nkey.as_ref().is_none_or(|key| key.is_empty()) {
            return Ok(());
        }
        let nonce = info.nonce.as_deref().map(str::as_bytes);
        let signature = match self.signer() {
            Some(handler) => handler(nonce)?,
            None => self.sign_with_seed(nonce.unwrap_or_default())?.to_vec(),
        };
        if !signature.is_empty() {
            let encoding = &data_encoding::BASE64URL_NOPAD;
            let mut text = memory::zeros(encoding.encode_len(signature.len()))?;
            encoding.encode_mut(&signature, &mut text);
            login.signature = Some(text);
        }
        Ok(())
    }

    /// The program's own signature handler, if it has one.
    fn signer(&self) -> Option<&SignatureHandler> {
        match (&self.options.auth.credentials, &self.options.auth.nkey) {
            (Credentials::Callbacks { signature, .. }, _) => Some(signature),
            (Credentials::None, NKey::Callback { signature, .. }) => Some(signature),
            _ => None,
        }
    }

    /// Signs with the seed of the credentials or of the NKey.
    fn sign_with_seed(&self, text: &[u8]) -> Result<[u8; SIGNATURE_LEN]> {
        let key = match (&self.options.auth.credentials, &self.options.auth.nkey) {
            (Credentials::Files { seed: Some(file), .. }, _)
            | (Credentials::None, NKey::SeedFile { seed_file: file, .. }) => {
                KeyPair::from_seed(creds::seed_file_seed(&read(file)?, file)?)?
            }
            (Credentials::Files { chain, .. }, _) => {
                KeyPair::from_seed(creds::file_seed(&read(chain)?, chain)?)?
            }
            (Credentials::Memory(text), _) => match creds::user_seed(text) {
                Some(seed) => KeyPair::from_seed(seed)?,
                None => return Err(Error::unrecorded(Status::NotFound)),
            },
            _ => return fail(Status::Err, "unable to sign since no user credentials have been set"),
        };
        Ok(key.sign(text))
    }

    /// Signs with the seed the connection was given credentials with.
    pub fn sign(&self, text: &[u8]) -> Result<[u8; SIGNATURE_LEN]> {
        self.sign_with_seed(text)
    }
}

impl Login {
    /// User and password; a user alone is a token.
    fn named(user: &[u8], password: Option<&[u8]>) -> Result<Login> {
        let (password, user) = (password.map(Text::copy).transpose()?, Some(Text::copy(user)?));
        Ok(match password {
            Some(_) => Login { user, password, ..Login::default() },
            None => Login { token: user, ..Login::default() },
        })
    }
}

/// A whole file, wiped from memory after use.
fn read(file: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
    use std::io::ErrorKind;
    use std::os::unix::ffi::OsStrExt;
    match std::fs::read(std::ffi::OsStr::from_bytes(file)) {
        Ok(content) => Ok(Zeroizing::new(content)),
        Err(e) if e.kind() == ErrorKind::OutOfMemory => Err(Status::NoMemory.into()),
        Err(e) => fail(Status::Err, format!("error opening file '{}': {e}", shown(file))),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::client::connection::testing::unconnected;
    use crate::client::options::Options;

    /// What a connect to this URL sends.
    fn login(url: &str, set: impl FnOnce(&mut Options)) -> Result<Login> {
        let connection = unconnected(|options| {
            options.set_url(Some(url.as_bytes())).unwrap();
            set(options);
        });
        let server = connection.state.lock().servers.pool.current().unwrap().clone();
        connection.login(&server, &ServerInfo::default())
    }

    fn user_and_password(login: &Login) -> (Option<&[u8]>, Option<&[u8]>) {
        (login.user.as_deref(), login.password.as_deref())
    }

    #[test]
    fn what_a_url_says_wins_over_the_options() {
        let set = |options: &mut Options| options.auth.set_user_info(Some(b"o"), Some(b"p")).unwrap();
        let named = login("nats://u:q@a:1", set).unwrap();
        assert_eq!(user_and_password(&named), (Some(&b"u"[..]), Some(&b"q"[..])));
        let token = login("nats://t@a:1", set).unwrap();
        assert_eq!((token.user.as_deref(), token.token.as_deref()), (None, Some(&b"t"[..])));
        let from_options = login("nats://a:1", set).unwrap();
        assert_eq!(user_and_password(&from_options), (Some(&b"o"[..]), Some(&b"p"[..])));
    }

    #[test]
    fn a_token_has_one_origin() {
        let handler = || -> Option<crate::client::options::auth::TokenHandler> {
            Some(Arc::new(|| Ok(Some(b"asked for".to_vec()))))
        };
        let asked =
            login("nats://a:1", |options| options.auth.set_token_handler(handler()).unwrap()).unwrap();
        assert_eq!(asked.token.as_deref(), Some(&b"asked for"[..]));
        let both = login("nats://t@a:1", |options| options.auth.set_token_handler(handler()).unwrap());
        assert_eq!(both.err().map(|error| error.status()), Some(Status::IllegalState));
    }

    #[test]
    fn credentials_without_a_jwt_are_refused() {
        let none = login("nats://a:1", |options| {
            options.auth.set_user_credentials_from_memory(Some(b"nothing of the kind")).unwrap();
        });
        assert_eq!(none.err().map(|error| error.status()), Some(Status::NotFound));
    }
}
