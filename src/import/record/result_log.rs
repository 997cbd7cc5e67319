//! Writes results to an import's log, within the transaction that makes them true.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

use futures_util::{FutureExt, Stream, StreamExt, future::Shared, stream};
use prost::Message;
use rayon::{
    iter::{IntoParallelIterator, ParallelIterator},
    slice::ParallelSlice,
};
use tokio::{sync::oneshot, task::spawn_blocking};

use super::{changed_users, encoding::EncodedMessage};
use crate::import::{
    messages,
    review::{FirstPlanWarnings, PlannedImport, planned_import},
};
use crate::{
    domain::OutcomeCounts,
    plan::RowIndex,
    proto::{RowResult, RowResults},
    store::{BatchKind, CompressedMessage, FEW_ROWS, ImportTransaction, StoreError, WriteError},
};

/// The log of an import's results, within one transaction.
pub(crate) struct ResultLog<'a> {
    write: &'a ImportTransaction,
    pub(crate) sequence: i32,
    pub(crate) counts: OutcomeCounts,
    /// The sequence that the import's record has.
    first: i32,
}

impl<'a> ResultLog<'a> {
    pub(crate) fn new(write: &'a ImportTransaction, sequence: i32) -> Self {
        Self {
            write,
            sequence,
            counts: OutcomeCounts::default(),
            first: sequence,
        }
    }

    /// Writes batches, and adds their counts.
    pub(crate) async fn write(&mut self, batches: &ResultBatches<'_>) -> Result<(), WriteError> {
        let ResultBatches { batches, counts } = batches;
        self.write.record_batches(self.sequence, batches).await?;
        self.sequence = self.sequence.saturating_add(number(batches.len()));
        self.counts.add(counts);
        Ok(())
    }

    /// The number of batches that the record has now, and the counts that this transaction adds; `None` if it adds no
    /// batch.
    pub(crate) fn counted(&self) -> Option<(i32, OutcomeCounts)> {
        (self.sequence != self.first).then_some((self.sequence, self.counts))
    }

    /// Records the first plan's warnings, for an attempt that plans these rows again.
    pub(crate) async fn first_plan_warnings(
        &mut self,
        first_plan_warnings: &FirstPlanWarnings,
    ) -> Result<(), WriteError> {
        for message in messages::results(first_plan_warnings.results()) {
            let payload = CompressedMessage::new(&message.encode_to_vec());
            self.write(&ResultBatches::of(&[(BatchKind::ToWrite, &payload)]))
                .await?;
        }
        Ok(())
    }

    /// Records the final results as they are encoded.
    pub(crate) async fn final_results(
        &mut self,
        final_results: &FinalResults,
    ) -> Result<(), WriteError> {
        let mut parts = final_results.parts();
        while let Some(part) = parts.next().await {
            self.results(&part?, &[]).await?;
        }
        Ok(())
    }

    /// Records results, and what they changed of users: at least one batch, so that the record shows that the transaction
    /// has committed.
    pub(crate) async fn results(
        &mut self,
        results: &[EncodedResults],
        changes: &[CompressedMessage],
    ) -> Result<(), WriteError> {
        if results.is_empty() {
            let nothing = CompressedMessage::new(&RowResults::default().encode_to_vec());
            let nothing = ResultBatches::of(&[(BatchKind::Results, &nothing)]);
            return self.write(&nothing).await;
        }
        self.write(&ResultBatches::new(results, changes)).await
    }
}

/// Batches that are recorded together, with the counts of their results.
pub(crate) struct ResultBatches<'a> {
    batches: Vec<(BatchKind, &'a CompressedMessage)>,
    pub(crate) counts: OutcomeCounts,
}

impl<'a> ResultBatches<'a> {
    /// The batches of results, and then of what they changed of users.
    pub(crate) fn new(
        results: impl IntoIterator<Item = &'a EncodedResults>,
        changes: &'a [CompressedMessage],
    ) -> Self {
        let mut counts = OutcomeCounts::default();
        let results = results.into_iter().map(|result| {
            counts.add(&result.counts);
            (BatchKind::Results, &result.payload)
        });
        let mut batches: Vec<_> = results.collect();
        batches.extend(changes.iter().map(|changes| (BatchKind::Changes, changes)));
        Self { batches, counts }
    }

