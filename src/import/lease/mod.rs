//! One writer for each organisation: the lease that an import holds.

mod held;

pub(super) use held::HeldLease;
