//! One writer for each organisation: the lease that an import holds, and how a failed transaction is
//! tried again.

mod held;
mod retry_policy;

pub use held::Tenure;
pub use retry_policy::Patience;
