//! The `user-import` command.

use std::process::ExitCode;

use user_import::cli::{Cli, ExitStatus};

fn main() -> ExitCode {
    let cli = Cli::of_process();
    user_import_allocator::limit_arenas();
    user_import_allocator::map_large_blocks();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: this process cannot start its threads: {error}");
            return ExitStatus::Failed.into();
        }
    };
    let exit = runtime.block_on(cli.run());
    // A thread may still wait for standard input, which is not needed any more.
    runtime.shutdown_background();
    exit.into()
}
