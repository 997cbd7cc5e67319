//! Any bytes as a credential, or as a document that says which credentials are valid: tokens, key sets, lists of client
//! certificates. Nothing panics, and the text form of an accepted token is accepted, too.

#![no_main]

use libfuzzer_sys::fuzz_target;
use user_import::access::{CertificateAllowList, OrganizationScope, TokenText, jwt};

fuzz_target!(|data: &[u8]| {
    let _ = jwt::KeySet::parse(data);
    let _ = CertificateAllowList::parse(data);
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    assert_eq!(OrganizationScope::parse(text).as_str(), text);
    if let Ok(token) = text.parse::<TokenText>() {
        let again = token.reveal().parse::<TokenText>();
        assert_eq!(again.map(|again| again.hash()).ok(), Some(token.hash()));
    }
    let _ = text.parse::<jwt::KeySetUrl>();
    let _ = text.parse::<jwt::AlgorithmName>();
});
