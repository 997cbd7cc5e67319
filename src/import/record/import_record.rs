//! Converts the record of an import to and from the contract's messages, and computes the digest that binds an
//! import ID to its options.

use std::time::Duration;

use prost::Message;
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{
    domain::{self, ImportPhase, ImportState},
    import::messages,
    proto::{
        Consequence, CsvFormat, Import, ImportProgress, ImportStart, ImportSummary, Issue, Mapping,
        Refusal, WorkbookFormat, timestamp,
    },
    store::ImportRecord,
};

/// Bytes for all refusals in the record of a refused attempt, and for the subject and the message of each.
const REFUSALS_BYTES: usize = 2_200;
const SUBJECT_BYTES: usize = 200;
const MESSAGE_BYTES: usize = 800;

/// The digest of a bound import's options: all of `start` except fields that concern only this stream (semantics §8).
/// For an undo, the digest covers the import whose changes it reverses too.
#[must_use]
pub(crate) fn options_digest(start: &ImportStart, undoes: Option<Uuid>) -> [u8; 32] {
    let mut bound = start.clone();
    bound.import_id.clear();
    bound.source.clear();
    bound.result_filter = 0;
    bound.include_values = false;
    // Absent options equal default options.
    bound.csv = bound.csv.filter(|csv| *csv != CsvFormat::default());
    bound.mapping = bound
        .mapping
        .filter(|mapping| *mapping != Mapping::default());
    bound.workbook = bound
        .workbook
        .filter(|workbook| *workbook != WorkbookFormat::default());
    let mut digest = Sha256::new_with_prefix(bound.encode_to_vec());
    if let Some(undoes) = undoes {
        digest.update(undoes.as_bytes());
    }
    digest.finalize().into()
}

/// Encodes the parts of a summary besides its counts for the record: refusals, warnings, the numbers of identity
/// changes and of users who become Inactive, and consequences.
#[must_use]
pub(crate) fn encode_notes(summary: &ImportSummary) -> Vec<u8> {
    let notes = Import {
        refusals: summary.refusals.clone(),
        warnings: summary.warnings.clone(),
        identity_changes: summary.identity_changes,
        going_inactive: summary.going_inactive,
        consequences: summary.consequences.clone(),
        ..Import::default()
    };
    notes.encode_to_vec()
}

/// Encodes the notes of a refused attempt for the record: the first refusals that fit, with long texts cut, and the
/// number of the others; then the first examples of consequences that fit beside them. The client has received all of
/// them. The whole record has 4 KiB at most.
fn encode_refused(summary: &ImportSummary) -> Vec<u8> {
    let cut = |text: &str, bytes| text[..text.floor_char_boundary(bytes)].to_owned();
    let mut room = REFUSALS_BYTES;
    let kept = summary.refusals.iter().map_while(|refusal| {
        let kept = Refusal {
            code: refusal.code.clone(),
            subject: cut(&refusal.subject, SUBJECT_BYTES),
            message: cut(&refusal.message, MESSAGE_BYTES),
        };
        room = room.checked_sub(kept.encoded_len() + 4)?;
        Some(kept)
    });
    let mut kept: Vec<_> = kept.collect();
    let more = summary.refusals.len() - kept.len();
    if more > 0 {
        kept.push(Refusal {
            code: "MORE_REFUSALS".to_owned(),
            subject: String::new(),
            message: format!("{more} more were reported when the import was refused."),
        });
    }
    encode_notes(&ImportSummary {
        refusals: kept,
        identity_changes: summary.identity_changes,
        going_inactive: summary.going_inactive,
        consequences: with_few_examples(&summary.consequences, room),
        ..ImportSummary::default()
    })
}

/// The consequences with the examples that fit into this many bytes: the first example of each kind, then the second
/// ones.
fn with_few_examples(consequences: &[Consequence], mut room: usize) -> Vec<Consequence> {
    let without = |found: &Consequence| Consequence {
        examples: Vec::new(),
        ..found.clone()
    };
    let mut kept: Vec<_> = consequences.iter().map(without).collect();
    let most = consequences.iter().map(|found| found.examples.len()).max();
    'filling: for nth in 0..most.unwrap_or_default() {
        for (kept, found) in kept.iter_mut().zip(consequences) {
            let Some(example) = found.examples.get(nth) else {
                continue;
            };
            match room.checked_sub(example.encoded_len() + 4) {
                Some(left) => room = left,
                None => break 'filling,
            }
            kept.examples.push(example.clone());
        }
    }
    kept
}

