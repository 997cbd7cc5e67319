//! The option that chooses which results of an import the server sends.

use clap::{Args, ValueEnum};

use crate::proto::ResultFilter;

/// Which rows' results to receive.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct ResultFilterArgs {
    /// Results to receive
    #[arg(
        long,
        value_name = "WHICH",
        env = "USER_IMPORT_RESULT_FILTER",
        value_enum
    )]
    #[arg(default_value_t = RowFilter::All)]
    result_filter: RowFilter,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum RowFilter {
    /// The results of all rows.
    All,
    /// The results of created, updated and rejected rows.
    ChangesAndRejections,
    /// The results of rejected rows.
    Rejections,
}

impl ResultFilterArgs {
    /// Returns the number of the filter in the contract.
    pub(crate) fn number(self) -> i32 {
        let filter = match self.result_filter {
            RowFilter::All => ResultFilter::All,
            RowFilter::ChangesAndRejections => ResultFilter::ChangesAndRejections,
            RowFilter::Rejections => ResultFilter::Rejections,
        };
        filter.into()
    }

    /// Returns the option as it is added to a command.
    pub(crate) fn as_option(self) -> String {
        let value = self.result_filter.to_possible_value();
        let option = value.map(|value| format!(" --result-filter {}", value.get_name()));
        option.unwrap_or_default()
    }
}
