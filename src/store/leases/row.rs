//! The row of a lease, and what it answers to an import that asks for the lease.

use std::time::Duration;

use sea_orm::ConnectionTrait;
use uuid::Uuid;

use super::{LeaseAnswer, LeaseHolder, LeaseRequest, NEXT_FOR};
use crate::store::{
    SqlDialect, StoreError,
    sql::{self, millis},
};

/// The row of a lease, with durations by the database's clock.
#[derive(Clone, Copy, Debug)]
pub(super) struct LeaseRow {
    import: Uuid,
    number: i64,
    renewed_ms: i64,
    running_ms: i64,
    quiet_ms: i64,
    /// The server that has asked last to be next, and how long ago.
    next: Option<(Uuid, i64)>,
}

impl LeaseRow {
    /// Returns the holder of the lease, unless the lease has run out. The lease `own` of this process does not run out.
    pub(super) fn holder(&self, own: i64, ttl: Duration) -> Option<LeaseHolder> {
        let (is_own, ttl_ms) = (self.number == own, millis(ttl));
        let left = ttl_ms.saturating_sub(self.quiet_ms);
        if self.renewed_ms == 0 || !(is_own || left > 0) {
            return None;
        }
        let duration = |ms: i64| Duration::from_millis(ms.max(0).unsigned_abs());
        Some(LeaseHolder {
            import: self.import,
            running: duration(self.running_ms),
            // A lease of this process whose renewal is waiting does not run out now.
            runs_out: if left > 0 { duration(left) } else { ttl },
            // It is renewed three times within its time.
            is_alive: is_own || left > ttl_ms / 2,
        })
    }

    /// Returns the answer to a request for this lease, unless it can be taken.
    pub(super) fn refusal(&self, request: LeaseRequest<'_>, own: i64) -> Option<LeaseAnswer> {
        let is_promised = self
            .next
            .is_some_and(|(next, ago)| next != request.server && ago < millis(NEXT_FOR));
        match self.holder(own, request.ttl) {
            Some(holder) => Some(LeaseAnswer::Held(holder)),
            None if is_promised && !request.out_of_turn => Some(LeaseAnswer::Promised),
            None => None,
        }
    }
}

pub(super) async fn read_lease(
    db: &impl ConnectionTrait,
    organization: i64,
) -> Result<Option<LeaseRow>, StoreError> {
    let now = SqlDialect::of(db).now_ms();
    let sql = format!(
        "SELECT import_id, number, renewed_ms, {now} - since_ms, {now} - renewed_ms, next_server, \
        {now} - next_ms FROM import_leases WHERE organization_id = $1"
    );
    let Some(row) = sql::query_one(db, sql, [organization.into()]).await? else {
        return Ok(None);
    };
    let (next, asked_ms): (Option<Uuid>, i64) =
        (row.try_get_by_index(5)?, row.try_get_by_index(6)?);
    Ok(Some(LeaseRow {
        import: row.try_get_by_index(0)?,
        number: row.try_get_by_index(1)?,
        renewed_ms: row.try_get_by_index(2)?,
        running_ms: row.try_get_by_index(3)?,
        quiet_ms: row.try_get_by_index(4)?,
        next: next.map(|server| (server, asked_ms)),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_retries_soon_if_the_holder_lives_and_else_after_the_lease_has_run_out() {
        let row = |running_ms, quiet_ms| LeaseRow {
            import: Uuid::nil(),
            number: 1,
            renewed_ms: 1_000_000,
            running_ms,
            quiet_ms,
            next: None,
        };
        let ttl = Duration::from_secs(15);
        let retry = |row: LeaseRow| row.holder(0, ttl).map(|holder| holder.retry_after());
        let ms = |ms| Some(Duration::from_millis(ms));
        assert_eq!(retry(row(8, 8)), ms(100));
        assert_eq!(retry(row(400, 5_000)), ms(400));
        assert_eq!(retry(row(60_000, 5_000)), ms(1_000));
        assert_eq!(retry(row(60_000, 9_000)), ms(6_000));
        assert_eq!(retry(row(60_000, 15_000)), None);
        // The process that holds the lease knows that it is alive.
        let own = row(60_000, 20_000).holder(1, ttl).unwrap();
        assert_eq!(own.retry_after(), Duration::from_secs(1));
    }
}
