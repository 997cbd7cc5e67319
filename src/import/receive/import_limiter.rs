//! Limits the concurrent imports of this server and of each organisation, so that a busy organisation leaves
//! room for others.
//!
//! Within an organisation imports write one after the other, in order of arrival.
//!
//! An upload that comes in is not yet an import. The limit for uploads is higher, because each of them holds little
//! memory. An import holds its permit from the end of its upload to its last message. Permits are given in order of
//! arrival.

use std::time::Duration;

use tokio::time::Instant;

use crate::import::{ImportError, Refusal};
use crate::limits::{ConcurrencyBounds, KeyedLimiter, KeyedPermit, LimitReached, ServerLimits};

/// Uploads of one organisation, or of one principal, for each import that it may have.
const UPLOADS_FOR_AN_IMPORT: usize = 4;

/// One directory may be read ahead for this many allowed imports.
const IMPORTS_FOR_A_READ_AHEAD: usize = 4;

/// Counts uploads and imports. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct ImportLimiter {
    organization_uploads: KeyedLimiter<String>,
    principal_uploads: KeyedLimiter<String>,
    imports: KeyedLimiter<String>,
    planning: KeyedLimiter<String>,
    writing: KeyedLimiter<String>,
    read_ahead: KeyedLimiter<String>,
    turn_timeout: Duration,
}

/// The right to upload a roster.
#[derive(Debug)]
pub(crate) struct UploadPermit {
    _organization: KeyedPermit<String>,
    _principal: KeyedPermit<String>,
}

/// The right to plan and to apply an import.
pub(super) type ImportPermit = KeyedPermit<String>;

/// The right to ask for the organisation's lease, and to hold it.
pub(crate) type WriteTurn = KeyedPermit<String>;

impl ImportLimiter {
    /// A limiter with nothing under way.
    #[must_use]
    pub(crate) fn new(limits: &ServerLimits) -> Self {
        let each = |key| {
            KeyedLimiter::new(ConcurrencyBounds {
                // The memory budget limits the server's total.
                server: usize::MAX,
                key,
            })
        };
        Self {
            organization_uploads: each(limits.organization_imports * UPLOADS_FOR_AN_IMPORT),
            principal_uploads: each(limits.imports * UPLOADS_FOR_AN_IMPORT),
            imports: KeyedLimiter::new(ConcurrencyBounds {
                server: limits.imports,
                key: limits.organization_imports,
            }),
            planning: each(1),
            writing: each(1),
            read_ahead: KeyedLimiter::new(ConcurrencyBounds {
                server: limits.imports.div_ceil(IMPORTS_FOR_A_READ_AHEAD),
                key: limits
                    .organization_imports
                    .div_ceil(IMPORTS_FOR_A_READ_AHEAD),
            }),
            turn_timeout: limits.deadlines.import_turn,
        }
    }

    /// The permit for one more upload into `organization`, a slug that need not exist.
    ///
    /// # Errors
    /// Fails with [`ImportError::Busy`] if the limit is reached.
    pub(crate) fn begin_upload(
        &self,
        organization: &str,
        principal: &str,
    ) -> Result<UploadPermit, ImportError> {
        let take = |limiter: &KeyedLimiter<String>, key: &str, whose| {
            let permit = limiter.try_acquire(key.to_owned());
            permit.map_err(|reached| ImportError::Busy(too_many_uploads(whose, reached)))
        };
        Ok(UploadPermit {
            _organization: take(
                &self.organization_uploads,
                organization,
                "into this organisation",
            )?,
            _principal: take(&self.principal_uploads, principal, "of this caller")?,
        })
    }

    /// How long an import that has been received waits for its turn in all.
    #[must_use]
    pub(crate) const fn turn_timeout(&self) -> Duration {
        self.turn_timeout
    }

    /// Waits for the permit for one more import into `organization`.
    ///
    /// # Errors
    /// Fails with [`ImportError::Busy`] if no permit is free in time.
    pub(crate) async fn enter(&self, organization: &str) -> Result<ImportPermit, ImportError> {
        let permit = self
            .imports
            .acquire(organization.to_owned(), self.turn_timeout);
        let permit = permit.await;
        permit.map_err(|reached| ImportError::Busy(too_many_imports(reached)))
    }

    /// Waits until `until` for the turn to write to `organization`, in order of arrival. Returns `None` if it does not
    /// come by then.
    pub(crate) async fn write_turn(&self, organization: &str, until: Instant) -> Option<WriteTurn> {
        let left = until.saturating_duration_since(Instant::now());
        let turn = self.writing.acquire(organization.to_owned(), left);
        turn.await.ok()
    }

