//! Whether TLS is wanted, how it is done.

use std::sync::Arc;

use crate::error::{Result, Status, fail};
pub use crate::io::tls::Settings as TlsSettings;

/// The settings are shared with the connections made from the options, and locked while shared.
#[derive(Clone, Default)]
pub struct TlsOptions {
    pub required: bool,
    /// The program said whether it wants TLS: `tls://` URLs no longer decide.
    pub explicit: bool,
    /// TLS from the first byte, before the server's INFO.
    pub first: bool,
    /// How TLS is done, should it be; `None`: the default way.
    pub settings: Option<Arc<TlsSettings>>,
}

impl TlsOptions {
    /// Asks for TLS, or not to ask for it; then all TLS settings are dropped.
    pub fn set_required(&mut self, required: bool) -> Result<()> {
        let settings = TlsSettings::new()?; // in a build without TLS this ends here
        self.explicit = true;
        self.required = required;
        self.settings = match self.settings.take() {
            _ if !required => None,
            Some(old) => Some(old),
            None => Some(Arc::new(settings)),
        };
        Ok(())
    }

    /// Asks for TLS from the first byte.
    pub fn set_first(&mut self) -> Result<()> {
        self.change(|_| Ok(()))?;
        self.required = true;
        self.first = true;
        Ok(())
    }

    /// Changes the settings, which no connection may be using.
    pub fn change(&mut self, change: impl FnOnce(&mut TlsSettings) -> Result<()>) -> Result<()> {
        let mut settings = match self.settings.take() {
            Some(settings) => settings,
            None => Arc::new(TlsSettings::new()?),
        };
        let result = match Arc::get_mut(&mut settings) {
            Some(settings) => change(settings),
            None => fail(
                Status::IllegalState,
                "options with TLS settings can't be modified while a connection made from them exists",
            ),
        };
        self.settings = Some(settings);
        result
    }

    /// A URL asks for TLS. It stays wanted when a later URL does not ask.
    pub(super) fn want(&mut self) -> Result<()> {
        if self.settings.is_none() {
            let settings = TlsSettings::new()?;
            if !self.explicit {
                self.settings = Some(Arc::new(settings));
            }
        }
        self.required |= !self.explicit;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(feature = "tls")]
    #[test]
    fn settings_that_are_shared_are_locked() {
        let mut o = TlsOptions::default();
        o.change(|settings| settings.set_ciphers(b"HIGH")).unwrap();
        let connected = o.clone();
        let refused = o.change(|_| Ok(())).unwrap_err();
        assert_eq!(refused.status(), Status::IllegalState);
        assert!(refused.text().contains("can't be modified"));
        assert_eq!(o.set_first().unwrap_err().status(), Status::IllegalState);
        assert!(!o.first && !o.required);
        o.set_required(true).unwrap();
        drop(connected);
        o.set_first().unwrap();
        assert!(o.first && o.required);

        let connected = o.clone();
        o.set_required(false).unwrap();
        assert!(o.settings.is_none() && connected.settings.is_some());
        o.change(|_| Ok(())).unwrap();
        assert!(!o.required, "settings alone do not ask for TLS");
    }

    #[cfg(not(feature = "tls"))]
    #[test]
    fn without_tls_nobody_can_ask_for_it() {
        let mut o = TlsOptions::default();
        let refused = [o.set_required(true), o.set_required(false), o.set_first(), o.want()];
        for result in refused {
            assert_eq!(result.unwrap_err().status(), Status::IllegalState);
        }
        assert!(!o.required);
    }
}