/// The record of an attempt that begins on this server and for this principal.
#[must_use]
pub(crate) fn begun(
    organization: i64,
    import: Uuid,
    (server, principal): (Uuid, &str),
    start: &ImportStart,
    now: OffsetDateTime,
) -> ImportRecord {
    ImportRecord {
        organization_id: organization,
        id: import,
        attempt: Uuid::new_v4(),
        server_id: server,
        state: ImportState::Receiving.into(),
        validate_only: start.validate_only,
        source: start.source.clone(),
        principal: principal.to_owned(),
        options_digest: None,
        input_sha256: Vec::new(),
        plan_digest: Vec::new(),
        rows: 0,
        created: 0,
        updated: 0,
        unchanged: 0,
        rejected: 0,
        deactivated: 0,
        protected_skipped: 0,
        results: 0,
        notes: Vec::new(),
        cancel_requested: false,
        started_at: now,
        finished_at: None,
        changes_kept: false,
        undoes: None,
        undone_by: None,
        held_until: None,
    }
}

/// Closes a record with the values of a summary.
pub(crate) fn close(record: &mut ImportRecord, summary: &ImportSummary, now: OffsetDateTime) {
    record.state = summary.state;
    record.input_sha256.clone_from(&summary.input_sha256);
    record.plan_digest.clone_from(&summary.plan_digest);
    record.rows = i32::try_from(summary.rows).unwrap_or(i32::MAX);
    messages::set_recorded_counts(record, &messages::counts(summary));
    record.notes = match record.state() {
        ImportState::Refused => encode_refused(summary),
        _ => encode_notes(summary),
    };
    record.finished_at = Some(now);
}

/// The parts of a record besides its counts, as [`encode_notes`] has written them.
#[derive(Debug)]
pub(crate) struct RecordedNotes(pub(super) Import);

impl RecordedNotes {
    /// Reads the notes of a record.
    #[must_use]
    pub(crate) fn of(record: &ImportRecord) -> Self {
        Self(Import::decode(record.notes.as_slice()).unwrap_or_default())
    }

    /// Encodes the notes, with more warnings at their end.
    #[must_use]
    pub(crate) fn encode_with(&self, warnings: &[domain::Issue]) -> Vec<u8> {
        let mut notes = self.0.clone();
        notes.warnings.extend(warnings.iter().map(Issue::from));
        notes.encode_to_vec()
    }
}

/// The summary of an import as recorded, in `state`.
#[must_use]
pub(crate) fn summary(record: &ImportRecord, state: ImportState) -> ImportSummary {
    let RecordedNotes(notes) = RecordedNotes::of(record);
    let mut summary = ImportSummary {
        import_id: record.id.to_string(),
        state: state.into(),
        validate_only: record.validate_only,
        rows: match record.state() {
            // These rows are only the rows received so far.
            ImportState::Receiving => 0,
            _ => u32::try_from(record.rows).unwrap_or_default(),
        },
        input_sha256: record.input_sha256.clone(),
        plan_digest: record.plan_digest.clone(),
        refusals: notes.refusals,
        warnings: notes.warnings,
        started_at: Some(timestamp(record.started_at)),
        finished_at: record.finished_at.map(timestamp),
        identity_changes: notes.identity_changes,
        going_inactive: notes.going_inactive,
        consequences: notes.consequences,
        undoes: id_text(record.undoes),
        ..ImportSummary::default()
    };
    messages::set_counts(&mut summary, &messages::recorded_counts(record));
    summary
}

/// An import ID as text; empty if there is none.
fn id_text(id: Option<Uuid>) -> String {
    id.map_or_else(String::new, |id| id.to_string())
}

/// Until when an import can be undone in `state`, if its changes are kept for `retention` after its end.
fn undoable_until(
    record: &ImportRecord,
    state: ImportState,
    retention: Duration,
) -> Option<OffsetDateTime> {
    let is_over = matches!(
        state,
        ImportState::Completed | ImportState::Cancelled | ImportState::Interrupted
    );
    let end = record.finished_at.unwrap_or(record.started_at);
    (is_over && record.changes_kept).then(|| end + retention)
}

/// The record as a message, in `state`. Changes are kept for `undo_retention` after an import's end.
#[must_use]
pub(crate) fn message(
    record: &ImportRecord,
    organization: &str,
    state: ImportState,
    undo_retention: Duration,
) -> Import {
    let summary = summary(record, state);
    let mut import = Import {
        organization: organization.to_owned(),
        source: record.source.clone(),
        principal: record.principal.clone(),
        progress: Some(progress(record, state)),
        undoable_until: undoable_until(record, state, undo_retention).map(timestamp),
        undone_by: id_text(record.undone_by),
        held_until: record
            .held_until
            .filter(|_| state == ImportState::Held)
            .map(timestamp),
        ..Import::default()
    };
    messages::set_import_counts(&mut import, &messages::counts(&summary));
    Import {
        import_id: summary.import_id,
        state: summary.state,
        validate_only: summary.validate_only,
        rows: summary.rows,
        input_sha256: summary.input_sha256,
        plan_digest: summary.plan_digest,
        refusals: summary.refusals,
        warnings: summary.warnings,
        started_at: summary.started_at,
        finished_at: summary.finished_at,
        identity_changes: summary.identity_changes,
        going_inactive: summary.going_inactive,
        consequences: summary.consequences,
        undoes: summary.undoes,
        ..import
    }
}

