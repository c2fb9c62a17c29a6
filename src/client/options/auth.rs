//! Who the program says it is.

use std::sync::Arc;

use crate::error::{Result, Status, fail};
use crate::proto::memory::Text;

/// Gives the token of a connect attempt; `None` sends none.
pub(crate) type TokenHandler = Arc<dyn Fn() -> Result<Option<Vec<u8>>> + Send + Sync>;

/// Gives the user JWT; empty when there is none.
pub(crate) type UserJwtHandler = Arc<dyn Fn() -> Result<Vec<u8>> + Send + Sync>;

/// Signs the server's nonce (`None` when the server sent none) and gives the raw signature; empty sends none.
pub(crate) type SignatureHandler = Arc<dyn Fn(Option<&[u8]>) -> Result<Vec<u8>> + Send + Sync>;

/// Where the user JWT and the key that signs the nonce come from.
#[derive(Clone, Default)]
pub enum Credentials {
    #[default]
    None,
    Callbacks {
        jwt: UserJwtHandler,
        signature: SignatureHandler,
    },
    /// File names; `chain` has the JWT, and the seed too unless `seed` names a file for it. Read at each
    /// attempt.
    Files {
        chain: Text,
        seed: Option<Text>,
    },
    /// JWT and seed, formatted like a credentials file.
    Memory(Text),
}

/// A plain NKey, without a JWT.
#[derive(Clone, Default)]
pub enum NKey {
    #[default]
    None,
    Callback {
        public_key: Text,
        signature: SignatureHandler,
    },
    /// The file with the seed is read at each attempt.
    SeedFile {
        public_key: Text,
        seed_file: Text,
    },
}

#[derive(Clone, Default)]
pub struct AuthOptions {
    pub user: Option<Text>,
    pub password: Option<Text>,
    pub token: Option<Text>,
    pub token_handler: Option<TokenHandler>,
    pub credentials: Credentials,
    pub nkey: NKey,
    /// Goes on connecting however often a server refuses the credentials.
    pub ignore_error_abort: bool,
}

impl AuthOptions {
    /// Sets user and password. A password alone means nothing to a server and is dropped.
    pub fn set_user_info(&mut self, user: Option<&[u8]>, password: Option<&[u8]>) -> Result<()> {
        let password = user.and(password).map(Text::copy).transpose()?;
        self.user = user.map(Text::copy).transpose()?;
        self.password = password;
        Ok(())
    }

    /// Sets the token; not while there is a token handler.
    pub fn set_token(&mut self, token: Option<&[u8]>) -> Result<()> {
        if token.is_some() && self.token_handler.is_some() {
            return fail(Status::IllegalState, "Cannot set a token if a token handler has already been set");
        }
        self.token = token.map(Text::copy).transpose()?;
        Ok(())
    }

    /// Sets the token handler; not while there is a token.
    pub fn set_token_handler(&mut self, handler: Option<TokenHandler>) -> Result<()> {
        if handler.is_some() && self.token.is_some() {
            return fail(Status::IllegalState, "Cannot set a token handler if a token has already been set");
        }
        self.token_handler = handler;
        Ok(())
    }

    /// Both handlers or none; removes every other kind of JWT or NKey credentials.
    pub fn set_user_credentials_callbacks(
        &mut self,
        jwt: Option<UserJwtHandler>,
        signature: Option<SignatureHandler>,
    ) -> Result<()> {
        let credentials = match (jwt, signature) {
            (Some(jwt), Some(signature)) => Credentials::Callbacks { jwt, signature },
            (None, None) => Credentials::None,
            _ => return Err(Status::InvalidArg.into()),
        };
        self.set_credentials(credentials);
        Ok(())
    }

    /// File names; an empty one counts as none. Removes every other kind of JWT or NKey credentials.
    pub fn set_user_credentials_from_files(
        &mut self,
        chain: Option<&[u8]>,
        seed: Option<&[u8]>,
    ) -> Result<()> {
        let credentials = match (given(chain)?, given(seed)?) {
            (Some(chain), seed) => Credentials::Files { chain, seed },
            (None, None) => Credentials::None,
            (None, Some(_)) => return fail(Status::InvalidArg, "a seed file needs a file with the user JWT"),
        };
        self.set_credentials(credentials);
        Ok(())
    }

    /// JWT and seed like in a credentials file, not looked at here. Removes every other kind of JWT or NKey
    /// credentials.
    pub fn set_user_credentials_from_memory(&mut self, content: Option<&[u8]>) -> Result<()> {
        let content = content.map(Text::copy).transpose()?;
        self.set_credentials(content.map_or(Credentials::None, Credentials::Memory));
        Ok(())
    }

    /// Sets a public NKey and who signs with it, removing JWT credentials. Without a key the NKey is removed;
    /// a handler given then replaces that of credentials callbacks.
    pub fn set_nkey(&mut self, public_key: Option<&[u8]>, signature: Option<SignatureHandler>) -> Result<()> {
        match (given(public_key)?, signature) {
            (Some(public_key), Some(signature)) => {
                self.credentials = Credentials::None;
                self.nkey = NKey::Callback { public_key, signature };
            }
            (Some(_), None) => return Err(Status::InvalidArg.into()),
            (None, replacement) => {
                self.nkey = NKey::None;
                if let (Credentials::Callbacks { signature, .. }, Some(new)) =
                    (&mut self.credentials, replacement)
                {
                    *signature = new;
                }
            }
        }
        Ok(())
    }

