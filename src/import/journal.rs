//! Recording results, within the transaction that makes them true.

use std::sync::Arc;

use futures_util::{FutureExt, future::Shared};
use prost::Message;
use rayon::{
    iter::{IndexedParallelIterator, IntoParallelIterator, ParallelIterator},
    slice::ParallelSlice,
};
use tokio::{sync::oneshot, task::spawn_blocking};

use super::{
    encoding::Encoded,
    noted::Noted,
    verdict::{self, Judged},
};
use crate::{
    domain::Tally,
    proto::{RowResult, RowResults},
    store::{BatchKind, DirectoryWrite, Payload, StoreError, WriteError},
};

/// Writes the record's batches within a transaction.
pub(super) struct Journal<'a> {
    write: &'a DirectoryWrite,
    pub(super) sequence: i32,
    pub(super) counts: Tally,
    /// Of these, what the import's record does not have yet.
    uncounted: Tally,
    /// The sequence that it has.
    counted: i32,
}

impl<'a> Journal<'a> {
    pub(super) fn new(write: &'a DirectoryWrite, sequence: i32) -> Self {
        Self {
            write,
            sequence,
            counts: Tally::default(),
            uncounted: Tally::default(),
            counted: sequence,
        }
    }

    pub(super) async fn write(
        &mut self,
        kind: BatchKind,
        payload: &Payload,
        counts: Tally,
    ) -> Result<(), WriteError> {
        self.write_all(kind, &[payload], counts).await
    }

    /// Writes batches of one kind, and what they count together.
    async fn write_all(
        &mut self,
        kind: BatchKind,
        payloads: &[&Payload],
        counts: Tally,
    ) -> Result<(), WriteError> {
        self.write.record(self.sequence, kind, payloads).await?;
        self.sequence = i32::try_from(payloads.len())
            .map_or(i32::MAX, |batches| self.sequence.saturating_add(batches));
        self.counts.add(&counts);
        self.uncounted.add(&counts);
        Ok(())
    }

    /// Takes over into the import's record what was recorded since this was last done.
    pub(super) async fn close(&mut self) -> Result<(), WriteError> {
        if self.counted == self.sequence {
            return Ok(());
        }
        self.counted = self.sequence;
        let counts = std::mem::take(&mut self.uncounted);
        self.write.count(self.sequence, counts).await
    }

    /// Records the warnings of rows that are still to be written, for whoever plans them again.
    pub(super) async fn noted(&mut self, noted: &Noted) -> Result<(), WriteError> {
        let messages: Vec<RowResults> = verdict::verdicts(noted.results()).collect();
        for message in messages {
            let payload = Payload::new(&message.encode_to_vec());
            self.write(BatchKind::ToWrite, &payload, Tally::default())
                .await?;
        }
        Ok(())
    }

    /// Records results as they come; at least one batch.
    pub(super) async fn settled(&mut self, settled: &Settled) -> Result<(), WriteError> {
        if settled.parts.is_empty() {
            return self.results(&[]).await;
        }
        for part in settled.parts() {
            self.results(&part.await?).await?;
        }
        Ok(())
    }

    /// Records results: at least one batch, so that the record tells that the transaction is stored.
    pub(super) async fn results(&mut self, results: &[EncodedResults]) -> Result<(), WriteError> {
        if results.is_empty() {
            let nothing = Payload::new(&RowResults::default().encode_to_vec());
            return self
                .write(BatchKind::Results, &nothing, Tally::default())
                .await;
        }
        let payloads: Vec<&Payload> = results.iter().map(|result| &result.payload).collect();
        let mut all = Tally::default();
        for result in results {
            all.add(&result.counts);
        }
        self.write_all(BatchKind::Results, &payloads, all).await
    }
}

/// Results as they are recorded: one message of bounded size.
#[derive(Debug)]
pub(super) struct EncodedResults {
    payload: Payload,
    counts: Tally,
}

impl EncodedResults {
    /// The message that is recorded, as it is sent where somebody wants all results and no values.
    pub(super) fn message(&self) -> Result<RowResults, StoreError> {
        let message = self.payload.message()?;
        Ok(RowResults::from_encoded(message.into()))
    }
}

