//! The headers of every answer of the console: what the page may load and call, and who may show it.

use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS},
};

use crate::access::SignInProvider;

/// The policy, except for the addresses that the page may connect to. Scripts come from the build alone. Styles may be
/// in the page too: its components write `<style>` elements with the colours of the theme, whose text differs from page
/// to page; a nonce would need a page that is made for each request, and no style can read or send anything under this
/// policy.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data:; font-src 'self'; worker-src 'self'; form-action 'none'; base-uri 'none'; \
    frame-ancestors 'none'; connect-src 'self'";

/// The same for every answer.
#[derive(Clone, Debug)]
pub(super) struct PageHeaders(HeaderMap);

impl PageHeaders {
    /// The headers of a console whose page may call this server and the identity provider.
    ///
    /// # Errors
    /// Fails if an origin of the provider cannot be in a header.
    pub(super) fn new(provider: Option<&SignInProvider>) -> anyhow::Result<Self> {
        let mut policy = POLICY.to_owned();
        for origin in provider.iter().flat_map(|provider| &provider.origins) {
            policy += " ";
            policy += &origin.to_string();
        }
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_SECURITY_POLICY, policy.parse()?);
        for (name, value) in [
            (X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (REFERRER_POLICY, "no-referrer"),
            (
                HeaderName::from_static("cross-origin-opener-policy"),
                "same-origin",
            ),
            (
                HeaderName::from_static("cross-origin-resource-policy"),
                "same-origin",
            ),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        Ok(Self(headers))
    }

    /// Adds them to those of an answer.
    pub(super) fn add_to(&self, headers: &mut HeaderMap) {
        headers.extend(self.0.clone());
    }
}
