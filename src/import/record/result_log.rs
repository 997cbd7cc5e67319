//! Recording results, within the transaction that makes them true.

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

use super::encoding::Encoded;
use crate::import::review::{Judged, Noted, planned_import};
use crate::{
    domain::Tally,
    proto::{RowResult, RowResults},
    store::{BatchKind, ImportTransaction, Payload, StoreError, WriteError},
};

/// Writes the record's batches within a transaction.
pub(crate) struct Journal<'a> {
    write: &'a ImportTransaction,
    pub(crate) sequence: i32,
    pub(crate) counts: Tally,
    /// Of these, what the import's record does not have yet.
    uncounted: Tally,
    /// The sequence that it has.
    counted: i32,
}

impl<'a> Journal<'a> {
    pub(crate) fn new(write: &'a ImportTransaction, sequence: i32) -> Self {
        Self {
            write,
            sequence,
            counts: Tally::default(),
            uncounted: Tally::default(),
            counted: sequence,
        }
    }

    pub(crate) async fn write(
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
        self.write
            .record_batches(self.sequence, kind, payloads)
            .await?;
        self.sequence = i32::try_from(payloads.len())
            .map_or(i32::MAX, |batches| self.sequence.saturating_add(batches));
        self.counts.add(&counts);
        self.uncounted.add(&counts);
        Ok(())
    }

    /// Takes over into the import's record what was recorded since this was last done.
    pub(crate) async fn close(&mut self) -> Result<(), WriteError> {
        if self.counted == self.sequence {
            return Ok(());
        }
        self.counted = self.sequence;
        let counts = std::mem::take(&mut self.uncounted);
        self.write.add_counts(self.sequence, counts).await
    }

    /// Records the warnings of rows that are still to be written, for whoever plans them again.
    pub(crate) async fn noted(&mut self, noted: &Noted) -> Result<(), WriteError> {
        for message in planned_import::verdicts(noted.results()) {
            let payload = Payload::new(&message.encode_to_vec());
            self.write(BatchKind::ToWrite, &payload, Tally::default())
                .await?;
        }
        Ok(())
    }

    /// Records results as they come; at least one batch.
    pub(crate) async fn settled(&mut self, settled: &Settled) -> Result<(), WriteError> {
        if settled.shares.is_empty() {
            return self.results(&[]).await;
        }
        let mut parts = settled.parts();
        while let Some(part) = parts.next().await {
            self.results(&part?).await?;
        }
        Ok(())
    }

