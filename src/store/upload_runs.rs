//! The runs of an upload's import: which server runs it, its replies that the import's log does not have, and how it
//! ended.
//!
//! Each run has an ID, and everything that it stores is bound to that ID. So a run that was taken for dead can store
//! nothing once another run has begun.

use sea_orm::Value;
use uuid::Uuid;

use super::{CompressedMessage, Store, StoreError, UploadStage, WriteTransaction, sql};

/// A run of an upload's import.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClaimedRun {
    /// The organisation.
    pub organization: i64,
    /// The import.
    pub import: Uuid,
    /// The run.
    pub run: Uuid,
}

/// How a run ended, as its caller sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunAnswer {
    /// The status code; 0 means success.
    pub code: i32,
    /// The status message.
    pub message: String,
    /// The status details, encoded.
    pub details: Vec<u8>,
}

impl Store {
    /// Lets `server` run the import of an upload in place of the run `from` (nil if there was none), whose replies
    /// are removed. Returns `false` if another run has begun since.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn claim_run(
        &self,
        claimed: ClaimedRun,
        from: Uuid,
        server: Uuid,
        finish: &[u8],
    ) -> Result<bool, StoreError> {
        self.retry(|| self.claim_run_once(claimed, from, server, finish))
            .await
    }

    async fn claim_run_once(
        &self,
        claimed: ClaimedRun,
        from: Uuid,
        server: Uuid,
        finish: &[u8],
    ) -> Result<bool, StoreError> {
        let tx = self.begin_for(claimed.organization).await?;
        let now = self.dialect().now_ms();
        let sql = format!(
            "UPDATE uploads SET stage = $5, server_id = $6, run = $3, finish = $7, \
            accepted = FALSE, answer_code = NULL, answer_message = NULL, answer_details = NULL, \
            touched_ms = {now} \
            WHERE organization_id = $1 AND import_id = $2 AND run = $4 AND stage <> $8"
        );
        let mut values = claimed.key();
        values.extend([
            from.into(),
            (UploadStage::Running as i32).into(),
            server.into(),
            finish.to_vec().into(),
            (UploadStage::Ended as i32).into(),
        ]);
        let was_claimed = tx.execute(sql, values).await? > 0;
        if was_claimed {
            let sql = "DELETE FROM upload_replies WHERE organization_id = $1 AND import_id = $2";
            let values = [claimed.organization.into(), claimed.import.into()];
            tx.execute(sql, values).await?;
        }
        tx.commit().await?;
        Ok(was_claimed)
    }

    /// Records that the whole roster was received and is being planned.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn accept_run(&self, run: ClaimedRun) -> Result<(), StoreError> {
        self.retry(|| self.accept_run_once(run)).await
    }

    async fn accept_run_once(&self, run: ClaimedRun) -> Result<(), StoreError> {
        let tx = self.begin_for(run.organization).await?;
        let sql = "UPDATE uploads SET accepted = TRUE \
            WHERE organization_id = $1 AND import_id = $2 AND run = $3";
        tx.execute(sql, run.key()).await?;
        tx.commit().await
    }

    /// Stores the reply with this number, from 0, unless it is stored already. Returns `false` if another run has begun.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn add_reply(
        &self,
        run: ClaimedRun,
        sequence: i32,
        reply: &CompressedMessage,
    ) -> Result<bool, StoreError> {
        self.retry(|| self.add_reply_once(run, sequence, reply))
            .await
    }

    async fn add_reply_once(
        &self,
        run: ClaimedRun,
        sequence: i32,
        reply: &CompressedMessage,
    ) -> Result<bool, StoreError> {
        let tx = self.begin_for(run.organization).await?;
        if !tx.holds(run).await? {
            return Ok(false);
        }
        let sql = "INSERT INTO upload_replies (organization_id, import_id, sequence, payload) \
            VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
        let values = [
            run.organization.into(),
            run.import.into(),
            sequence.into(),
            reply.stored().to_vec().into(),
        ];
        tx.execute(sql, values).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Returns up to `limit` stored replies, encoded `ImportUsersResponse`s, from number `sequence` on.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn run_replies(
        &self,
        run: ClaimedRun,
        sequence: i32,
        limit: i32,
    ) -> Result<Vec<Vec<u8>>, StoreError> {
        self.retry(|| self.run_replies_once(run, sequence, limit))
            .await
    }

    async fn run_replies_once(
        &self,
        run: ClaimedRun,
        sequence: i32,
        limit: i32,
    ) -> Result<Vec<Vec<u8>>, StoreError> {
        let sql = "SELECT r.payload FROM upload_replies r JOIN uploads u \
            ON u.organization_id = r.organization_id AND u.import_id = r.import_id \
            WHERE r.organization_id = $1 AND r.import_id = $2 AND u.run = $3 \
            AND r.sequence >= $4 ORDER BY r.sequence LIMIT $5";
        let mut values = run.key();
        values.extend([sequence.into(), i64::from(limit).into()]);
        let rows = sql::query_all(&self.db, sql, values).await?;
        rows.iter()
            .map(|row| CompressedMessage::read(&row.try_get_by_index::<Vec<u8>>(0)?))
            .collect()
    }

    /// Records how a run ended. If it ended for good its chunks are removed, else the import may be run again.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn end_run(
        &self,
        run: ClaimedRun,
        stage: UploadStage,
        accepted: bool,
        answer: &RunAnswer,
    ) -> Result<(), StoreError> {
        self.retry(|| self.end_run_once(run, stage, accepted, answer))
            .await
    }

    async fn end_run_once(
        &self,
        run: ClaimedRun,
        stage: UploadStage,
        accepted: bool,
        answer: &RunAnswer,
    ) -> Result<(), StoreError> {
        let tx = self.begin_for(run.organization).await?;
        let now = self.dialect().now_ms();
        let sql = format!(
            "UPDATE uploads SET stage = $4, accepted = $5, answer_code = $6, \
            answer_message = $7, answer_details = $8, touched_ms = {now} \
            WHERE organization_id = $1 AND import_id = $2 AND run = $3"
        );
        let mut values = run.key();
        values.extend([
            (stage as i32).into(),
            accepted.into(),
            answer.code.into(),
            answer.message.clone().into(),
            answer.details.clone().into(),
        ]);
        let was_ended = tx.execute(sql, values).await? > 0;
        if was_ended && stage == UploadStage::Ended {
            let sql = "DELETE FROM upload_chunks WHERE organization_id = $1 AND import_id = $2";
            let values = [run.organization.into(), run.import.into()];
            tx.execute(sql, values).await?;
        }
        tx.commit().await
    }
}

impl WriteTransaction {
    /// Locks the upload. Returns `true` if this is still its run.
    async fn holds(&self, run: ClaimedRun) -> Result<bool, StoreError> {
        let sql = "UPDATE uploads SET run = run \
            WHERE organization_id = $1 AND import_id = $2 AND run = $3";
        Ok(self.execute(sql, run.key()).await? > 0)
    }
}

impl ClaimedRun {
    fn key(self) -> Vec<Value> {
        vec![
            self.organization.into(),
            self.import.into(),
            self.run.into(),
        ]
    }
}