    /// Waits for the organisation's turn to plan. It plans one import at a time, so that it never uses all
    /// processors. Never returns `None`, since waiting has no deadline.
    pub(crate) async fn planning_turn(&self, organization: &str) -> Option<KeyedPermit<String>> {
        let turn = self
            .planning
            .acquire(organization.to_owned(), Duration::MAX);
        turn.await.ok()
    }

    /// The permit to read and keep an organisation's directory while an upload comes in, or `None` if the limit is
    /// reached.
    #[must_use]
    pub(crate) fn try_read_ahead(&self, organization: &str) -> Option<KeyedPermit<String>> {
        self.read_ahead.try_acquire(organization.to_owned()).ok()
    }
}

fn too_many_uploads(whose: &str, reached: LimitReached) -> Refusal {
    let (LimitReached::Key(most) | LimitReached::Server(most)) = reached;
    let message = format!(
        "{most} uploads {whose} are under way, which is the limit; try again when one has ended."
    );
    Refusal::limit("TOO_MANY_UPLOADS", "uploads", message)
}

fn too_many_imports(reached: LimitReached) -> Refusal {
    match reached {
        LimitReached::Key(most) => {
            let message = format!(
                "{most} imports into this organisation are under way, which is the limit; try again \
                 when one has ended."
            );
            Refusal::limit("ORGANIZATION_BUSY", "imports_per_organization", message)
        }
        LimitReached::Server(most) => {
            let message = format!(
                "The server has {most} imports under way, which is the limit; try again in a moment."
            );
            Refusal::limit("SERVER_BUSY", "imports", message)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::ClientDeadlines;

    fn limiter(imports: usize, organization_imports: usize) -> ImportLimiter {
        ImportLimiter::new(&ServerLimits {
            imports,
            organization_imports,
            deadlines: ClientDeadlines {
                import_turn: Duration::ZERO,
                ..ClientDeadlines::default()
            },
            ..ServerLimits::default()
        })
    }

    fn code<T>(result: Result<T, ImportError>) -> &'static str {
        match result {
            Ok(_) => "",
            Err(ImportError::Busy(refusal)) => refusal.code,
            Err(_) => "another",
        }
    }

    #[tokio::test(start_paused = true)]
    async fn one_organisation_leaves_room_to_the_others() {
        let limiter = limiter(3, 2);
        let first = limiter.enter("a").await.unwrap();
        let second = limiter.enter("a").await.unwrap();
        assert_eq!(code(limiter.enter("a").await), "ORGANIZATION_BUSY");
        let third = limiter.enter("b").await.unwrap();
        assert_eq!(code(limiter.enter("c").await), "SERVER_BUSY");
        assert_eq!(limiter.imports.total(), 3);
        drop(first);
        assert_eq!(code(limiter.enter("c").await), "");
        drop((second, third));
        assert_eq!(limiter.imports.total(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn uploads_take_the_place_of_no_import_and_have_a_limit_of_their_own() {
        let limiter = limiter(2, 1);
        let uploads: Vec<_> = (0..4)
            .map(|_| limiter.begin_upload("a", "anna").unwrap())
            .collect();
        assert_eq!(code(limiter.begin_upload("a", "anna")), "TOO_MANY_UPLOADS");
        assert!(limiter.imports.total() == 0 && limiter.enter("a").await.is_ok());
        let others: Vec<_> = ["b", "c", "d", "e"]
            .map(|organization| limiter.begin_upload(organization, "anna"))
            .into_iter()
            .collect();
        assert!(others.iter().all(Result::is_ok));
        assert_eq!(code(limiter.begin_upload("f", "anna")), "TOO_MANY_UPLOADS");
        assert_eq!(code(limiter.begin_upload("f", "bob")), "");
        drop(uploads);
        assert_eq!(code(limiter.begin_upload("a", "anna")), "");
    }

    #[tokio::test(start_paused = true)]
    async fn few_directories_are_read_ahead_and_fewer_of_one_organisation() {
        let limiter = limiter(8, 4);
        let ahead = limiter.try_read_ahead("a");
        assert!(ahead.is_some() && limiter.try_read_ahead("a").is_none());
        let other = limiter.try_read_ahead("b");
        assert!(other.is_some() && limiter.try_read_ahead("c").is_none());
        drop(ahead);
        assert!(limiter.try_read_ahead("a").is_some());
    }
}