    /// Records results: at least one batch, so that the record tells that the transaction is stored.
    pub(crate) async fn results(&mut self, results: &[EncodedResults]) -> Result<(), WriteError> {
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
pub(crate) struct EncodedResults {
    payload: Payload,
    counts: Tally,
}

impl EncodedResults {
    /// The message that is recorded, as it is sent where somebody wants all results and no values.
    pub(crate) fn message(&self) -> Result<RowResults, StoreError> {
        let message = self.payload.message()?;
        Ok(RowResults::from_encoded(message.into()))
    }
}

/// Encodes results for the record.
pub(crate) fn encode(results: impl Iterator<Item = RowResult>) -> Vec<EncodedResults> {
    planned_import::verdicts(results)
        .map(|message| {
            let mut counts = Tally::default();
            for result in &message.results {
                planned_import::count_result(&mut counts, result.outcome());
            }
            let payload = Payload::new(&message.encode_to_vec());
            EncodedResults { payload, counts }
        })
        .collect()
}

/// Rows whose verdicts are encoded on one core.
const SHARE: usize = 16_384;

/// Encodes the verdicts on rows of a plan for the record, on all cores.
pub(crate) fn encode_rows(judged: &Judged, rows: &[u32]) -> Vec<EncodedResults> {
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
pub(crate) type Part = Arc<Vec<EncodedResults>>;

/// Bytes of encoded verdicts that are kept: what a few hundred thousand rows have that need no writing.
const KEPT_BYTES: usize = 32 * 1024 * 1024;

/// Parts that are made while one is recorded, where they are not kept.
const MADE_AHEAD: usize = 2;

/// The verdicts on rows of a plan, encoded on all cores while those before them are recorded. They can be asked
/// for again, as a transaction can be tried again. No more than some MiB are kept; the others are encoded
/// whenever they are asked for, a few at a time.
#[derive(Debug)]
pub(crate) struct Settled {
    judged: Arc<Judged>,
    shares: Vec<Share>,
}

/// Rows whose verdicts are encoded together.
#[derive(Debug)]
struct Share {
    rows: Arc<[u32]>,
    /// Fails where the part is not kept.
    part: Shared<oneshot::Receiver<Part>>,
}

impl Settled {
    /// Begins to encode the verdicts on these rows.
    pub(crate) fn begin(judged: Arc<Judged>, rows: &[u32]) -> Self {
        Self::keeping(judged, rows, KEPT_BYTES)
    }

    fn keeping(judged: Arc<Judged>, rows: &[u32], bytes: usize) -> Self {
        let rows: Vec<Arc<[u32]>> = rows.chunks(SHARE).map(Arc::from).collect();
        let (done, parts): (Vec<_>, Vec<_>) = rows.iter().map(|_| oneshot::channel()).unzip();
        let work: Vec<_> = rows.iter().cloned().zip(done).collect();
        let encoding = Arc::clone(&judged);
        spawn_blocking(move || encode_and_keep(&encoding, work, bytes));
        let shares = rows.into_iter().zip(parts);
        let shares = shares.map(|(rows, part)| Share {
            rows,
            part: part.shared(),
        });
        Self {
            judged,
            shares: shares.collect(),
        }
    }

    /// The parts, in the order of the rows, each to be had as soon as it is encoded.
    fn parts(&self) -> impl Stream<Item = Result<Part, WriteError>> + Unpin {
        let parts = self.shares.iter().map(|share| {
            let (part, rows) = (share.part.clone(), Arc::clone(&share.rows));
            let judged = Arc::clone(&self.judged);
            async move {
                if let Ok(kept) = part.await {
                    return Ok(kept);
                }
                let encoding = spawn_blocking(move || encode_share(&judged, &rows).collect());
                let part: Vec<EncodedResults> = encoding.await.map_err(WriteError::task)?;
                Ok(Arc::new(part))
            }
        });
        let parts: Vec<_> = parts.collect();
        stream::iter(parts).buffered(MADE_AHEAD)
    }

    /// Waits until all are encoded that are kept.
    pub(crate) async fn ready(&self) {
        for share in &self.shares {
            let _ = share.part.clone().await;
        }
    }

    /// The rows, with their encoded verdicts as far as those are kept.
    pub(crate) async fn kept(&self) -> Vec<(Vec<u32>, Option<Part>)> {
        let mut all = Vec::with_capacity(self.shares.len());
        for share in &self.shares {
            all.push((share.rows.to_vec(), share.part.clone().await.ok()));
        }
        all
    }
}

/// Encodes the verdicts on shares of rows, until so many bytes are kept.
fn encode_and_keep(judged: &Judged, work: Vec<(Arc<[u32]>, oneshot::Sender<Part>)>, most: usize) {
    let kept = AtomicUsize::new(0);
    work.into_par_iter().for_each(|(rows, done)| {
        if kept.load(Relaxed) >= most {
            return;
        }
        let part: Vec<EncodedResults> = encode_share(judged, &rows).collect();
        let bytes: usize = part.iter().map(|results| results.payload.bytes()).sum();
        kept.fetch_add(bytes, Relaxed);
        // Nobody waits any more where the import has been given up.
        let _ = done.send(Arc::new(part));
    });
}

#[cfg(test)]
mod tests {
    use futures_util::TryStreamExt;

    use super::super::encoding::tests::judged_of;
    use super::*;

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
        let settled = Settled::begin(judged, &indices);
        for _ in 0..2 {
            assert_eq!(recorded(&settled).await.expect("encoded"), expected);
        }
        let kept = settled.kept().await;
        assert!(kept.len() == 4 && kept.iter().all(|(_, part)| part.is_some()));
    }

    #[tokio::test]
    async fn what_is_not_kept_is_encoded_again_in_its_place() {
        let judged = judged();
        let indices: Vec<u32> = (0..3).cycle().take(3 * SHARE + 1).collect();
        let expected = rows(&encode_rows(&judged, &indices));
        let settled = Settled::keeping(judged, &indices, 1);
        for _ in 0..2 {
            assert_eq!(recorded(&settled).await.expect("encoded"), expected);
        }
        let kept = settled.kept().await;
        assert!(
            kept.iter().any(|(_, part)| part.is_none()),
            "little is kept"
        );
        let told = kept.iter().flat_map(|(rows, _)| rows).copied();
        assert!(told.eq(indices), "all rows are named");
    }

    /// Row numbers of all parts, in order.
    async fn recorded(settled: &Settled) -> Result<Vec<u32>, WriteError> {
        let parts: Vec<Part> = settled.parts().try_collect().await?;
        Ok(rows(parts.iter().flat_map(|part| part.iter())))
    }

    #[tokio::test]
    async fn nobody_waits_for_what_cannot_be_encoded() {
        let no_such_row = 7;
        let settled = Settled::begin(judged(), &[no_such_row]);
        assert!(recorded(&settled).await.is_err());
        let nothing = Settled::begin(judged(), &[]);
        assert!(recorded(&nothing).await.is_ok_and(|rows| rows.is_empty()));
    }
}
