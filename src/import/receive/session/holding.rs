//! Holds an import that a guard refuses for review: keeps its input, and makes its record that of a held import.

use time::OffsetDateTime;

use super::{ImportSession, distinct};
use crate::{
    domain::ImportState,
    import::{
        ImportError, Refusal, messages,
        receive::kept_input::KeptInput,
        record::{approval_needs, import_record},
        review::{guard_code, may_hold},
    },
    store::{AttemptEnd, HeldImport, ImportRecord, StoreError},
};

impl ImportSession<'_> {
    /// Holds an import that these guards refuse, if it asks for that. The lease is still held, so no other attempt does
    /// the same. Returns the error with which the import ends.
    pub(in crate::import) async fn hold(&mut self, mut refusals: Vec<Refusal>) -> ImportError {
        let Some(kept) = self.kept_input.take().filter(|_| may_hold(&refusals)) else {
            return refusals.into();
        };
        let most = self.importer.settings.max_held;
        let held = self.importer.store.count_held(Some(self.organization));
        match held.await {
            Ok(held) if held >= i64::from(most) => {
                refusals.push(too_many(most));
                return refusals.into();
            }
            Ok(_) => {}
            Err(error) => return error.into(),
        }
        match self.with_progress(self.store_held(kept, &refusals)).await {
            Ok(Some((record, until))) => {
                self.record = record;
                ImportError::Held(self.record.id, until, refusals)
            }
            // Another attempt has bound the ID since.
            Ok(None) => ImportError::PlanOutdated,
            Err(error) => error.into(),
        }
    }

    async fn store_held(
        &self,
        kept: KeptInput,
        refusals: &[Refusal],
    ) -> Result<Option<(ImportRecord, OffsetDateTime)>, StoreError> {
        let (importer, now) = (self.importer, self.importer.clock.now());
        let until = now + importer.settings.held;
        let mut record = self.record.clone();
        let mut summary = self.summary.clone();
        summary.refusals = messages::refusals(refusals);
        summary.state = ImportState::Held.into();
        import_record::close(&mut record, &summary, now);
        record.options_digest = Some(self.options_digest.to_vec());
        record.held_until = Some(until);
        let whole = kept.finish();
        approval_needs::note(&mut record, &whole.approval);
        let held = HeldImport {
            organization_id: record.organization_id,
            import_id: record.id,
            attempt: record.attempt,
            principal: record.principal.clone(),
            start: whole.start,
            kind: whole.kind,
            started_at: record.started_at,
        };
        let key = (record.organization_id, record.attempt);
        importer.store.keep_parts(key, &whole.parts).await?;
        let end = AttemptEnd {
            refusals: &distinct(refusals.iter().map(|refusal| refusal.code)),
            options: &self.asked_for,
        };
        let attempt = (&record, self.is_recorded());
        let is_held = importer.store.hold_import(attempt, &held, &self.actor, end);
        Ok(is_held.await?.then_some((record, until)))
    }

    /// Gives the summary the state of a held import. Returns the error with which a repeated attempt ends.
    pub(in crate::import) fn still_held(&mut self, record: &ImportRecord) -> ImportError {
        self.summary = import_record::summary(record, ImportState::Held);
        let refusals = self.summary.refusals.iter().map(|refusal| {
            let code = guard_code(&refusal.code).unwrap_or("REFUSED");
            Refusal::precondition(code, &refusal.subject, refusal.message.clone())
        });
        let until = record.held_until.unwrap_or(record.started_at);
        ImportError::Held(record.id, until, refusals.collect())
    }
}

fn too_many(most: u32) -> Refusal {
    let message = format!(
        "{most} imports of this organisation are held for review, which is the limit, so this one \
         is not held: approve or discard some of them."
    );
    Refusal::precondition("TOO_MANY_HELD", "max_held", message)
}
