//! The `user-import` command.

fn main() {}
