//! Any text in options, metadata and cells: slugs, tokens, noted heads of an audit trail, emails, phones, names.
//! Nothing panics, and an accepted value is accepted again unchanged.

#![no_main]

use libfuzzer_sys::fuzz_target;
use user_import::{
    audit::NotedHead,
    client::BearerToken,
    domain::{
        BadgeNumber, Email, ExternalId, Name, OrganizationSlug, PhoneNumber, Username, fold,
        normalise,
    },
};

fuzz_target!(|text: &str| {
    if let Ok(slug) = OrganizationSlug::parse(text) {
        assert_eq!(slug.as_str(), text);
    }
    if let Ok(noted) = text.parse::<NotedHead>() {
        assert_eq!(noted.to_string().parse(), Ok(noted));
    }
    if let Ok(token) = text.parse::<BearerToken>() {
        assert_eq!(format!("{token:?}"), "BearerToken(…)");
    }
    let _ = (
        Email::parse(text),
        Username::parse(text),
        BadgeNumber::parse(text),
    );
    let _ = (Name::parse(text), ExternalId::parse(text));
    if let Ok(phone) = PhoneNumber::parse(text) {
        let again = PhoneNumber::parse(phone.as_e164());
        assert_eq!(
            again
                .ok()
                .map(|again| again.as_e164().to_owned())
                .as_deref(),
            Some(phone.as_e164())
        );
    }
    let Ok(once) = normalise(text) else {
        return;
    };
    assert_eq!(normalise(&once), Ok(once.clone()), "normalised twice");
    let folded = fold(&once).into_owned();
    assert_eq!(fold(&folded), folded, "folded twice");
});
