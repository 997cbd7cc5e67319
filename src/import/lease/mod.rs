//! One writer for each organisation: the lease that an import holds, and how it waits for it.

mod held;
mod turn;

pub(super) use held::HeldLease;
