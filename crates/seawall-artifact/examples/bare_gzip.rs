//! Decompresses a gzip file to nowhere: what reading a layer costs before anything is done with it,
//! for the benchmark.
//!
//! ```text
//! cargo run --release -p seawall-artifact --example bare_gzip -- FILE
//! ```

use std::error::Error;
use std::fs::File;
use std::io::{BufReader, Read};

#[expect(
    clippy::disallowed_methods,
    reason = "the measure of what the product's own caps cost"
)]
fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args_os().nth(1).ok_or("usage: bare_gzip FILE")?;
    let file = BufReader::with_capacity(1 << 18, File::open(path)?);
    let mut decoder = flate2::bufread::MultiGzDecoder::new(file);
    let mut buffer = vec![0; 1 << 18];
    while decoder.read(&mut buffer)? > 0 {}
    Ok(())
}
