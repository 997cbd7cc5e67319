//! Checks that others on the network cannot read what people send to the addresses of the console.

use super::{CheckLevel, CheckResult};
use crate::config::SecuritySettings;

/// Returns a result for each address that `--public-url` names.
pub(super) fn check(security: &SecuritySettings) -> Vec<CheckResult> {
    let urls = security.public_urls.iter();
    let checked = urls.map(|url| {
        if url.origin().keeps_secrets() {
            let text = format!("people open it at {url}/console/");
            return CheckResult::new(CheckLevel::Well, "console", text);
        }
        let text = format!(
            "--public-url {url} has no TLS: others on the network can read the tokens of those who sign in; name \
             an address that begins with https://"
        );
        CheckResult::new(CheckLevel::Warning, "console", text)
    });
    checked.collect()
}
