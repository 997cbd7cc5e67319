//! `InspectRoster`: inspects a file, or the received part of an upload, before it is imported.

use std::ops::ControlFlow;

use tokio::task::{JoinError, spawn_blocking};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{
    ImportError, Importer, Refusal,
    receive::{ROWS, WORKBOOK, refusals},
};
use crate::{
    access::Principal,
    inspect::{self, FileInspection, InspectionRequest},
    limits::{MemoryAccount, MemoryReservation},
    store::{Organization, Upload},
};

/// A file or an upload to inspect, and how to read it.
#[derive(Debug, Default)]
pub(crate) struct InspectedRoster {
    /// The beginning of a file.
    pub content: Vec<u8>,
    /// The ID of an upload, in place of the content.
    pub import_id: String,
    /// How to read the file or the upload.
    pub request: InspectionRequest,
    /// The name of a saved mapping, in place of the request's mapping; empty: none.
    pub mapping_name: String,
}

/// Most bytes of a file that are inspected.
const MOST_BYTES: usize = 1024 * 1024;

/// Memory for an inspection: the bytes, their text, and its cells.
const INSPECTION_BYTES: usize = 16 * 1024 * 1024;

impl Importer {
    /// Inspects a file for an import into the caller's organisation. `permit` is held until the work has ended.
    ///
    /// # Errors
    /// Fails if the request is wrong, the upload or the mapping is not there, or the database fails.
    pub(crate) async fn inspect(
        &self,
        (principal, account): (&Principal, &MemoryAccount),
        organization: &Organization,
        roster: InspectedRoster,
        permit: impl Send + 'static,
    ) -> Result<FileInspection, ImportError> {
        let InspectedRoster {
            content,
            import_id,
            mut request,
            mapping_name,
        } = roster;
        let saved = self.saved_mapping(organization.id, mapping_name).await?;
        if let Some(mapping) = saved {
            request.mapping = mapping.into();
        }
        if content.len() > MOST_BYTES {
            return Err(too_large().into());
        }
        let mut memory = account.reserve(INSPECTION_BYTES)?;
        let (content, is_cut) = match (content.is_empty(), &*import_id) {
            (false, "") => {
                let is_cut = content.len() == MOST_BYTES;
                (content, is_cut)
            }
            (true, import) if !import.is_empty() => {
                let upload = self.inspected_upload(principal, organization, import);
                self.inspected_content(&upload.await?, &mut memory).await?
            }
            _ => return Err(no_content().into()),
        };
        let catalog = self.store.catalog(organization.id).await?;
        let limits = self.settings.limits;
        let held = INSPECTION_BYTES + content.len();
        let inspecting = while_wanted((permit, memory, held), move |pause| {
            inspect::inspect((&content, is_cut), (&request, limits), &catalog, pause)
        });
        let inspected = inspecting.await?;
        inspected.map_err(|faults| refusals(faults).into())
    }

    /// Returns the part of an upload that is inspected, and `true` if the upload has more.
    async fn inspected_content(
        &self,
        upload: &Upload,
        memory: &mut MemoryReservation,
    ) -> Result<(Vec<u8>, bool), ImportError> {
        let most = most_bytes(upload);
        memory.grow(most)?;
        let content = self.beginning(upload, most).await?;
        Ok((content, upload.received.unsigned_abs() > most as u64))
    }

    /// Finds the caller's upload, which counts as a call to it.
    pub(super) async fn inspected_upload(
        &self,
        principal: &Principal,
        organization: &Organization,
        import: &str,
    ) -> Result<Upload, ImportError> {
        let unknown = || ImportError::UnknownImport(import.to_owned());
        let id = Uuid::try_parse(import).map_err(|_| unknown())?;
        let upload = self.own_upload(principal, &organization.slug, id).await?;
        if upload.kind == ROWS {
            return Err(typed_rows().into());
        }
        self.store.keep_upload_open((organization.id, id)).await?;
        Ok(upload)
    }

    /// Returns the first bytes of an upload, at most `most`.
    pub(super) async fn beginning(
        &self,
        upload: &Upload,
        most: usize,
    ) -> Result<Vec<u8>, ImportError> {
        let key = (upload.organization_id, upload.import_id);
        let mut content = Vec::new();
        while content.len() < most {
            let position = i64::try_from(content.len()).unwrap_or(i64::MAX);
            let chunks = self.store.upload_chunks(key, position, 1).await?;
            let next = chunks.into_iter().find(|chunk| chunk.position == position);
            match next.filter(|chunk| chunk.length > 0) {
                Some(chunk) => content.extend_from_slice(&chunk.content()?),
                None => break,
            }
        }
        content.truncate(most);
        Ok(content)
    }
}

/// Does `work` on a thread of its own. The work calls `pause` with the number of bytes that it needs besides the `held`
/// ones, and ends if that breaks: nobody waits for the answer any more, or there is no memory for so many bytes. The
/// permit is held until the work has ended, even if nobody waits for the answer any more.
pub(super) async fn while_wanted<T: Send + 'static>(
    (permit, mut memory, held): (impl Send + 'static, MemoryReservation, usize),
    work: impl FnOnce(&mut dyn FnMut(usize) -> ControlFlow<()>) -> T + Send + 'static,
) -> Result<T, JoinError> {
    let wanted = CancellationToken::new();
    let gone = wanted.clone();
    let _cancel_on_drop = wanted.drop_guard();
    let working = spawn_blocking(move || {
        let _permit = permit;
        work(
            &mut |bytes| match gone.is_cancelled() || memory.resize(held + bytes).is_err() {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            },
        )
    });
    working.await
}

/// Returns how many bytes of an upload are inspected. A workbook is inspected as a whole, because it is read from its
/// end.
fn most_bytes(upload: &Upload) -> usize {
    match upload.kind == WORKBOOK {
        true => usize::try_from(upload.received).unwrap_or(MOST_BYTES),
        false => MOST_BYTES,
    }
}

fn no_content() -> Refusal {
    let message =
        "Send the first part of the file in content, or the import_id of an upload, and not both.";
    Refusal::invalid("NO_CONTENT", "content", message)
}

fn typed_rows() -> Refusal {
    let message = "The upload has typed rows, which need no inspection.";
    Refusal::invalid("NO_CONTENT", "import_id", message)
}

fn too_large() -> Refusal {
    let message = "content has more than 1 MiB; send the first part of the file, which is enough.";
    Refusal::limit("CONTENT_TOO_LARGE", "content", message)
}