    /// Sets a public NKey and the file with its seed; without a key removes NKey and JWT credentials.
    pub fn set_nkey_from_seed(&mut self, public_key: Option<&[u8]>, seed_file: Option<&[u8]>) -> Result<()> {
        let nkey = match (given(public_key)?, given(seed_file)?) {
            (Some(public_key), Some(seed_file)) => NKey::SeedFile { public_key, seed_file },
            (Some(_), None) => return Err(Status::InvalidArg.into()),
            (None, _) => NKey::None,
        };
        self.credentials = Credentials::None;
        self.nkey = nkey;
        Ok(())
    }

    fn set_credentials(&mut self, credentials: Credentials) {
        self.credentials = credentials;
        self.nkey = NKey::None;
    }
}

/// The text, unless it is empty.
fn given(text: Option<&[u8]>) -> Result<Option<Text>> {
    text.filter(|text| !text.is_empty()).map(Text::copy).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: &[u8]) -> Text {
        Text::copy(bytes).unwrap()
    }

    fn options() -> AuthOptions {
        AuthOptions::default()
    }

    fn status(result: Result<()>) -> Status {
        result.map_or_else(|e| e.status(), |()| Status::Ok)
    }

    fn signer(signature: &'static [u8]) -> Option<SignatureHandler> {
        Some(Arc::new(move |_| Ok(signature.to_vec())))
    }

    fn jwt() -> Option<UserJwtHandler> {
        Some(Arc::new(|| Ok(b"JWT".to_vec())))
    }

    #[test]
    fn a_lonely_password_is_dropped() {
        let mut o = options();
        o.set_user_info(None, Some(b"p")).unwrap();
        assert_eq!((&o.user, &o.password), (&None, &None));
        o.set_user_info(Some(b""), Some(b"p")).unwrap();
        assert_eq!((o.user, o.password), (Some(text(b"")), Some(text(b"p"))));
    }

    #[test]
    fn token_and_handler_exclude_each_other() {
        let mut o = options();
        let handler = || -> Option<TokenHandler> { Some(Arc::new(|| Ok(None))) };
        o.set_token(Some(b"")).unwrap();
        assert_eq!(status(o.set_token_handler(handler())), Status::IllegalState);
        assert_eq!(status(o.set_token_handler(None)), Status::Ok);
        o.set_token(None).unwrap();
        o.set_token_handler(handler()).unwrap();
        assert_eq!(status(o.set_token(Some(b"t"))), Status::IllegalState);
        assert_eq!(status(o.set_token(None)), Status::Ok);
        assert!(o.token.is_none() && o.token_handler.is_some());
    }

    #[test]
    fn jwt_credentials_replace_an_nkey() {
        let mut o = options();
        o.set_nkey(Some(b"PUB"), signer(b"s")).unwrap();
        assert_eq!(status(o.set_user_credentials_callbacks(jwt(), None)), Status::InvalidArg);
        assert_eq!(status(o.set_user_credentials_from_files(Some(b""), Some(b"s"))), Status::InvalidArg);
        assert!(matches!(o.nkey, NKey::Callback { .. }), "a refused setter changes nothing");
        o.set_user_credentials_callbacks(jwt(), signer(b"s")).unwrap();
        assert!(matches!((&o.nkey, &o.credentials), (NKey::None, Credentials::Callbacks { .. })));
        o.set_user_credentials_from_files(Some(b"c"), Some(b"")).unwrap();
        assert!(matches!(&o.credentials, Credentials::Files { chain, seed: None } if **chain == *b"c"));
        o.set_user_credentials_from_memory(Some(b"")).unwrap();
        assert!(matches!(&o.credentials, Credentials::Memory(content) if content.is_empty()));
        o.set_user_credentials_from_files(None, None).unwrap();
        assert!(matches!(o.credentials, Credentials::None));
    }

    #[test]
    fn an_nkey_replaces_jwt_credentials() {
        let mut o = options();
        o.set_user_credentials_from_memory(Some(b"m")).unwrap();
        assert_eq!(status(o.set_nkey(Some(b"PUB"), None)), Status::InvalidArg);
        assert_eq!(status(o.set_nkey_from_seed(Some(b"PUB"), Some(b""))), Status::InvalidArg);
        o.set_nkey(Some(b""), None).unwrap();
        assert!(matches!(o.credentials, Credentials::Memory(_)), "only the NKey is removed");
        o.set_nkey_from_seed(Some(b"PUB"), Some(b"f")).unwrap();
        assert!(matches!((&o.nkey, &o.credentials), (NKey::SeedFile { .. }, Credentials::None)));
        o.set_user_credentials_from_memory(Some(b"m")).unwrap();
        o.set_nkey_from_seed(None, Some(b"f")).unwrap();
        assert!(matches!((&o.nkey, &o.credentials), (NKey::None, Credentials::None)));
    }

    #[test]
    fn clearing_the_nkey_may_replace_the_signer_of_callbacks() {
        let mut o = options();
        o.set_user_credentials_callbacks(jwt(), signer(b"old")).unwrap();
        let signed = |o: &AuthOptions| match &o.credentials {
            Credentials::Callbacks { signature, .. } => signature(None).unwrap(),
            _ => panic!("the callbacks are gone"),
        };
        o.set_nkey(None, None).unwrap();
        assert_eq!(signed(&o), b"old");
        o.set_nkey(None, signer(b"new")).unwrap();
        assert_eq!(signed(&o), b"new");
    }
}
