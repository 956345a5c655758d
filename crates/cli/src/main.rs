//! The command line of `why401`.

fn main() {}
