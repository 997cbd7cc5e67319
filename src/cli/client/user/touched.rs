//! The imports that made, changed or deactivated a user, as far as the server still has their results.

use serde::Serialize;

use crate::cli::output::{ListColumn, minute_text, principal_text};
use crate::client::ServiceClient;
use crate::proto::{Import, User, UserImport, UserImportAction};

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

/// Returns words for what an import did to the user.
fn deed(touch: &TouchingImport) -> String {
    match (touch.outcome, &*touch.columns) {
        (None, _) => "changed; results not kept".to_owned(),
        (Some("updated"), columns) if !columns.is_empty() => {
            format!("updated {}", columns.join(", "))
        }
        (Some(outcome), _) => outcome.to_owned(),
    }
}

impl From<UserImport> for TouchingImport {
    fn from(import: UserImport) -> Self {
        let outcome = match import.action() {
            UserImportAction::Unspecified => None,
            UserImportAction::Created => Some("created"),
            UserImportAction::Updated => Some("updated"),
            UserImportAction::Deactivated => Some("deactivated"),
        };
        let row = import.result.as_ref().map(|result| result.row);
        let is_update = import.action() == UserImportAction::Updated;
        let changes = import.result.filter(|_| is_update);
        let changes = changes.into_iter().flat_map(|result| result.changes);
        Self {
            record: import.import_record.unwrap_or_default(),
            outcome,
            row,
            columns: changes.map(|change| change.column).collect(),
        }
    }
}

/// Returns the latest imports that touched the user, newest first; at most `limit`. The flag is `true` if there may be
/// more. The list ends with the ID of the import that wrote the user last if the server has removed its record.
///
/// # Errors
/// Fails if the server refuses.
pub(super) async fn find(
    client: &mut ServiceClient,
    organization: &str,
    user: &User,
    limit: u32,
) -> anyhow::Result<(Vec<TouchingImport>, bool)> {
    let listed = client.user_imports(organization, &user.id, limit).await?;
    let (listed, has_more) = listed;
    let mut imports: Vec<TouchingImport> = listed.into_iter().map(Into::into).collect();
    let last = &user.last_import_id;
    let is_last = |import: &TouchingImport| import.record.import_id == *last;
    if !has_more && !last.is_empty() && !imports.iter().any(is_last) {
        let record = Import {
            import_id: last.clone(),
            ..Import::default()
        };
        imports.push(TouchingImport::from(UserImport {
            import_record: Some(record),
            ..UserImport::default()
        }));
    }
    Ok((imports, has_more))
}