/// Encodes results for the record.
pub(super) fn encode(results: impl Iterator<Item = RowResult>) -> Vec<EncodedResults> {
    verdict::verdicts(results)
        .map(|message| {
            let mut counts = Tally::default();
            for result in &message.results {
                verdict::count_result(&mut counts, result.outcome());
            }
            let payload = Payload::new(&message.encode_to_vec());
            EncodedResults { payload, counts }
        })
        .collect()
}

/// Rows whose verdicts are encoded on one core.
const SHARE: usize = 16_384;

/// Encodes the verdicts on rows of a plan for the record, on all cores.
pub(super) fn encode_rows(judged: &Judged, rows: &[u32]) -> Vec<EncodedResults> {
    rows.par_chunks(SHARE)
        .flat_map_iter(|rows| encode_share(judged, rows))
        .collect()
}

fn encode_share(judged: &Judged, rows: &[u32]) -> impl Iterator<Item = EncodedResults> {
    let rows = judged.recorded(rows.iter().copied());
    rows.map(|Encoded { message, counts }| EncodedResults {
        payload: Payload::new(&message),
        counts,
    })
}

/// Some results, one after the other. Cheap to clone.
pub(super) type Part = Arc<Vec<EncodedResults>>;

/// The verdicts on rows of a plan, encoded on all cores while those before them are recorded. They can be asked
/// for again, as a transaction can be tried again.
#[derive(Debug)]
pub(super) struct Settled {
    parts: Vec<Shared<oneshot::Receiver<Part>>>,
}

impl Settled {
    /// Begins to encode the verdicts on these rows.
    pub(super) fn begin(judged: Arc<Judged>, rows: Vec<u32>) -> Self {
        let shares = rows.len().div_ceil(SHARE);
        let (done, parts): (Vec<_>, Vec<_>) = (0..shares).map(|_| oneshot::channel()).unzip();
        spawn_blocking(move || {
            let shares = rows.par_chunks(SHARE).zip(done.into_par_iter());
            shares.for_each(|(rows, done)| {
                let part = encode_share(&judged, rows).collect();
                // Nobody waits any more where the import has been given up.
                let _ = done.send(Arc::new(part));
            });
        });
        Self {
            parts: parts.into_iter().map(FutureExt::shared).collect(),
        }
    }

    /// The parts, in the order of the rows, each to be had as soon as it is encoded.
    fn parts(&self) -> impl Iterator<Item = impl Future<Output = Result<Part, WriteError>>> {
        let parts = self.parts.iter().cloned();
        parts.map(|part| part.map(|part| part.map_err(WriteError::task)))
    }

    /// All of them.
    pub(super) async fn all(&self) -> Result<Vec<Part>, WriteError> {
        let mut all = Vec::with_capacity(self.parts.len());
        for part in self.parts() {
            all.push(part.await?);
        }
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::encoding::tests::judged_of;

    fn judged() -> Arc<Judged> {
        Arc::new(judged_of(&[
            ["A", "a@pd.example", "Müller", ""],
            ["B", "b@pd.example", "Old", ""],
            ["D", "nobody", "", ""],
        ]))
    }

    /// Row numbers of some results, in order.
    fn rows<'a>(results: impl IntoIterator<Item = &'a EncodedResults>) -> Vec<u32> {
        let messages = results.into_iter().map(|results| {
            let message = results.message().expect("undamaged").encode_to_vec();
            RowResults::decode(&*message).expect("a message")
        });
        let results = messages.flat_map(|message| message.results);
        results.map(|result| result.row).collect()
    }

    #[tokio::test]
    async fn what_is_settled_comes_in_order_and_as_often_as_it_is_asked_for() {
        let judged = judged();
        let indices: Vec<u32> = (0..3).cycle().take(3 * SHARE + 1).collect();
        let expected = rows(&encode_rows(&judged, &indices));
        assert_eq!(expected.len(), indices.len());
        let settled = Settled::begin(judged, indices);
        for _ in 0..2 {
            let parts = settled.all().await.expect("encoded");
            assert_eq!(parts.len(), 4);
            assert_eq!(rows(parts.iter().flat_map(|part| part.iter())), expected);
        }
    }

    #[tokio::test]
    async fn nobody_waits_for_what_cannot_be_encoded() {
        let no_such_row = 7;
        let settled = Settled::begin(judged(), vec![no_such_row]);
        assert!(settled.all().await.is_err());
        let nothing = Settled::begin(judged(), Vec::new());
        assert!(nothing.all().await.is_ok_and(|parts| parts.is_empty()));
    }
}