    /// Batches that count no rows.
    pub(crate) fn of(batches: &[(BatchKind, &'a CompressedMessage)]) -> Self {
        Self {
            batches: batches.to_vec(),
            counts: OutcomeCounts::default(),
        }
    }

    /// The same with these counts.
    pub(crate) fn with(self, counts: OutcomeCounts) -> Self {
        Self { counts, ..self }
    }

    /// The number of batches.
    pub(crate) fn number(&self) -> i32 {
        number(self.batches.len())
    }
}

fn number(batches: usize) -> i32 {
    i32::try_from(batches).unwrap_or(i32::MAX)
}

/// Encoded results for the log: one message of bounded size.
#[derive(Debug)]
pub(crate) struct EncodedResults {
    payload: CompressedMessage,
    counts: OutcomeCounts,
}

impl EncodedResults {
    /// The recorded message, for a client that wants all results without values.
    pub(crate) fn message(&self) -> Result<RowResults, StoreError> {
        let message = self.payload.message()?;
        Ok(RowResults::from_encoded(message.into()))
    }
}

/// Encodes results for the log.
pub(crate) fn encode(results: impl Iterator<Item = RowResult>) -> Vec<EncodedResults> {
    messages::results(results)
        .map(|message| {
            let mut counts = OutcomeCounts::default();
            for result in &message.results {
                planned_import::count(&mut counts, messages::outcome(result));
            }
            let payload = CompressedMessage::new(&message.encode_to_vec());
            EncodedResults { payload, counts }
        })
        .collect()
}

/// Rows whose results are encoded on one core.
const CHUNK_ROWS: usize = 16_384;

/// Encodes the results of rows of a plan for the log, on all cores.
pub(crate) fn encode_rows(planned: &PlannedImport, rows: &[RowIndex]) -> Vec<EncodedResults> {
    if rows.len() <= FEW_ROWS {
        return encode_chunk(planned, rows).collect();
    }
    rows.par_chunks(CHUNK_ROWS)
        .flat_map_iter(|rows| encode_chunk(planned, rows))
        .collect()
}

/// Encodes what rows of a plan change of users for the log, on all cores.
pub(crate) fn encode_changes(planned: &PlannedImport, rows: &[RowIndex]) -> Vec<CompressedMessage> {
    if rows.len() <= FEW_ROWS {
        return changed_users::encode(planned, rows);
    }
    rows.par_chunks(CHUNK_ROWS)
        .flat_map_iter(|rows| changed_users::encode(planned, rows))
        .collect()
}

fn encode_chunk(
    planned: &PlannedImport,
    rows: &[RowIndex],
) -> impl Iterator<Item = EncodedResults> {
    let rows = planned.recorded(rows.iter().copied());
    rows.map(|EncodedMessage { message, counts }| EncodedResults {
        payload: CompressedMessage::new(&message),
        counts,
    })
}

/// Encoded results, shared between the log and the client's stream. Cheap to clone.
pub(crate) type SharedResults = Arc<Vec<EncodedResults>>;

/// Bytes of encoded results that are kept: those of a few hundred thousand rows that are not written.
const KEPT_BYTES: usize = 32 * 1024 * 1024;

/// Chunks that are encoded ahead while one is recorded, if they are not kept.
const MADE_AHEAD: usize = 2;

/// The results of rows that are not written, encoded on all cores while earlier ones are recorded. They can be
/// read again, since a transaction can be tried again. Up to [`KEPT_BYTES`] are kept; the others are encoded at each
/// reading, a few chunks at a time.
#[derive(Debug)]
pub(crate) struct FinalResults {
    planned: Arc<PlannedImport>,
    chunks: Vec<FinalResultsChunk>,
}

/// Rows whose results are encoded together.
#[derive(Debug)]
struct FinalResultsChunk {
    rows: Arc<[RowIndex]>,
    /// Fails if the chunk is not kept.
    part: Shared<oneshot::Receiver<SharedResults>>,
}

impl FinalResults {
    /// Begins to encode the results of these rows.
    pub(crate) fn begin(planned: Arc<PlannedImport>, rows: &[RowIndex]) -> Self {
        Self::keeping(planned, rows, KEPT_BYTES)
    }

    fn keeping(planned: Arc<PlannedImport>, rows: &[RowIndex], bytes: usize) -> Self {
        let rows: Vec<Arc<[RowIndex]>> = rows.chunks(CHUNK_ROWS).map(Arc::from).collect();
        let (done, parts): (Vec<_>, Vec<_>) = rows.iter().map(|_| oneshot::channel()).unzip();
        let work: Vec<_> = rows.iter().cloned().zip(done).collect();
        if !work.is_empty() {
            let encoding = Arc::clone(&planned);
            spawn_blocking(move || encode_and_keep(&encoding, work, bytes));
        }
        let chunks = rows.into_iter().zip(parts);
        let chunks = chunks.map(|(rows, part)| FinalResultsChunk {
            rows,
            part: part.shared(),
        });
        Self {
            planned,
            chunks: chunks.collect(),
        }
    }

    /// The chunks in the order of the rows, each as soon as it is encoded.
    fn parts(&self) -> impl Stream<Item = Result<SharedResults, WriteError>> + Unpin {
        let parts = self.chunks.iter().map(|chunk| {
            let (part, rows) = (chunk.part.clone(), Arc::clone(&chunk.rows));
            let planned = Arc::clone(&self.planned);
            async move {
                if let Ok(kept) = part.await {
                    return Ok(kept);
                }
                let encoding = spawn_blocking(move || encode_chunk(&planned, &rows).collect());
                let part: Vec<EncodedResults> = encoding.await.map_err(WriteError::task)?;
                Ok(Arc::new(part))
            }
        });
        let parts: Vec<_> = parts.collect();
        stream::iter(parts).buffered(MADE_AHEAD)
    }

    /// Waits until all chunks that are kept are encoded.
    pub(crate) async fn ready(&self) {
        for chunk in &self.chunks {
            let _ = chunk.part.clone().await;
        }
    }

    /// The rows, with their encoded results if those are kept.
    pub(crate) async fn kept(&self) -> Vec<(Vec<RowIndex>, Option<SharedResults>)> {
        let mut all = Vec::with_capacity(self.chunks.len());
        for chunk in &self.chunks {
            all.push((chunk.rows.to_vec(), chunk.part.clone().await.ok()));
        }
        all
    }
}

/// Encodes chunks until `most` bytes are kept.
fn encode_and_keep(
    planned: &PlannedImport,
    work: Vec<(Arc<[RowIndex]>, oneshot::Sender<SharedResults>)>,
    most: usize,
) {
    let kept = AtomicUsize::new(0);
    work.into_par_iter().for_each(|(rows, done)| {
        if kept.load(Relaxed) >= most {
            return;
        }
        let part: Vec<EncodedResults> = encode_chunk(planned, &rows).collect();
        let bytes: usize = part.iter().map(|results| results.payload.bytes()).sum();
        kept.fetch_add(bytes, Relaxed);
        // The send fails only if the import has been given up.
        let _ = done.send(Arc::new(part));
    });
}

#[cfg(test)]
mod tests {
    use futures_util::TryStreamExt;

    use super::super::encoding::tests::planned_import_of;
    use super::*;
    use crate::plan::DenseIndex;

    fn planned() -> Arc<PlannedImport> {
        Arc::new(planned_import_of(&[
            ["A", "a@pd.example", "Müller", ""],
            ["B", "b@pd.example", "Old", ""],
            ["D", "nobody", "", ""],
        ]))
    }

    fn indices(count: usize) -> Vec<RowIndex> {
        (0..count).map(|n| RowIndex::new(n % 3)).collect()
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
        let planned = planned();
        let indices = indices(3 * CHUNK_ROWS + 1);
        let expected = rows(&encode_rows(&planned, &indices));
        assert_eq!(expected.len(), indices.len());
        let final_results = FinalResults::begin(planned, &indices);
        for _ in 0..2 {
            assert_eq!(recorded(&final_results).await.expect("encoded"), expected);
        }
        let kept = final_results.kept().await;
        assert!(kept.len() == 4 && kept.iter().all(|(_, part)| part.is_some()));
    }

    #[tokio::test]
    async fn what_is_not_kept_is_encoded_again_in_its_place() {
        let planned = planned();
        let indices = indices(3 * CHUNK_ROWS + 1);
        let expected = rows(&encode_rows(&planned, &indices));
        let final_results = FinalResults::keeping(planned, &indices, 1);
        for _ in 0..2 {
            assert_eq!(recorded(&final_results).await.expect("encoded"), expected);
        }
        let kept = final_results.kept().await;
        assert!(
            kept.iter().any(|(_, part)| part.is_none()),
            "little is kept"
        );
        let told = kept.iter().flat_map(|(rows, _)| rows).copied();
        assert!(told.eq(indices), "all rows are named");
    }

    /// Row numbers of all parts, in order.
    async fn recorded(final_results: &FinalResults) -> Result<Vec<u32>, WriteError> {
        let parts: Vec<SharedResults> = final_results.parts().try_collect().await?;
        Ok(rows(parts.iter().flat_map(|part| part.iter())))
    }

    #[tokio::test]
    async fn nobody_waits_for_what_cannot_be_encoded() {
        let no_such_row = RowIndex::new(7);
        let final_results = FinalResults::begin(planned(), &[no_such_row]);
        assert!(recorded(&final_results).await.is_err());
        let nothing = FinalResults::begin(planned(), &[]);
        assert!(recorded(&nothing).await.is_ok_and(|rows| rows.is_empty()));
    }
}
