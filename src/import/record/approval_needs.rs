//! The permissions that the approval of a held import needs (semantics §12). They are noted in the record when the
//! import is held, because the record does not have the options. Knows no credential and decides nothing;
//! `receive/options.rs` says which options need which permission.

use prost::Message;

use super::RecordedNotes;
use crate::{
    domain::Permission,
    proto::{ApprovalNeeds, Import},
    store::ImportRecord,
};

/// Notes the permissions in the record of an import that is about to be held.
pub(crate) fn note(record: &mut ImportRecord, permissions: &[Permission]) {
    let RecordedNotes(notes) = RecordedNotes::of(record);
    let noted = Import {
        approval_needs: Some(ApprovalNeeds {
            permissions: names(permissions),
            other_credential: false,
        }),
        ..notes
    };
    record.notes = noted.encode_to_vec();
}

/// Reads what was noted. With `four_eyes` the server demands another credential than the sender's.
pub(crate) fn of(record: &ImportRecord, four_eyes: bool) -> ApprovalNeeds {
    let RecordedNotes(notes) = RecordedNotes::of(record);
    let noted = notes.approval_needs.map(|needs| needs.permissions);
    ApprovalNeeds {
        permissions: noted.unwrap_or_else(|| names(&known_without_options(record))),
        other_credential: four_eyes,
    }
}

/// The permissions that are known to be needed if an earlier release has held the import and noted none: users are
/// deactivated as missing only if the options say so.
fn known_without_options(record: &ImportRecord) -> Vec<Permission> {
    let mut needed = vec![Permission::UsersApprove, Permission::UsersImport];
    if record.deactivated > 0 {
        needed.push(Permission::UsersDeactivate);
    }
    needed
}

fn names(permissions: &[Permission]) -> Vec<String> {
    permissions.iter().map(ToString::to_string).collect()
}

#[cfg(test)]
mod tests {
    use time::OffsetDateTime;
    use uuid::Uuid;

    use super::*;
    use crate::{import::record::import_record, proto::ImportStart};

    fn record(deactivated: i32) -> ImportRecord {
        let (now, by) = (OffsetDateTime::UNIX_EPOCH, (Uuid::nil(), "nightly"));
        let begun = import_record::begun(1, Uuid::nil(), by, &ImportStart::default(), now);
        ImportRecord {
            deactivated,
            ..begun
        }
    }

    #[test]
    fn what_was_noted_is_needed_and_other_notes_stay() {
        let mut record = record(3);
        record.notes = Import {
            going_inactive: 3,
            ..Import::default()
        }
        .encode_to_vec();
        note(&mut record, &[Permission::UsersApprove]);
        assert_eq!(of(&record, false).permissions, ["users.approve"]);
        let notes = Import::decode(&*record.notes).unwrap();
        assert_eq!(notes.going_inactive, 3);
    }

    #[test]
    fn of_an_import_that_an_earlier_release_has_held_the_counts_say_what_is_needed() {
        let permissions = |deactivated| of(&record(deactivated), false).permissions;
        assert_eq!(permissions(0), ["users.approve", "users.import"]);
        assert_eq!(
            permissions(1),
            ["users.approve", "users.import", "users.deactivate"]
        );
    }
}
