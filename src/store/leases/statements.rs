//! What a transaction does to the row of a lease: takes it, renews it, gives it back.

use super::{Lease, LeaseRequest, LeaseTerm, NEXT_FOR};
use crate::store::{StoreError, WriteTransaction, sql::millis};

impl WriteTransaction {
    /// Takes a lease that nobody holds, and for which no other server is next. Returns `None` if somebody holds the
    /// lease or another server is next. Locks the organisation, and so waits for everybody who writes to it.
    pub(in crate::store) async fn seize_lease(
        &self,
        request: LeaseRequest<'_>,
        own: i64,
        term: LeaseTerm,
    ) -> Result<Option<Lease>, StoreError> {
        let (now, lock) = (self.dialect().now_ms(), self.dialect().lock_rows());
        let renewed = match term {
            LeaseTerm::UntilReleased => now,
            LeaseTerm::Transaction => "0",
        };
        let sql = format!(
            "INSERT INTO import_leases (organization_id, number, import_id, since_ms, renewed_ms) \
            SELECT id, 1, $2, {now}, {renewed} FROM organizations WHERE id = $1 {lock} \
            ON CONFLICT (organization_id) DO UPDATE SET number = import_leases.number + 1, \
            import_id = excluded.import_id, since_ms = excluded.since_ms, \
            renewed_ms = excluded.renewed_ms, next_server = NULL, next_ms = 0 \
            WHERE (import_leases.renewed_ms = 0 OR (import_leases.number <> $4 \
            AND import_leases.renewed_ms + $3 <= excluded.since_ms)) AND ($5 OR \
            import_leases.next_server IS NULL OR import_leases.next_server = $6 OR \
            import_leases.next_ms + $7 <= excluded.since_ms) RETURNING number"
        );
        let organization = request.organization;
        let values = [
            organization.into(),
            request.import.into(),
            millis(request.ttl).into(),
            own.into(),
            request.out_of_turn.into(),
            request.server.into(),
            millis(NEXT_FOR).into(),
        ];
        let row = self.query_one(sql, values).await?;
        let lease = |number| Lease {
            organization,
            number,
        };
        Ok(row
            .map(|row| row.try_get_by_index(0).map(lease))
            .transpose()?)
    }

    pub(in crate::store) async fn release(&self, lease: Lease) -> Result<(), StoreError> {
        let sql = "UPDATE import_leases SET renewed_ms = 0 \
            WHERE organization_id = $1 AND number = $2";
        let values = [lease.organization.into(), lease.number.into()];
        self.execute(sql, values).await.map(|_| ())
    }

    pub(super) async fn renew(&self, lease: Lease) -> Result<bool, StoreError> {
        let now = self.dialect().now_ms();
        let sql = format!(
            "UPDATE import_leases SET renewed_ms = {now} \
            WHERE organization_id = $1 AND number = $2 AND renewed_ms > 0"
        );
        let values = [lease.organization.into(), lease.number.into()];
        Ok(self.execute(sql, values).await? > 0)
    }
}
