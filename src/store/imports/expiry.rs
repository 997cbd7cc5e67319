//! Removes results of imports, their changes to users, and their records once their time has expired.

use std::collections::BTreeMap;

use time::OffsetDateTime;
use uuid::Uuid;

use crate::store::{
    Store, StoreError,
    row_set::{ColumnValues, RowSet},
    sql,
};

/// How many imports lose their results in one step.
const EXPIRED_AT_ONCE: u32 = 500;

/// Batches that are removed some time after their import has ended.
struct ExpiringBatches {
    /// The condition on imports that have some, and the moment from which their time counts.
    due: &'static str,
    /// The condition on the batches.
    kinds: &'static str,
    /// The assignment that says that an import has none any more.
    mark: &'static str,
}

const RESULTS: ExpiringBatches = ExpiringBatches {
    due: "NOT results_removed AND finished_at",
    kinds: "kind <> 4",
    mark: "results_removed = TRUE",
};

/// An import whose server died has no end.
const CHANGES: ExpiringBatches = ExpiringBatches {
    due: "changes_kept AND coalesce(finished_at, started_at)",
    kinds: "kind = 4",
    mark: "changes_kept = FALSE",
};

impl ExpiringBatches {
    /// Returns the query of imports whose time has expired.
    fn due_imports(&self) -> String {
        let due = self.due;
        format!("SELECT organization_id, id FROM imports WHERE {due} < $1 LIMIT {EXPIRED_AT_ONCE}")
    }
}

impl Store {
    /// Removes the results of imports that ended before `moment`. Their records and counts stay.
    /// Returns how many batches there were.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn expire_results(&self, moment: OffsetDateTime) -> Result<u64, StoreError> {
        self.expire_batches(&RESULTS, moment).await
    }

    /// Removes the recorded changes to users of imports that ended before `moment`, which cannot be undone any more.
    /// Returns how many batches there were.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn expire_changes(&self, moment: OffsetDateTime) -> Result<u64, StoreError> {
        self.expire_batches(&CHANGES, moment).await
    }

    async fn expire_batches(
        &self,
        expiring: &ExpiringBatches,
        moment: OffsetDateTime,
    ) -> Result<u64, StoreError> {
        let sql = expiring.due_imports();
        let mut removed = 0;
        loop {
            let mut expired: BTreeMap<i64, Vec<Uuid>> = BTreeMap::new();
            for row in sql::query_all(&self.db, &*sql, [moment.into()]).await? {
                let imports = expired.entry(row.try_get_by_index(0)?).or_default();
                imports.push(row.try_get_by_index(1)?);
            }
            if expired.is_empty() {
                return Ok(removed);
            }
            for (organization, imports) in expired {
                removed += self
                    .remove_batches(expiring, organization, &imports)
                    .await?;
            }
        }
    }

    /// Removes the records of applied imports that ended before `moment` and have no results any more. Returns how many
    /// there were.
    ///
    /// # Errors
    /// Fails if the database fails.
    pub async fn expire_history(&self, moment: OffsetDateTime) -> Result<u64, StoreError> {
        // One that is held for review has its own end.
        const OLD: &str =
            "results_removed AND options_digest IS NOT NULL AND state <> 7 AND finished_at < $1";
        // An import that began before another is kept as long. Otherwise its repetition would be taken for the newest
        // import.
        let sql = format!(
            "SELECT organization_id, id FROM imports i WHERE {OLD} AND NOT EXISTS (SELECT 1 FROM imports o \
            WHERE o.organization_id = i.organization_id AND o.started_at < i.started_at \
            AND o.options_digest IS NOT NULL AND (o.finished_at IS NULL OR o.finished_at >= $1)) \
            LIMIT {EXPIRED_AT_ONCE}"
        );
        // An import that is resumed in between has no end any more, and stays.
        let delete =
            format!("DELETE FROM imports WHERE {OLD} AND organization_id = $2 AND id = $3");
        // The recorded changes to users are removed together with the record.
        let changes = format!(
            "DELETE FROM import_results WHERE organization_id = $2 AND import_id = $3 AND EXISTS \
            (SELECT 1 FROM imports WHERE {OLD} AND organization_id = $2 AND id = $3)"
        );
        let mut removed = 0;
        loop {
            let mut expired: BTreeMap<i64, Vec<Uuid>> = BTreeMap::new();
            for row in sql::query_all(&self.db, &*sql, [moment.into()]).await? {
                let imports = expired.entry(row.try_get_by_index(0)?).or_default();
                imports.push(row.try_get_by_index(1)?);
            }
            let before = removed;
            for (organization, imports) in expired {
                let tx = self.begin_for(organization).await?;
                for import in imports {
                    let values = [moment.into(), organization.into(), import.into()];
                    tx.execute(&*changes, values.clone()).await?;
                    removed += tx.execute(&*delete, values).await?;
                }
                tx.commit().await?;
            }
            if removed == before {
                return Ok(removed);
            }
        }
    }

    async fn remove_batches(
        &self,
        ExpiringBatches { kinds, mark, .. }: &ExpiringBatches,
        organization: i64,
        imports: &[Uuid],
    ) -> Result<u64, StoreError> {
        let tx = self.begin_for(organization).await?;
        let rows = RowSet::new(vec![("id", ColumnValues::Uuid(imports))]);
        let mut removed = 0;
        for source in rows.sources(self.dialect()) {
            let (chosen, number) = (&source.sql, source.values.len() + 1);
            let delete = format!(
                "DELETE FROM import_results WHERE organization_id = ${number} AND {kinds} \
                AND import_id IN (SELECT r.id FROM {chosen})"
            );
            let mark = format!(
                "UPDATE imports SET {mark} WHERE organization_id = ${number} \
                AND id IN (SELECT r.id FROM {chosen})"
            );
            let mut values = source.values;
            values.push(organization.into());
            removed += tx.execute(delete, values.clone()).await?;
            tx.execute(mark, values).await?;
        }
        tx.commit().await?;
        Ok(removed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server asks once an hour, and most imports of a long history have lost their results.
    #[tokio::test]
    async fn imports_whose_time_has_expired_are_found_without_a_scan() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("test.db").display());
        let store = Store::connect(&url).await.unwrap();
        store.migrate().await.unwrap();
        for (expiring, index) in [
            (RESULTS, "INDEX imports_with_results"),
            (CHANGES, "INDEX imports_with_changes"),
        ] {
            let sql = format!("EXPLAIN QUERY PLAN {}", expiring.due_imports());
            let values = [OffsetDateTime::UNIX_EPOCH.into()];
            let steps = sql::query_all(&store.db, sql, values).await.unwrap();
            assert!(!steps.is_empty());
            for step in steps {
                let step: String = step.try_get("", "detail").unwrap();
                assert!(step.contains("SEARCH") && step.contains(index), "{step}");
            }
        }
    }
}
