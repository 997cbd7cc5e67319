//! Recording results, within the transaction that makes them true.

use prost::Message;

use super::{
    noted::Noted,
    verdict::{self, Judged},
};
use crate::{
    domain::Tally,
    proto::{RowResult, RowResults},
    store::{BatchKind, DirectoryWrite, WriteError},
};

/// Writes the record's batches within a transaction.
pub(super) struct Journal<'a> {
    write: &'a DirectoryWrite,
    pub(super) sequence: i32,
    pub(super) counts: Tally,
}

impl<'a> Journal<'a> {
    pub(super) fn new(write: &'a DirectoryWrite, sequence: i32) -> Self {
        Self {
            write,
            sequence,
            counts: Tally::default(),
        }
    }

    pub(super) async fn write(
        &mut self,
        kind: BatchKind,
        message: &impl Message,
        counts: Tally,
    ) -> Result<(), WriteError> {
        let payload = message.encode_to_vec();
        self.write
            .record(self.sequence, kind, payload, counts)
            .await?;
        self.sequence += 1;
        self.counts.add(&counts);
        Ok(())
    }

    /// Records rows of a plan: at least one batch, so that the record tells that the transaction
    /// is stored.
    pub(super) async fn rows(&mut self, judged: &Judged, rows: &[u32]) -> Result<(), WriteError> {
        let results = rows.iter().copied();
        let results = results.map(|row| judged.result(row as usize, false));
        self.results(Box::new(results)).await
    }

    /// Records the warnings of rows that are still to be written, for whoever plans them again.
    pub(super) async fn noted(&mut self, noted: &Noted) -> Result<(), WriteError> {
        let messages: Vec<RowResults> = verdict::verdicts(noted.results()).collect();
        for message in messages {
            self.write(BatchKind::ToWrite, &message, Tally::default())
                .await?;
        }
        Ok(())
    }

    pub(super) async fn verdicts(&mut self, results: &[RowResult]) -> Result<(), WriteError> {
        self.results(Box::new(results.iter().cloned())).await
    }

    async fn results(
        &mut self,
        results: impl Iterator<Item = RowResult>,
    ) -> Result<(), WriteError> {
        let mut any = false;
        for message in verdict::verdicts(results) {
            any = true;
            let mut counts = Tally::default();
            for result in &message.results {
                verdict::count_result(&mut counts, result.outcome());
            }
            self.write(BatchKind::Results, &message, counts).await?;
        }
        if !any {
            let nothing = RowResults::default();
            self.write(BatchKind::Results, &nothing, Tally::default())
                .await?;
        }
        Ok(())
    }
}
