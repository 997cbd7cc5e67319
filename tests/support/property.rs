//! Runs properties that must hold for random values, against a running server.

use proptest::{
    strategy::Strategy,
    test_runner::{Config, TestCaseError, TestRunner},
};
use tokio::{runtime::Handle, task::block_in_place};

/// Checks `property` against `cases` random values. A property fails by panicking. The failing value is then made as
/// small as possible, and shown.
pub fn for_all<S: Strategy>(cases: u32, values: S, property: impl AsyncFn(S::Value)) {
    let mut runner = TestRunner::new(Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    });
    let result = runner.run(&values, |value| {
        block_in_place(|| Handle::current().block_on(property(value)));
        Ok::<_, TestCaseError>(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}
