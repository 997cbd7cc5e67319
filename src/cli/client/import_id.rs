//! The import that a command is about, by its ID or a beginning of it.

use clap::Args;
use tonic::Code;

use crate::cli::{failure::UsageError, id_prefix::IdPrefix, output::minute_text};
use crate::{
    client::{ClientError, ServiceClient},
    proto::Import,
};

/// An import.
#[derive(Args, Clone, Debug)]
pub(crate) struct ImportIdArg {
    /// ID of the import, as `import` and `imports` print it. Its first characters are enough if no other import's ID
    /// begins with them
    #[arg(value_name = "IMPORT_ID")]
    import_id: IdPrefix,
}

impl ImportIdArg {
    /// Returns the whole ID.
    ///
    /// # Errors
    /// As [`whole_import_id`].
    pub(crate) async fn resolve(
        &self,
        client: &mut ServiceClient,
        organization: &str,
    ) -> anyhow::Result<String> {
        whole_import_id(&self.import_id, client, organization).await
    }
}

/// Returns the whole ID of the only import of the organisation whose ID begins so. A whole ID is taken as it is.
///
/// # Errors
/// Fails if no import or more than one has it, or the server refuses to list them.
pub(super) async fn whole_import_id(
    prefix: &IdPrefix,
    client: &mut ServiceClient,
    organization: &str,
) -> anyhow::Result<String> {
    if let Some(id) = prefix.whole() {
        return Ok(id.to_string());
    }
    let is_meant = |import: &Import| prefix.is_beginning_of(&import.import_id);
    let found = match client.matching_imports(organization, is_meant).await {
        Err(ClientError::Status(status)) if status.code() == Code::PermissionDenied => {
            return Err(UsageError::new(
                "Without the permission users.read, an import cannot be found by the beginning of \
                 its ID. Give the whole ID.",
            )
            .into());
        }
        found => found?,
    };
    let kind = ("import", "user-import imports");
    Ok(prefix.only(found, kind, describe)?.import_id)
}

fn describe(import: &Import) -> String {
    let started = minute_text(import.started_at.as_ref());
    let source = match &*import.source {
        "" => String::new(),
        source => format!(", {source}"),
    };
    format!("{}  {started} UTC{source}", import.import_id)
}
