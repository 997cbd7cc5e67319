//! The imports that made, changed or deactivated a user, as far as the server still has their results.

use serde::Serialize;

use crate::cli::output::{ListColumn, minute_text, principal_text};
use crate::client::{ServiceClient, UserTouch};
use crate::proto::{Import, ImportState, RowOutcome, User};

/// An import that touched a user.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TouchingImport {
    #[serde(rename = "import")]
    pub record: Import,
    /// `created`, `updated` or `deactivated`; `None` if the results are no longer kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<&'static str>,
    /// The row of the roster.
    #[serde(skip_serializing_if = "Option::is_none")]
    row: Option<u32>,
    /// The columns that it changed, by the names that a header has.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    columns: Vec<String>,
}

/// The columns of imports that touched a user.
pub(super) const TOUCHED: [ListColumn<TouchingImport>; 6] = [
    ListColumn::id("Import", |touch| touch.record.import_id.clone()),
    ListColumn::whole("Started (UTC)", |touch| {
        minute_text(touch.record.started_at.as_ref())
    }),
    ListColumn::text("What it did", deed, 24),
    ListColumn::text("Source", |touch| touch.record.source.clone(), 8),
    ListColumn::text("By", |touch| principal_text(&touch.record.principal), 6),
    ListColumn::number("Row", |touch: &TouchingImport| {
        touch.row.map(|row| row.to_string()).unwrap_or_default()
    })
    .if_room(),
];

/// What an import did to the user, in words.
fn deed(touch: &TouchingImport) -> String {
    match (touch.outcome, &*touch.columns) {
        (None, _) => "changed; results not kept".to_owned(),
        (Some("updated"), columns) if !columns.is_empty() => {
            format!("updated {}", columns.join(", "))
        }
        (Some(outcome), _) => outcome.to_owned(),
    }
}

impl TouchingImport {
    fn new(record: Import, touch: Option<UserTouch>) -> Self {
        let (outcome, row, columns) = match touch {
            None => (None, None, Vec::new()),
            Some(UserTouch::Deactivated) => (Some("deactivated"), None, Vec::new()),
            Some(UserTouch::Row(result)) if result.outcome() == RowOutcome::Created => {
                (Some("created"), Some(result.row), Vec::new())
            }
            Some(UserTouch::Row(result)) => {
                let columns = result.changes.into_iter().map(|change| change.column);
                (Some("updated"), Some(result.row), columns.collect())
            }
        };
        Self {
            record,
            outcome,
            row,
            columns,
        }
    }
}

/// Finds the imports that touched the user: the last one, which the user's own record names, and those among the last
/// `searched` imports of the organisation whose results the server still has. Newest first.
///
/// # Errors
/// Fails if the server refuses.
pub(super) async fn find(
    client: &mut ServiceClient,
    organization: &str,
    user: &User,
    searched: u32,
) -> anyhow::Result<Vec<TouchingImport>> {
    let mut found = Vec::new();
    let mut has_last = user.last_import_id.is_empty();
    for record in client.imports(organization, searched).await? {
        let is_last = record.import_id == user.last_import_id;
        if !is_last && !may_touch(&record) {
            continue;
        }
        let touch = client
            .touch(organization, &record.import_id, &user.id)
            .await?;
        has_last |= is_last;
        if touch.is_some() || is_last {
            found.push(TouchingImport::new(record, touch));
        }
    }
    if !has_last {
        let id = &user.last_import_id;
        // The record may have been removed since.
        let record = client.import_record(organization, id).await?;
        let is_kept = record.is_some();
        let record = record.unwrap_or_else(|| Import {
            import_id: id.clone(),
            ..Import::default()
        });
        let touch = match is_kept {
            true => client.touch(organization, id, &user.id).await?,
            false => None,
        };
        found.push(TouchingImport::new(record, touch));
    }
    Ok(found)
}

/// Returns `true` if the import has ended and changed any user.
fn may_touch(import: &Import) -> bool {
    let has_ended = !matches!(
        import.state(),
        ImportState::Receiving | ImportState::Applying | ImportState::Unspecified
    );
    let changed =
        u64::from(import.created) + u64::from(import.updated) + u64::from(import.deactivated);
    has_ended && !import.validate_only && changed > 0
}
