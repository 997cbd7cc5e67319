//! `descriptor`: the contract, for programs that read it without its files.

use clap::Args;

use super::{
    ExitStatus,
    output::{OutputFileArgs, write_whole},
};
use crate::proto::DESCRIPTOR_SET;

/// Write the API's contract as a descriptor set, comments included, for tools such as buf and grpcurl
#[derive(Args, Debug)]
#[command(
    after_help = "Example: call a server whose reflection a proxy hides\n  \
    user-import descriptor --output userimport-v1.binpb\n  \
    grpcurl -protoset userimport-v1.binpb -plaintext localhost:50051 list"
)]
pub(super) struct DescriptorArgs {
    #[command(flatten)]
    file: OutputFileArgs,
}

/// Runs the command.
///
/// # Errors
/// Fails if the file cannot be written.
pub(super) fn run(args: &DescriptorArgs) -> anyhow::Result<ExitStatus> {
    write_whole(&args.file.output, DESCRIPTOR_SET)?;
    Ok(ExitStatus::Done)
}
