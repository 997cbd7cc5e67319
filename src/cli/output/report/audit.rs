//! The list of audit events.

use super::{
    ListColumn,
    request_words::for_people,
    text::{minute_text, principal_text, rfc3339, word},
};
use crate::proto::{AuditEvent, AuditOutcome};

/// The columns of audit events.
pub(crate) const AUDIT: [ListColumn<AuditEvent>; 10] = [
    ListColumn::number("#", |event| event.sequence.to_string()),
    ListColumn::whole("At (UTC)", |event| minute_text(event.at.as_ref())),
    ListColumn::text("Who", |event| principal_text(&event.principal), 10),
    ListColumn::text("Did", deed, 14),
    ListColumn::id("To", |event| event.subject.clone()),
    ListColumn::text("Details", detail_words, 24).if_room(),
    ListColumn::text("From", |event: &AuditEvent| event.address.clone(), 10).if_wide(),
    ListColumn::text(
        "Principal",
        |event: &AuditEvent| event.principal.clone(),
        20,
    )
    .if_wide(),
    ListColumn::text("Digests", digests, 10).if_wide(),
    ListColumn::whole("Hash", |event: &AuditEvent| hex::encode(&event.hash)).if_wide(),
];

/// The header row of audit events as CSV.
pub(crate) const AUDIT_CSV: [&str; 9] = [
    "sequence",
    "at",
    "principal",
    "address",
    "action",
    "subject",
    "outcome",
    "details",
    "hash",
];

/// An event's record in the CSV.
#[must_use]
pub(crate) fn audit_record(event: &AuditEvent) -> [String; 9] {
    [
        event.sequence.to_string(),
        rfc3339(event.at.as_ref()),
        event.principal.clone(),
        event.address.clone(),
        action(event),
        event.subject.clone(),
        outcome(event),
        details(event),
        hex::encode(&event.hash),
    ]
}

fn action(event: &AuditEvent) -> String {
    word(event.action().as_str_name(), "AUDIT_ACTION_")
}

fn outcome(event: &AuditEvent) -> String {
    word(event.outcome().as_str_name(), "AUDIT_OUTCOME_")
}

/// Returns words for what was done, and for how it ended unless it was done as asked.
fn deed(event: &AuditEvent) -> String {
    let (action, outcome) = (words(&action(event)), words(&outcome(event)));
    match event.outcome() {
        AuditOutcome::Done | AuditOutcome::Unspecified => action,
        _ if action.ends_with(&outcome) => action,
        _ => format!("{action}, {outcome}"),
    }
}

/// The details for programs, as `name=value`.
fn details(event: &AuditEvent) -> String {
    let pairs = event.details.iter();
    let pairs = pairs.map(|(name, value)| format!("{name}={value}"));
    pairs.collect::<Vec<_>>().join(" ")
}

/// The details for people. Counts of nothing are left out, and digests have a column of their own.
fn detail_words(event: &AuditEvent) -> String {
    let details = event.details.iter();
    let details = details.filter(|(_, value)| !matches!(&***value, "" | "0" | "false"));
    let pairs = details.filter(|(name, _)| !is_digest(name));
    let pairs = pairs.map(|(name, value)| {
        let value = match value
            .chars()
            .all(|c| c.is_ascii_uppercase() || "_ ,".contains(c))
        {
            true => words(value),
            false => for_people(value).into_owned(),
        };
        match (&**name, &*value) {
            ("validate_only", "true") => "dry run".to_owned(),
            (name, "true") => words(name),
            (name, value) => format!("{}: {value}", words(name)),
        }
    });
    pairs.collect::<Vec<_>>().join(", ")
}

fn digests(event: &AuditEvent) -> String {
    let pairs = event.details.iter().filter(|(name, _)| is_digest(name));
    let pairs = pairs.map(|(name, value)| format!("{}: {value}", words(name)));
    pairs.collect::<Vec<_>>().join(", ")
}

fn is_digest(name: &str) -> bool {
    name.ends_with("sha256") || name.ends_with("digest") || name == "hash"
}