/// The recorded progress of an import.
#[must_use]
pub(crate) fn progress(record: &ImportRecord, state: ImportState) -> ImportProgress {
    let rows = u32::try_from(record.rows).unwrap_or_default();
    if record.state() == ImportState::Receiving {
        return ImportProgress {
            phase: ImportPhase::Receiving as i32,
            rows_received: rows,
            ..ImportProgress::default()
        };
    }
    let applied = match record.options_digest {
        Some(_) if state != ImportState::Held => messages::recorded_counts(record).rows(),
        _ => 0,
    };
    let phase = match state {
        ImportState::Receiving => ImportPhase::Receiving,
        ImportState::Held => ImportPhase::Planning,
        _ if applied < rows => ImportPhase::Applying,
        _ => ImportPhase::Deactivating,
    };
    ImportProgress {
        phase: phase as i32,
        rows_received: rows,
        rows_planned: rows,
        rows_applied: applied,
        rows_total: rows,
        bytes_received: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::ConsequenceExample;

    #[test]
    fn options_that_say_nothing_are_none() {
        let csv = |csv: Option<CsvFormat>| {
            options_digest(
                &ImportStart {
                    csv,
                    ..ImportStart::default()
                },
                None,
            )
        };
        let delimiter = ";".to_owned();
        let semicolon = CsvFormat {
            delimiter,
            ..CsvFormat::default()
        };
        assert_eq!(csv(None), csv(Some(CsvFormat::default())));
        assert_ne!(csv(None), csv(Some(semicolon)));
    }

    #[test]
    fn of_a_refused_attempt_four_kibibytes_are_kept() {
        let refusal = |number: usize| Refusal {
            code: "UNKNOWN_COLUMN".to_owned(),
            subject: "\u{416}".repeat(2_000),
            message: format!("{number} {}", "\u{416}".repeat(2_000)),
        };
        let start = ImportStart {
            source: "\u{10348}".repeat(255),
            ..ImportStart::default()
        };
        let now = OffsetDateTime::UNIX_EPOCH;
        let by = (Uuid::nil(), &*"p".repeat(300));
        let mut record = begun(1, Uuid::nil(), by, &start, now);
        let summary = ImportSummary {
            state: ImportState::Refused.into(),
            refusals: (0..3_000).map(refusal).collect(),
            consequences: consequences(),
            input_sha256: vec![1; 32],
            ..ImportSummary::default()
        };
        close(&mut record, &summary, now);
        let told = message(&record, "pd", ImportState::Refused, Duration::ZERO);
        assert!(told.encoded_len() <= 4_096, "{}", told.encoded_len());
        assert_eq!(told.refusals.len(), 3);
        assert_eq!(told.consequences.len(), 7);
        assert!(told.refusals[2].message.starts_with("2998 more"));
    }

    /// A consequence of each kind, with the longest examples.
    fn consequences() -> Vec<Consequence> {
        let consequence = |kind| Consequence {
            kind,
            count: u32::MAX,
            examples: (0..20).map(|number| example("\u{10348}", number)).collect(),
        };
        (1..8).map(consequence).collect()
    }

    fn example(letter: &str, number: usize) -> ConsequenceExample {
        ConsequenceExample {
            external_id: format!("{number}{}", letter.repeat(250)),
            ..ConsequenceExample::default()
        }
    }

    #[test]
    fn of_a_refused_attempt_what_fits_is_kept_as_it_is() {
        let fitting = [Refusal {
            code: "NO_ROWS".to_owned(),
            subject: "file".to_owned(),
            message: "The file has no rows.".to_owned(),
        }];
        let few = vec![Consequence {
            kind: 1,
            count: 2,
            examples: vec![example("x", 1), example("x", 2)],
        }];
        let refused = ImportSummary {
            refusals: fitting.to_vec(),
            consequences: few.clone(),
            ..ImportSummary::default()
        };
        let kept = Import::decode(&*encode_refused(&refused)).unwrap();
        assert_eq!((kept.refusals, kept.consequences), (fitting.to_vec(), few));
        let crowded = ImportSummary {
            consequences: consequences(),
            ..refused
        };
        let kept = Import::decode(&*encode_refused(&crowded)).unwrap();
        let kept: Vec<_> = kept
            .consequences
            .iter()
            .map(|found| found.examples.len())
            .collect();
        assert_eq!(kept, [1, 1, 0, 0, 0, 0, 0]);
    }
}
