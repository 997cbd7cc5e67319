//! Options that several commands have: the format, the length and the file of their output.

use std::path::PathBuf;

use clap::{Args, builder::BoolishValueParser};

use super::OutputFormat;

/// The format of a list or of results.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct FormatArgs {
    /// Format of the output
    #[arg(long, env = "USER_IMPORT_FORMAT", value_enum, default_value_t = OutputFormat::Table)]
    pub format: OutputFormat,
}

/// The format of a list.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct ListFormatArgs {
    #[command(flatten)]
    pub format: FormatArgs,
    /// Show all columns, with whole values and IDs. If a terminal has no room for them, print one line for each value
    #[arg(long, env = "USER_IMPORT_WIDE", value_parser = BoolishValueParser::new())]
    pub wide: bool,
}

/// The length of a list.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct LimitArgs {
    /// At most this many
    #[arg(
        long,
        value_name = "N",
        env = "USER_IMPORT_LIMIT",
        default_value_t = 20
    )]
    pub limit: u32,
}

/// The file that a command writes.
#[derive(Args, Clone, Debug)]
pub(crate) struct OutputFileArgs {
    /// File to write; `-` is standard output
    #[arg(
        long,
        short,
        value_name = "FILE",
        env = "USER_IMPORT_OUTPUT",
        default_value = "-"
    )]
    pub output: PathBuf,
}
