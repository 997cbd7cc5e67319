//! Reads what an interrupted import has done from its log.

use std::collections::HashSet;

use prost::Message;
use uuid::Uuid;

use crate::{
    import::{
        ImportError, messages,
        review::{FirstPlanWarnings, UserToDeactivate},
    },
    proto::RowResults,
    store::{BatchKind, Store},
};

/// The recorded results of an interrupted import.
#[derive(Debug, Default)]
pub(crate) struct RecordedProgress {
    /// Numbers of the rows that have a result.
    pub(crate) rows: HashSet<u32>,
    /// Users who are still to be deactivated.
    pub(crate) missing: Vec<UserToDeactivate>,
    /// The warnings of the rows that were to be written.
    pub(crate) first_plan_warnings: FirstPlanWarnings,
}

impl RecordedProgress {
    /// Reads all batches of an import, in the order they were recorded.
    pub(crate) async fn read(
        store: &Store,
        organization: i64,
        import: Uuid,
    ) -> Result<Self, ImportError> {
        let mut recorded = Self::default();
        let mut deactivated = HashSet::new();
        let mut next = 0;
        loop {
            let batches = store.recorded_batches(organization, import, next, 16);
            let batches = batches.await?;
            let Some(last) = batches.last() else { break };
            next = last.sequence + 1;
            for batch in batches {
                recorded.add(batch.kind, &batch.payload, &mut deactivated)?;
            }
        }
        recorded
            .missing
            .retain(|user| !deactivated.contains(&user.id));
        Ok(recorded)
    }

    fn add(
        &mut self,
        kind: BatchKind,
        payload: &[u8],
        deactivated: &mut HashSet<Uuid>,
    ) -> Result<(), ImportError> {
        let broken = |error: prost::DecodeError| ImportError::Internal(error.to_string());
        match kind {
            BatchKind::Results => {
                let results = RowResults::decode(payload).map_err(broken)?.results;
                self.rows.extend(results.iter().map(|result| result.row));
            }
            BatchKind::ToWrite => {
                let results = RowResults::decode(payload).map_err(broken)?.results;
                self.first_plan_warnings.add(results);
            }
            BatchKind::Changes => {}
            BatchKind::ToDeactivate => {
                self.missing.extend(messages::recorded_users(payload)?);
            }
            BatchKind::Deactivated => {
                let users = messages::recorded_users(payload)?;
                deactivated.extend(users.into_iter().map(|user| user.id));
            }
        }
        Ok(())
    }
}
