//! Reads a source, with and without contents, and says how long it took: for measuring.

#![allow(clippy::print_stdout, reason = "its output is what it is for")]

use seawall_artifact::{
    Artifact, Entry, EntryKind, Error, LayerVisitor, Options, Progress, Source,
};
use std::time::Instant;

#[derive(Default)]
struct Count {
    entries: u64,
    bytes: u64,
    elf: u64,
}

impl LayerVisitor for Count {
    fn visit(&mut self, entry: &mut dyn Entry) -> Result<(), Error> {
        self.entries += 1;
        if entry.kind() == EntryKind::File {
            self.bytes += entry.size();
            let mut magic = [0; 4];
            if entry.mode() & 0o111 != 0 && entry.peek(&mut magic)? == 4 && magic == *b"\x7fELF" {
                self.elf += 1;
            }
        }
        Ok(())
    }
}

struct Quiet;
impl Progress for Quiet {
    fn total(&self, _bytes: u64) {}
    fn advance(&self, _bytes: u64) {}
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for argument in std::env::args().skip(1) {
        let source = match argument.strip_prefix("dir:") {
            Some(path) => Source::Directory(path.into()),
            None => argument.parse()?,
        };
        let start = Instant::now();
        let read = Artifact::open(&source, &Options::default())?.read(&Count::default, &Quiet)?;
        let sum =
            |field: fn(&Count) -> u64| read.layers.iter().map(|l| field(&l.visitor)).sum::<u64>();
        println!(
            "{argument}: {} layers, {} entries, {} ELF, {} MB in {:?}",
            read.layers.len(),
            sum(|c| c.entries),
            sum(|c| c.elf),
            sum(|c| c.bytes) >> 20,
            start.elapsed()
        );
        for incomplete in read.incomplete {
            println!("  {incomplete}");
        }
    }
    let status = std::fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find(|line| line.starts_with("VmHWM"));
    println!("{}", peak.unwrap_or_default());
    Ok(())
}
