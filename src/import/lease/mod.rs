//! One writer for each organisation: the lease that an import holds, and the policy for retrying a failed
//! transaction.

mod held;
mod retry_policy;

pub use held::HeldLease;
pub use retry_policy::RetryPolicy;