fn words(name: &str) -> String {
    name.to_lowercase().replace('_', " ")
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::super::{TerminalStyle, list_text};
    use super::*;
    use crate::proto::{AuditAction, Timestamp};

    fn event(sequence: i64, action: AuditAction, details: &[(&str, &str)]) -> AuditEvent {
        AuditEvent {
            sequence,
            at: Some(Timestamp {
                seconds: 1_795_316_400,
                nanos: 0,
            }),
            principal: "token 018f4e9e-5c7b-7000-8000-000000000009 (nightly\u{1b})".to_owned(),
            address: "192.0.2.1:4711".to_owned(),
            action: action.into(),
            subject: "018f4e9e-5c7b-7000-8000-000000000001".to_owned(),
            outcome: AuditOutcome::Done.into(),
            details: details
                .iter()
                .map(|&(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            ..AuditEvent::default()
        }
    }

    fn at(width: Option<u16>, is_wide: bool) -> String {
        let digest = "ab".repeat(32);
        let refused = AuditEvent {
            outcome: AuditOutcome::Refused.into(),
            ..event(
                1_012,
                AuditAction::ImportRefused,
                &[
                    ("refusals", "MASS_DEACTIVATION, UNCERTAIN_ROWS"),
                    ("rows", "20"),
                    ("created", "0"),
                    ("validate_only", "false"),
                    ("input_sha256", &digest),
                ],
            )
        };
        let asked = event(1_011, AuditAction::ImportCancelRequested, &[]);
        let protected = AuditEvent {
            subject: "P-1001".to_owned(),
            ..event(
                9,
                AuditAction::UserProtectionChanged,
                &[("protected", "true")],
            )
        };
        let style = TerminalStyle {
            colours: false,
            width,
        };
        list_text(&[refused, asked, protected], &AUDIT, is_wide, style)
    }

    #[test]
    fn an_event_is_one_line_on_a_narrow_terminal() {
        assert_snapshot!(at(Some(80), false), @r"
           #  At (UTC)          Who                  Did                      To
        1012  2026-11-22 03:00  token nightly\u{1b}  import refused           018f4e9e
        1011  2026-11-22 03:00  token nightly\u{1b}  import cancel requested  018f4e9e
           9  2026-11-22 03:00  token nightly\u{1b}  user protection changed  P-1001
        ");
    }

    #[test]
    fn a_terminal_with_room_has_the_details_in_words() {
        assert_snapshot!(at(Some(140), false), @r"
           #  At (UTC)          Who                  Did                      To        Details
        1012  2026-11-22 03:00  token nightly\u{1b}  import refused           018f4e9e  refusals: mass deactivation, uncertain rows, rows: 20
        1011  2026-11-22 03:00  token nightly\u{1b}  import cancel requested  018f4e9e
           9  2026-11-22 03:00  token nightly\u{1b}  user protection changed  P-1001    protected
        ");
    }

    #[test]
    fn a_wide_list_on_a_narrow_terminal_has_a_line_for_each_value() {
        assert_snapshot!(at(Some(80), true).split("\n\n").next().unwrap(), @r"
        #          1012
        At (UTC)   2026-11-22 03:00
        Who        token nightly\u{1b}
        Did        import refused
        To         018f4e9e-5c7b-7000-8000-000000000001
        Details    refusals: mass deactivation, uncertain rows, rows: 20
        From       192.0.2.1:4711
        Principal  token 018f4e9e-5c7b-7000-8000-000000000009 (nightly\u{1b})
        Digests    input sha256: abababababababababababababababababababababababababababababababab
        ");
    }

    #[test]
    fn a_script_gets_a_line_for_each_event() {
        assert_snapshot!(at(None, false), @r"
           #  At (UTC)          Who                  Did                      To                                    Details
        1012  2026-11-22 03:00  token nightly\u{1b}  import refused           018f4e9e-5c7b-7000-8000-000000000001  refusals: mass deactivation, uncertain rows, rows: 20
        1011  2026-11-22 03:00  token nightly\u{1b}  import cancel requested  018f4e9e-5c7b-7000-8000-000000000001  -
           9  2026-11-22 03:00  token nightly\u{1b}  user protection changed  P-1001                                protected
        ");
    }
}
