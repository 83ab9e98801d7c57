//! Every developer chore: `cargo xtask <chore>`.

fn main() {}
